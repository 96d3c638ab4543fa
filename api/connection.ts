import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';

import { releaseId, type CanaryRef } from '../domain/release.js';
import type { ReleaseInput, ReleaseResult } from '../workflows/messages.js';
import { explain, isPassing } from './errors.js';

/** A canary of the cluster a client is for. */
export type CanaryName = Omit<CanaryRef, 'cluster'>;

/** The type of the release workflow. */
export type ReleaseWorkflow = (input: ReleaseInput) => Promise<ReleaseResult>;

/** A Temporal client and the cluster whose releases it is used for. */
export interface ClusterClient {
  readonly client: Client;
  readonly cluster: string;
}

const connectTimeoutMs = 4_000;
const defaultAddress = 'localhost:7233';

/**
 * Connects to Temporal. Without a configuration the standard one is read: the `TEMPORAL_...`
 * variables and the configuration file. Throws a `SluiceError` that names the address.
 */
export async function connect(
  { connectionOptions, namespace }: ClientConnectConfig = loadClientConnectConfig(),
): Promise<Client> {
  const { address = defaultAddress, tls, apiKey, metadata } = connectionOptions;
  try {
    const connection = await Connection.connect({
      address,
      connectTimeout: connectTimeoutMs,
      // Calls are repeated here, where it is known when to stop; the client's own repetitions go on
      // after a call was given up, and fail the process when the connection is closed by then.
      interceptors: [],
      ...(tls === undefined ? {} : { tls }),
      ...(apiKey === undefined ? {} : { apiKey }),
      ...(metadata === undefined ? {} : { metadata }),
    });
    return new Client({ connection, namespace: namespace ?? 'default' });
  } catch (error) {
    throw explain(error, address);
  }
}

/** Where a client's Temporal is. */
export function addressOf({ connection }: Client): string {
  return connection instanceof Connection ? connection.options.address : defaultAddress;
}

/** How long a call may take before Temporal counts as out of reach, milliseconds. */
const callTimeoutMs = 10_000;
const repeatMs = 300;

/** Makes one call, again while Temporal is busy or restarting, until time is up; errors are sentences. */
export async function soon<T>(
  client: Client,
  call: () => Promise<T>,
  timeoutMs = callTimeoutMs,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await client.connection.withDeadline(deadline, call);
    } catch (error) {
      if (!isPassing(error) || Date.now() + repeatMs > deadline) {
        throw explain(error, addressOf(client));
      }
      await pause(repeatMs);
    }
  }
}

/** Makes a call as often as it takes while Temporal is restarting or out of reach. */
export async function persistently<T>(
  client: Client,
  signal: AbortSignal,
  call: () => Promise<T>,
): Promise<T> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await client.connection.withAbortSignal(signal, call);
    } catch (error) {
      signal.throwIfAborted();
      if (!isPassing(error)) throw explain(error, addressOf(client));
      await pause(repeatMs, signal);
    }
  }
}

/** Waits; ends early, by throwing the signal's reason, when it is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** The workflow id of a canary's releases in the client's cluster. */
export function idOf({ cluster }: ClusterClient, canary: CanaryName): string {
  return releaseId({ cluster, ...canary });
}
