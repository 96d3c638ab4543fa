import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { addToCache, cacheFolder, isCached, openCache } from './cache.js';

/** The sandbox's own programs, each in one file that loads at once. */
export type Programs = { readonly supervisor: string; readonly nodeAgent: string };

const entries: Readonly<Record<keyof Programs, string>> = {
  supervisor: 'sandbox/inside.ts',
  nodeAgent: 'sandbox/node/main.ts',
};

const prefix = 'programs-';
const kept = 20;

// Libraries in the older module format, once inside a newer module, still look for this function.
const banner =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/**
 * Bundles the programs into the tool cache, once per version of their sources. Compiling them and
 * loading their libraries file by file takes seconds of every start.
 */
export async function providePrograms(repository: string): Promise<Programs> {
  const cache = cacheFolder();
  const folder = join(cache, `${prefix}${hashOfSources(repository)}`);
  if (!isCached(folder)) {
    await openCache(cache);
    await addToCache(cache, folder, async (work) => {
      for (const [name, entry] of Object.entries(entries)) {
        await bundle(join(repository, entry), join(work, `${name}.mjs`));
      }
    });
    await removeOld(cache);
  }
  const program = (name: keyof Programs): string => join(folder, `${name}.mjs`);
  return { supervisor: program('supervisor'), nodeAgent: program('nodeAgent') };
}

/** Keeps the bundles of the last few versions: older ones belong to no running sandbox. */
async function removeOld(cache: string): Promise<void> {
  const folders = (await readdir(cache)).filter((name) => name.startsWith(prefix));
  const dated = await Promise.all(
    folders.map(async (name) => ({ name, changed: (await stat(join(cache, name))).mtimeMs })),
  );
  dated.sort((one, other) => other.changed - one.changed);
  for (const { name } of dated.slice(kept))
    await rm(join(cache, name), { recursive: true, force: true });
}

/** Bundles one program; `import.meta.url` stays that of its source. */
async function bundle(entry: string, output: string): Promise<void> {
  const { build } = await import('esbuild');
  await build({
    entryPoints: [entry],
    outfile: output,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
    banner: { js: banner.replace('import.meta.url', JSON.stringify(pathToFileURL(entry).href)) },
    define: {
      'import.meta.url': JSON.stringify(pathToFileURL(entry).href),
      'import.meta.dirname': JSON.stringify(dirname(entry)),
    },
  });
}

function hashOfSources(repository: string): string {
  const sources = readdirSync(join(repository, 'sandbox'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .map((file) => join(repository, 'sandbox', file));
  const hash = createHash('sha256').update(repository);
  for (const file of [...sources, join(repository, 'package-lock.json')]) {
    hash.update(file).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 16);
}
