import { setTimeout as sleep } from 'node:timers/promises';

import type { Logger } from '@temporalio/common';
import { NativeConnection, type NativeConnectionOptions } from '@temporalio/worker';

import { messageOf } from './log.js';

const delayMs = 2_000;

/**
 * Connects to Temporal, however long it takes to come up; says what it waits for. Undefined when the
 * signal ended the waiting.
 */
export async function connectTemporal(
  options: NativeConnectionOptions,
  log: Logger,
  signal: AbortSignal,
): Promise<NativeConnection | undefined> {
  const { address = 'localhost:7233' } = options;
  while (!signal.aborted) {
    try {
      const connection = await NativeConnection.connect(options);
      log.info('connected to Temporal', { address });
      return connection;
    } catch (error) {
      log.warn('waiting for Temporal', { address, error: messageOf(error), retryInMs: delayMs });
      await sleep(delayMs, undefined, { signal }).catch(() => undefined);
    }
  }
  return undefined;
}
