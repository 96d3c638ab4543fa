import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { readdir, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { addToCache, cacheFolder, isCached, openCache } from './cache.js';
import { run } from './command.js';

/** Programs that are built once, each into one file that loads at once, and the folder they lie in. */
export type Programs = {
  readonly supervisor: string;
  readonly nodeAgent: string;
  /** Also holds what images name as `{programs}/...`: worker, workflow bundle, load tester. */
  readonly folder: string;
};

type Entry = { readonly source: string; readonly external?: readonly string[] };

const entries = {
  supervisor: { source: 'sandbox/inside.ts' },
  nodeAgent: { source: 'sandbox/node/main.ts' },
  // Temporal's packages load a native library, and scripts by their path.
  worker: { source: 'worker/main.ts', external: ['@temporalio/*'] },
  loadtester: { source: 'loadtester/main.ts' },
} as const satisfies Record<string, Entry>;

const workflowBundle = 'workflow-bundle.js';
const sourceFolders = [
  'sandbox',
  'worker',
  'activities',
  'workflows',
  'domain',
  'loadtester',
] as const;
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
    await addToCache(cache, folder, (work) => build(repository, work));
    await removeOld(cache);
  }
  const program = (name: keyof typeof entries): string => join(folder, `${name}.mjs`);
  return { supervisor: program('supervisor'), nodeAgent: program('nodeAgent'), folder };
}

async function build(repository: string, folder: string): Promise<void> {
  // What stays outside the bundles is found from their folder.
  await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'));
  await Promise.all([
    ...Object.entries(entries).map(([name, entry]) =>
      bundle(repository, entry, join(folder, `${name}.mjs`)),
    ),
    run([process.execPath, '--import', 'tsx', 'worker/bundle.ts', join(folder, workflowBundle)], {
      cwd: repository,
    }),
  ]);
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
async function bundle(
  repository: string,
  { source, external = [] }: Entry,
  output: string,
): Promise<void> {
  const entry = join(repository, source);
  const esbuild = await import('esbuild');
  await esbuild.build({
    entryPoints: [entry],
    outfile: output,
    bundle: true,
    external: [...external],
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
  const sources = sourceFolders
    .flatMap((folder) =>
      readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' }).map((file) =>
        join(repository, folder, file),
      ),
    )
    .filter((file) => file.endsWith('.ts'))
    .sort();
  const hash = createHash('sha256').update(repository);
  for (const file of [...sources, join(repository, 'package-lock.json')]) {
    hash.update(file).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 16);
}
