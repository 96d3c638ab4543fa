import { join } from 'node:path';

import { addToCache, isCached, toolFolder } from './cache.js';
import { run } from './command.js';
import { make } from './recipes.js';
import { goCompiler } from './table.js';

/** The Go compiler to use: the one on PATH if it is new enough, else one fetched into the cache. */
export async function findGo(cache: string, signal?: AbortSignal): Promise<string> {
  if (await isNewEnough('go', cache)) return 'go';
  const folder = toolFolder(cache, 'go', goCompiler);
  if (!isCached(folder)) {
    try {
      await addToCache(cache, folder, (work) =>
        make(goCompiler, work, { cache, go: noCompiler, ...(signal && { signal }) }),
      );
    } catch (cause) {
      signal?.throwIfAborted();
      const oldest = goCompiler.minimum.join('.');
      throw new Error(
        `Go ${oldest} or newer is needed on PATH, and it could not be fetched: ${cause instanceof Error ? cause.message : String(cause)}`,
        { cause },
      );
    }
  }
  return join(folder, goCompiler.path);
}

/** True when `version`, as `go version` prints it, is at least the oldest that will do. */
export function isAtLeast(version: string, minimum: readonly number[]): boolean {
  const numbers = /\bgo(\d+)\.(\d+)(?:\.(\d+))?/
    .exec(version)
    ?.slice(1)
    .map((n) => Number(n || 0));
  if (numbers === undefined) return false;
  const differs = minimum.findIndex((least, place) => numbers[place] !== least);
  return differs < 0 || (numbers[differs] ?? 0) > (minimum[differs] ?? 0);
}

async function isNewEnough(go: string, cwd: string): Promise<boolean> {
  try {
    return isAtLeast(await run([go, 'version'], { cwd }), goCompiler.minimum);
  } catch {
    // No such program.
    return false;
  }
}

function noCompiler(): Promise<string> {
  return Promise.reject(new Error('the compiler is not built from source'));
}
