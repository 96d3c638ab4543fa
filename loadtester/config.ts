import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { RE2JS } from 're2js';

import { parseDuration } from '../domain/duration.js';

/** Every setting of the load tester. */
export interface Config {
  readonly port: number;
  /** The limit for every task. */
  readonly timeoutMs: number;
  /** Whether the load tester serves canaries of a namespace. */
  readonly serves: (namespace: string) => boolean;
  readonly logLevel: string;
  readonly gates: GatesPlace;
  /** How long callers that wait are waited for at the end. */
  readonly shutdownGraceMs: number;
}

/** Where open gates are kept. */
export type GatesPlace =
  | { readonly kind: 'configmap'; readonly name: string; readonly namespace: string | undefined }
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'memory' };

/** The command line said it all (`--help`, `--version`) or was not understood; it has been printed. */
export class Said extends Error {
  override readonly name = 'Said';

  constructor(readonly exitCode: number) {
    super('the command line was answered');
  }
}

interface Flags {
  readonly port: number;
  readonly timeout: number;
  readonly namespaceRegexp: (namespace: string) => boolean;
  readonly logLevel: string;
  readonly gates: GatesPlace;
  readonly shutdownGrace: number;
}

const levels = {
  ...{ debug: 'debug', info: 'info', warn: 'warn', warning: 'warn' },
  ...{ error: 'error', fatal: 'error', panic: 'error' },
} as const;

/** Reads the flags, which are Flagger's and some more, with one dash or two. Throws {@link Said}. */
export function parseConfig(argv: readonly string[], version: string): Config {
  const command = commandOf(version);
  try {
    command.parse(argv.map(withTwoDashes), { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) throw new Said(error.exitCode === 0 ? 0 : 2);
    throw error;
  }
  const { timeout, namespaceRegexp, shutdownGrace, ...flags } = command.opts<Flags>();
  return {
    ...{ port: flags.port, logLevel: flags.logLevel, gates: flags.gates },
    ...{ timeoutMs: timeout, serves: namespaceRegexp, shutdownGraceMs: shutdownGrace },
  };
}

function commandOf(version: string): Command {
  return new Command('loadtester')
    .description(
      'The Sluice load tester: runs load tests, checks and gates for the webhooks of canaries.',
    )
    .version(version)
    .exitOverride()
    .addOption(option('--port <number>', 'port of the HTTP API', port, 9090, '9090'))
    .addOption(option('--timeout <duration>', 'limit for every task', duration, 3_600_000, '1h'))
    .addOption(
      option(
        '--namespace-regexp <regexp>',
        'serve canaries of namespaces that match only (RE2, found anywhere: use ^...$)',
        namespaceRule,
        () => true,
        'all',
      ),
    )
    .addOption(
      new Option('--log-level <level>', 'least severe log lines')
        .argParser(level)
        .default('debug', 'debug'),
    )
    .addOption(
      option(
        '--gates <place>',
        'where open gates are kept: configmap:[NAMESPACE/]NAME, folder:PATH, memory',
        gatesPlace,
        { kind: 'configmap', name: 'sluice-loadtester-gates', namespace: undefined },
        'configmap:sluice-loadtester-gates',
      ),
    )
    .addOption(
      option(
        '--shutdown-grace <duration>',
        'time for who waits after SIGTERM',
        duration,
        60_000,
        '60s',
      ),
    )
    .addOption(new Option('--zap-encoding <encoding>', "Flagger's; without effect").hideHelp())
    .addOption(new Option('--zap-replace-globals [bool]', "Flagger's; without effect").hideHelp());
}

function option<T>(
  flags: string,
  help: string,
  parse: (text: string) => T,
  preset: T,
  shown: string,
): Option {
  return new Option(flags, help).argParser(parse).default(preset, shown);
}

/** Flags of Go programs have one dash or two. */
function withTwoDashes(word: string): string {
  return /^-[a-z][a-z-]/.test(word) ? `-${word}` : word;
}

function port(text: string): number {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (value <= 65_535) return value;
  throw new InvalidArgumentError('allowed: 0 to 65535');
}

/** Node sets no timer further than that. */
const maxTimerMs = 2 ** 31 - 1;

function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0 && ms <= maxTimerMs) return ms;
  throw new InvalidArgumentError('allowed: a duration above 0 such as 30s or 1h, up to 24 days');
}

function level(text: string): string {
  const known = Object.entries(levels).find(([name]) => name === text);
  if (known !== undefined) return known[1];
  throw new InvalidArgumentError(`allowed: ${Object.keys(levels).join(', ')}`);
}

/** RE2, as in Flagger: it takes linear time whatever the namespace. */
function namespaceRule(text: string): (namespace: string) => boolean {
  if (text === '') return () => true;
  try {
    const rule = RE2JS.compile(text);
    return (namespace) => rule.test(namespace);
  } catch (error) {
    throw new InvalidArgumentError(
      error instanceof Error ? error.message : 'no regular expression',
    );
  }
}

function gatesPlace(text: string): GatesPlace {
  if (text === 'memory') return { kind: 'memory' };
  const [, path] = /^folder:(.+)$/.exec(text) ?? [];
  if (path !== undefined) return { kind: 'folder', path };
  const [, namespace, name] =
    /^configmap:(?:([a-z0-9-]+)\/)?([a-z0-9][-a-z0-9.]*)$/.exec(text) ?? [];
  if (name !== undefined) return { kind: 'configmap', name, namespace };
  throw new InvalidArgumentError('allowed: configmap:[NAMESPACE/]NAME, folder:PATH, memory');
}
