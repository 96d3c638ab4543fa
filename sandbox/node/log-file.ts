import { copyFile, open, readdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';

import type { Identity } from './identity.js';

/** A log is cut when it is longer than this, bytes; the cut-off part stays beside it as `.1`. */
const longestLog = 10 * 1024 * 1024;

/** Where the logs of a pod are. */
export function podLogs(logsDir: string, { namespace, name, uid }: Identity): string {
  return join(logsDir, `${namespace}_${name}_${uid}`);
}

/** Where the log of one run of a container is written. */
export function logFile(podLogsDir: string, container: string, restartCount: number): string {
  return join(podLogsDir, container, `${restartCount}.log`);
}

/** Cuts the logs that have grown too long. Programs append, so they go on at the new beginning. */
export async function cutLongLogs(logsDir: string): Promise<void> {
  const names = await readdir(logsDir, { recursive: true }).catch((): string[] => []);
  for (const name of names.filter((candidate) => candidate.endsWith('.log'))) {
    const file = join(logsDir, name);
    const { size } = await stat(file).catch(() => ({ size: 0 }));
    if (size > longestLog) {
      await copyFile(file, `${file}.1`);
      await truncate(file, 0);
    }
  }
}

/** The last lines of a file, at most `maxBytes` of them; empty when there is no such file. */
export async function lastLines(file: string, lines: number, maxBytes: number): Promise<string> {
  const handle = await open(file).catch(() => undefined);
  if (handle === undefined) return '';
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, maxBytes);
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    const all = buffer.toString().split('\n');
    const hasEnd = all.at(-1) === '';
    return all.slice(-(lines + (hasEnd ? 1 : 0))).join('\n');
  } finally {
    await handle.close();
  }
}
