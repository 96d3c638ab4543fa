import { constants } from 'node:os';

import { findSandbox } from './description.js';
import { watchLaunchers } from './launchers.js';
import { UsageError, parseOptions, usage } from './options.js';
import type { Options } from './options.js';
import { execIn, startSandbox } from './sandbox.js';
import type { Sandbox } from './sandbox.js';

const usageExitCode = 2;

process.exitCode = await main(process.argv.slice(2));

/** `npm run sandbox`: starts a sandbox, then runs a command in it or stays until Ctrl-C. Returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const interruption = interrupted();
  try {
    const options = parseOptions(args);
    if (options === undefined) {
      process.stdout.write(usage);
      return 0;
    }
    return await (options.join ? join(options) : serve(options, interruption));
  } catch (error) {
    if (interruption.exitCode !== undefined) return interruption.exitCode;
    console.error(`sandbox: ${error instanceof Error ? error.message : String(error)}`);
    return error instanceof UsageError ? usageExitCode : 1;
  }
}

async function join({ name, exec = '' }: Options): Promise<number> {
  const description = await findSandbox(name);
  if (description === undefined) throw new Error(`no sandbox named ${name} is up`);
  return execIn(description, exec);
}

async function serve(options: Options, interruption: Interruption): Promise<number> {
  const begun = Date.now();
  const sandbox = await startSandbox({ ...options, ...interruption, report });
  report(`all ready after ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  try {
    if (options.exec !== undefined) return await execute(sandbox, options.exec, interruption);
    introduce(sandbox);
    const reason = await sandbox.ended;
    if (interruption.exitCode !== undefined) return 0;
    throw new Error(reason ?? 'the sandbox was killed');
  } finally {
    await sandbox.stop();
  }
}

async function execute(
  sandbox: Sandbox,
  command: string,
  interruption: Interruption,
): Promise<number> {
  // Ctrl-C on a terminal reaches the command too, and it is the command that decides what it means.
  interruption.leaveCtrlC = true;
  const code = await Promise.race([sandbox.exec(command), sandbox.ended]);
  return interruption.exitCode ?? (typeof code === 'number' ? code : 1);
}

function introduce(sandbox: Sandbox): void {
  const { kubernetes, temporal, temporalUi, prometheus, gateway } = sandbox.urls;
  console.log(`
  Kubernetes    ${kubernetes}
  Temporal      ${temporal}
  Temporal UI   ${temporalUi}
  Prometheus    ${prometheus}
  gateway       ${gateway}

  export KUBECONFIG=${sandbox.kubeconfig}

  npm run sandbox -- --join --exec bash    opens a shell inside (name: ${sandbox.name})
  Ctrl-C ends it and leaves nothing behind.
`);
}

function report(line: string): void {
  console.error(line);
}

type Interruption = {
  readonly signal: AbortSignal;
  /** Set when the process was asked to end: 128 + the signal's number. */
  exitCode?: number;
  leaveCtrlC: boolean;
};

function interrupted(): Interruption {
  const abort = new AbortController();
  const interruption: Interruption = { signal: abort.signal, leaveCtrlC: false };
  const end = (name: 'SIGINT' | 'SIGTERM' | 'SIGHUP'): void => {
    interruption.exitCode ??= 128 + constants.signals[name];
    abort.abort();
  };
  process.on('SIGINT', () => {
    if (!interruption.leaveCtrlC) end('SIGINT');
  });
  process.on('SIGTERM', () => end('SIGTERM'));
  process.on('SIGHUP', () => end('SIGHUP'));
  watchLaunchers(() => end('SIGHUP'));
  return interruption;
}
