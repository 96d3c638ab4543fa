import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';

import { teamsFormats } from '../activities/notifiers/notifier.js';
import { formatDuration, parseDuration } from '../domain/duration.js';
import { isProvider, providers } from '../domain/providers.js';

/** Every setting of the worker, by name. Durations are milliseconds. */
export type Config = { readonly [K in keyof typeof settings]: (typeof settings)[K]['default'] };

/** A flag or variable the worker does not understand; the message names it and what is allowed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** How one kind of value is written, read and described. */
interface Form<T> {
  /** Undefined when the text is not allowed. */
  readonly parse: (text: string) => T | undefined;
  readonly print: (value: T) => string;
  /** What is allowed, for errors. */
  readonly allowed: string;
}

interface Setting<T> extends Form<T> {
  readonly default: T;
  readonly help: string;
  /** A variable of Flagger's that is read when ours is not set. */
  readonly alias?: string;
  /** Whether the value may be known to nobody, and so is left out of errors. */
  readonly isSecret?: boolean;
}

const text: Form<string> = {
  parse: (value) => value,
  print: (value) => value,
  allowed: 'any text',
};

const name: Form<string> = {
  ...text,
  parse: (value) => (/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(value) ? value : undefined),
  allowed: 'lower-case letters, digits, "-" and "."',
};

const namespaceName: Form<string> = {
  ...name,
  parse: (value) => (value === '' ? '' : name.parse(value)),
  allowed: `the name of a namespace, or nothing for all`,
};

const list: Form<readonly string[]> = {
  parse: (value) =>
    value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  print: (items) => items.join(','),
  allowed: 'a list with commas',
};

const httpUrl: Form<string> = {
  ...text,
  parse: (value) => (/^https?:\/\/[^\s/]/.test(value) ? value.replace(/\/+$/, '') : undefined),
  allowed: 'a URL such as http://prometheus:9090',
};

/** Taken as it is written: the path belongs to somebody else. */
const hookUrl: Form<string> = {
  ...httpUrl,
  parse: (value) => (value === '' || /^https?:\/\/[^\s/]/.test(value) ? value : undefined),
};

/** An address that links are made of; nothing for none. */
const baseUrl: Form<string> = {
  ...httpUrl,
  parse: (value) => (value === '' ? '' : httpUrl.parse(value)),
};

const duration: Form<number> = {
  parse: (value) => {
    const ms = parseDuration(value);
    return ms !== undefined && ms >= 0 ? ms : undefined;
  },
  print: formatDuration,
  allowed: 'a duration such as 10s, 500ms or 1m30s',
};

const toggle: Form<boolean> = {
  parse: (value) => (value === 'true' || value === 'false' ? value === 'true' : undefined),
  print: String,
  allowed: 'true or false',
};

function choice(options: readonly string[]): Form<string> {
  return {
    ...text,
    parse: (value) => (options.includes(value) ? value : undefined),
    allowed: options.join(', '),
  };
}

function wholeNumber(least: number, most: number): Form<number> {
  return {
    parse: (value) => {
      const number = /^\d+$/.test(value) ? Number(value) : NaN;
      return number >= least && number <= most ? number : undefined;
    },
    print: String,
    allowed: `a whole number from ${least} to ${most}`,
  };
}

/**
 * The one table of settings. The key `metricsServer` makes the flag `--metrics-server` and the
 * variable `SLUICE_METRICS_SERVER`; where Flagger has the setting, the flag has Flagger's name.
 */
const settings = {
  cluster: setting(name, 'default', 'name of this cluster in workflow ids and task queues'),
  namespace: setting(namespaceName, '', 'watch the canaries of this namespace only'),
  meshProvider: setting(
    { ...choice(providers), parse: (value) => (isProvider(value) ? value : undefined) },
    'contour',
    'traffic provider of canaries that name none',
  ),
  metricsServer: setting(
    httpUrl,
    'http://prometheus:9090',
    'Prometheus of the built-in metrics, unless a canary names another',
  ),
  eventWebhook: secretSetting(
    hookUrl,
    'told of every event of canaries that name no event webhook',
    { alias: 'EVENT_WEBHOOK_URL' },
  ),
  slackUrl: secretSetting(hookUrl, 'Slack webhook of all alerts, unless a canary names its own', {
    alias: 'SLACK_URL',
  }),
  slackUser: setting(text, 'flagger', 'name alerts are posted under in Slack'),
  slackChannel: setting(text, '', 'channel of Slack; general if empty'),
  slackToken: secretSetting(text, "token of a bot, for the address of Slack's API", {
    alias: 'SLACK_TOKEN',
  }),
  slackProxyUrl: secretSetting(text, 'proxy on the way to Slack', { alias: 'SLACK_PROXY_URL' }),
  msteamsUrl: secretSetting(
    hookUrl,
    'Microsoft Teams webhook of all alerts, unless a canary names its own; before Slack',
    { alias: 'MSTEAMS_URL' },
  ),
  msteamsProxyUrl: secretSetting(text, 'proxy on the way to Microsoft Teams', {
    alias: 'MSTEAMS_PROXY_URL',
  }),
  msteamsFormat: setting(
    choice(['auto', ...teamsFormats]),
    'auto',
    'card sent to Microsoft Teams; auto goes by the address',
  ),
  clusterName: setting(text, '', 'name of this cluster in alerts; that of --cluster if empty'),
  pageUrl: setting(baseUrl, '', "address of Sluice's page, for links in alerts"),
  temporalUiUrl: setting(baseUrl, '', "address of Temporal's UI, for links in alerts"),
  noCrossNamespaceRefs: setting(
    toggle,
    false,
    'refuses canaries that refer to objects in other namespaces',
  ),
  selectorLabels: setting(
    list,
    ['app', 'name', 'app.kubernetes.io/name'],
    "labels a target's selector may be keyed by, in order of preference",
  ),
  includeLabelPrefix: setting(
    list,
    [],
    'prefixes of label and annotation keys copied to the primary; * copies all',
  ),
  enableConfigTracking: setting(
    toggle,
    true,
    'releases and copies the ConfigMaps and Secrets that targets refer to',
  ),
  ingressClass: setting(text, '', 'ingress class written to HTTPProxies'),
  ingressAnnotationsPrefix: setting(
    name,
    'nginx.ingress.kubernetes.io',
    'what the annotations of Ingress NGINX begin with',
  ),
  minInterval: setting(duration, 10_000, 'shortest interval between analysis checks'),
  settle: setting(duration, 500, 'time between taking traffic away from pods and stopping them'),
  port: setting(wholeNumber(0, 65_535), 8080, 'port of /metrics, /healthz and /readyz'),
  logLevel: setting(choice(['debug', 'info', 'warn', 'error']), 'info', 'least severe log lines'),
  maxActivities: setting(
    wholeNumber(1, 100_000),
    1_000,
    'activities run at once; waiting for pods takes one per release',
  ),
  maxCachedWorkflows: setting(
    wholeNumber(1, 100_000),
    1_000,
    'releases kept in memory between their tasks, about 0.35 MB each',
  ),
  shutdownGrace: setting(duration, 5_000, 'time activities have to end after SIGTERM'),
  workflowBundle: setting(text, '', 'file with pre-built workflow code; bundled at start if empty'),
  temporalMetricsPort: setting(
    wholeNumber(0, 65_535),
    0,
    "port of the Temporal SDK's own metrics; 0 leaves them out",
  ),
};

/**
 * Reads flags (`--flag=value`, `--flag value`, also with one dash) and environment; a flag wins over
 * its variable. Throws {@link ConfigError} for anything unknown or not allowed.
 */
export function parseConfig(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Config {
  const flags = flagsOf(argv);
  return Object.fromEntries(
    Object.entries(settings as Record<string, Setting<unknown>>).map(([key, entry]) => {
      const flag = flagOf(key);
      const given = flags.get(flag);
      if (given !== undefined) return [key, read(`--${flag}`, given, entry)];
      const variables = [variableOf(key), ...(entry.alias === undefined ? [] : [entry.alias])];
      const variable = variables.find((name) => env[name] !== undefined) ?? '';
      const set = env[variable];
      return [key, set === undefined ? entry.default : read(variable, set, entry)];
    }),
  ) as unknown as Config;
}

/** The text of `--help`. */
export function helpText(): string {
  const rows = Object.entries(settings as Record<string, Setting<unknown>>).map(([key, entry]) => {
    const preset = entry.print(entry.default);
    const also = entry.alias === undefined ? '' : ` (also ${entry.alias})`;
    const note = preset === '' ? also : ` (default ${preset})${also}`;
    return `  --${flagOf(key).padEnd(24)} ${variableOf(key).padEnd(30)} ${entry.help}${note}`;
  });
  return [
    'The Sluice worker: releases the canaries of one Kubernetes cluster, as Temporal workflows.',
    '',
    `  ${'flag'.padEnd(26)} ${'environment'.padEnd(30)} meaning`,
    ...rows,
    '',
    'Kubernetes: KUBECONFIG, ~/.kube/config, or the ServiceAccount of the pod.',
    'Temporal: the standard variables (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY,',
    'TEMPORAL_TLS_..., TEMPORAL_PROFILE) and configuration file.',
    '',
  ].join('\n');
}

/** How to reach Temporal, and the Temporal namespace to work in. */
export type TemporalConfig = ClientConnectConfig & { readonly namespace: string };

/** Where Temporal is, from its standard environment variables and configuration file. */
export function loadTemporalConfig(
  env: Readonly<Record<string, string | undefined>>,
): TemporalConfig {
  const set = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig({
    overrideEnvVars: Object.fromEntries(set),
  });
  return { connectionOptions, namespace };
}

function secretSetting(
  form: Form<string>,
  help: string,
  { alias }: { readonly alias: string },
): Setting<string> {
  return { ...setting(form, '', help, alias), isSecret: true };
}

function setting<T>(form: Form<T>, preset: T, help: string, alias?: string): Setting<T> {
  return { ...form, default: preset, help, ...(alias === undefined ? {} : { alias }) };
}

function flagsOf(argv: readonly string[]): Map<string, string> {
  const flags = new Map<string, string>();
  const known = Object.keys(settings).map(flagOf);
  const words = argv[Symbol.iterator]();
  for (const word of words) {
    const match = /^--?([a-z][a-z-]*)(?:=(.*))?$/s.exec(word);
    const flag = match?.[1] ?? word;
    if (match === null || !known.includes(flag)) {
      throw new ConfigError(
        `${word} is not a flag (flags: ${known.map((f) => `--${f}`).join(', ')})`,
      );
    }
    const value = match[2] ?? words.next().value;
    if (value === undefined) throw new ConfigError(`--${flag} needs a value`);
    flags.set(flag, value);
  }
  return flags;
}

function read<T>(source: string, value: string, { parse, allowed, isSecret }: Setting<T>): T {
  const parsed = parse(value);
  if (parsed === undefined) {
    const shown = isSecret === true ? 'its value' : `"${value}"`;
    throw new ConfigError(`${source}: ${shown} is not allowed (allowed: ${allowed})`);
  }
  return parsed;
}

function flagOf(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function variableOf(key: string): string {
  return `SLUICE_${flagOf(key).replaceAll('-', '_').toUpperCase()}`;
}
