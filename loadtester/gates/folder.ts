import { access, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { Gates } from './gates.js';

/**
 * Gates in a folder, which processes on one machine may share: an open one is an empty file. Making
 * and removing a file is atomic, so nothing is ever read half written.
 */
export async function gatesInFolder(folder: string): Promise<Gates> {
  await mkdir(folder, { recursive: true });

  return {
    async isOpen(key) {
      try {
        await access(join(folder, key));
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
        throw error;
      }
    },
    async open(key) {
      const file = await open(join(folder, key), 'a');
      await file.close();
      await sync(folder);
    },
    async close(key) {
      await rm(join(folder, key), { force: true });
      await sync(folder);
    },
  };
}

/** The machine may lose power right after the answer. */
async function sync(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}
