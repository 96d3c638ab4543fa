import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

import type { Tool } from './table.js';

const unfinished = '.unfinished-';
/** The folder Go builds in; it removes it unless it is killed. */
const goBuild = /^go-build\d/;

/** The folder of this user's tools: `$SLUICE_CACHE`, `$XDG_CACHE_HOME/sluice` or `~/.cache/sluice`. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const { SLUICE_CACHE: own, XDG_CACHE_HOME: caches } = environment;
  if (own !== undefined && own !== '') return own;
  return join(caches !== undefined && caches !== '' ? caches : join(homedir(), '.cache'), 'sluice');
}

/** The folder a tool is kept in: it changes with the tool's version and with anything in its recipe. */
export function toolFolder(cache: string, name: string, tool: Tool): string {
  const hash = createHash('sha256').update(JSON.stringify(tool.recipe));
  if (tool.recipe.kind === 'go-module') {
    const folder = moduleFolder(tool.recipe.folder);
    for (const file of readdirSync(folder).sort()) hash.update(readFileSync(join(folder, file)));
  }
  return join(cache, `${name}-${tool.version}-${hash.digest('hex').slice(0, 8)}`);
}

/** The folder of one of this repository's Go modules. */
export function moduleFolder(name: string): string {
  return join(import.meta.dirname, name);
}

/** True when a tool's folder is in the cache; it is there only when complete. */
export function isCached(folder: string): boolean {
  return existsSync(folder);
}

/** Makes the cache folder; throws a sentence that says what to do when that is not possible. */
export async function openCache(cache: string): Promise<void> {
  try {
    await mkdir(cache, { recursive: true });
    await rm(await mkdtemp(join(cache, unfinished)), { recursive: true });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(
      `cannot write to the tool cache ${cache} (${String(code)}): make HOME writable or set SLUICE_CACHE to a writable folder`,
      { cause },
    );
  }
}

/** Fills a folder of the cache by `fill`, all or nothing: the folder appears when it is complete. */
export async function addToCache(
  cache: string,
  folder: string,
  fill: (folder: string) => Promise<void>,
): Promise<void> {
  const work = await mkdtemp(join(cache, unfinished));
  try {
    await fill(work);
    await rename(work, folder).catch((error: unknown) => {
      // Another process was quicker; what it made is the same.
      if (!isCached(folder)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Removes what killed builds left. Only for whoever holds the claim on the cache. */
export async function sweep(cache: string): Promise<void> {
  for (const entry of await readdir(cache)) {
    if (!entry.startsWith(unfinished) && !goBuild.test(entry)) continue;
    await rm(join(cache, entry), { recursive: true, force: true });
  }
}
