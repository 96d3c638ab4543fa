import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';
import { hostname, userInfo } from 'node:os';

import { UsageError } from './usage.js';

/** What the flags say that the environment may say too; a flag wins. */
export interface ConfigFlags {
  readonly cluster?: string;
  readonly actor?: string;
  /** A profile of Temporal's configuration file. */
  readonly profile?: string;
}

/** Whose releases the command is about, where Temporal is, and who runs it. */
export interface Config {
  readonly cluster: string;
  readonly actor: string;
  readonly temporal: ClientConnectConfig;
}

/**
 * Reads SLUICE_CLUSTER, SLUICE_ACTOR and Temporal's standard variables and configuration file.
 * Throws a `UsageError` when the file or the profile cannot be used.
 */
export function readConfig(flags: ConfigFlags, env: NodeJS.ProcessEnv = process.env): Config {
  const { cluster, actor, profile } = flags;
  const set = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return {
    cluster: cluster ?? given(env['SLUICE_CLUSTER']) ?? 'default',
    actor: actor ?? given(env['SLUICE_ACTOR']) ?? `${userName(env)}@${hostname()}`,
    temporal: temporalConfig(Object.fromEntries(set), profile),
  };
}

function temporalConfig(
  overrideEnvVars: Record<string, string>,
  profile: string | undefined,
): ClientConnectConfig {
  try {
    return loadClientConnectConfig({
      overrideEnvVars,
      ...(profile === undefined ? {} : { profile }),
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`Temporal's configuration cannot be used: ${reason}`);
  }
}

/** A user id without an entry in the password file, as in many containers, has no name. */
function userName(env: NodeJS.ProcessEnv): string {
  try {
    return userInfo().username;
  } catch {
    return given(env['USER']) ?? 'unknown';
  }
}

function given(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
