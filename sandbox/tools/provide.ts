import { createHash } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

import { claimWhenFree } from '../claim.js';
import { addToCache, cacheFolder, isCached, openCache, sweep, toolFolder } from './cache.js';
import { run } from './command.js';
import { findGo } from './go-compiler.js';
import { reportProgress } from './progress.js';
import { make } from './recipes.js';
import type { Kitchen } from './recipes.js';
import { tools } from './table.js';
import type { Tool, ToolName } from './table.js';

/** Where each tool's program, or folder of files, is. */
export type ToolPaths = Partial<Readonly<Record<ToolName, string>>>;

type Wanted = { readonly name: ToolName; readonly tool: Tool; readonly folder: string };

/** How tools are provided: `report` gets a line now and then while it takes long. */
export type ProvideOptions = {
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal;
};

/** Finds the tools in the cache or on PATH, and fetches or builds the missing ones, once per user. */
export async function provideTools(
  names: readonly ToolName[],
  options: ProvideOptions,
): Promise<ToolPaths> {
  const cache = cacheFolder();
  const wanted = names.map((name) => ({ name, tool: tools[name], folder: folderOf(cache, name) }));
  const paths: Partial<Record<ToolName, string>> = {};
  const missing: Wanted[] = [];
  for (const { name, tool, folder } of wanted) {
    const path = isCached(folder) ? join(folder, tool.path) : await findOnPath(name, tool);
    if (path === undefined) missing.push({ name, tool, folder });
    else paths[name] = path;
  }
  if (missing.length > 0) await addMissing(cache, missing, options);
  for (const { name, tool, folder } of missing) paths[name] = join(folder, tool.path);
  return paths;
}

function folderOf(cache: string, name: ToolName): string {
  return toolFolder(cache, name, tools[name]);
}

async function findOnPath(name: string, { onPath }: Tool): Promise<string | undefined> {
  if (onPath === undefined) return undefined;
  const file = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isExecutable);
  if (file === undefined) return undefined;
  try {
    return onPath.test(await run([file, '--version'], { cwd: '/' })) ? file : undefined;
  } catch {
    // A program of that name that does not know --version is another program.
    return undefined;
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function addMissing(
  cache: string,
  missing: readonly Wanted[],
  { report, signal }: ProvideOptions,
): Promise<void> {
  await openCache(cache);
  const held = await claimWhenFree(claimName(cache), () => {
    report(`another start is filling ${cache}: waiting for it`);
  });
  const abort = new AbortController();
  const either = AbortSignal.any([abort.signal, ...(signal ? [signal] : [])]);
  const left = missing.filter(({ folder }) => !isCached(folder));
  if (left.length > 0) report(`fetching and building ${left.length} tools into ${cache}, once`);
  const progress = reportProgress(left.length, report);
  const kitchen: Kitchen = { cache, go: once(() => findGo(cache, either)), signal: either };
  const add = ({ name, tool, folder }: Wanted): Promise<void> =>
    progress.during(`${name} ${tool.version}`, () =>
      addToCache(cache, folder, (work) => make(tool, work, kitchen)),
    );
  try {
    await sweep(cache);
    // One Go build uses all processors; what is only fetched goes on beside them.
    await Promise.all([
      inTurn(left.filter(isBuilt), add),
      inTurn(
        left.filter((one) => !isBuilt(one)),
        add,
      ),
    ]);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    abort.abort();
    progress.stop();
    held.release();
  }
}

/** Names of claims are short; paths are not. */
function claimName(cache: string): string {
  return `tools-${createHash('sha256').update(cache).digest('hex').slice(0, 16)}`;
}

function isBuilt({ tool }: Wanted): boolean {
  return tool.recipe.kind === 'go-module' || tool.recipe.kind === 'go-install';
}

async function inTurn<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  for (const item of items) await act(item);
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
