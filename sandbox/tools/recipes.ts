import { accessSync, constants } from 'node:fs';
import { chmod, cp, readdir, rename, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';

import { moduleFolder } from './cache.js';
import { run } from './command.js';
import type { Recipe } from './table.js';

/** What a recipe is carried out with. */
export type Kitchen = {
  readonly cache: string;
  /** The Go compiler, found or fetched when first asked for. */
  readonly go: () => Promise<string>;
  readonly signal?: AbortSignal;
};

/** Carries a recipe out: fills `folder` with the tool. */
export async function make(
  { recipe, version }: { readonly recipe: Recipe; readonly version: string },
  folder: string,
  kitchen: Kitchen,
): Promise<void> {
  switch (recipe.kind) {
    case 'go-module': {
      const { package: source, ldflags, tags } = recipe;
      const flags = [
        '-trimpath',
        '-ldflags',
        ldflags,
        ...(tags === undefined ? [] : ['-tags', tags]),
      ];
      const output = join(folder, recipe.folder);
      await go(['build', ...flags, '-o', output, source], kitchen, moduleFolder(recipe.folder));
      return;
    }
    case 'go-install':
      await go(
        ['install', '-trimpath', '-ldflags', '-s -w', `${recipe.package}@v${version}`],
        kitchen,
        folder,
        { GOBIN: folder },
      );
      return;
    case 'module-files':
      await copyModuleFiles(`${recipe.module}@v${version}`, recipe.files, folder, kitchen);
      return;
    case 'wheel':
      await installWheel(recipe, version, folder, kitchen);
  }
}

async function go(
  args: readonly string[],
  kitchen: Kitchen,
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  const flags = { GOFLAGS: '-buildvcs=false', GOWORK: 'off', GOTMPDIR: kitchen.cache };
  const own = { ...flags, ...goFolders(kitchen.cache), ...env };
  return run([await kitchen.go(), ...args], { ...kitchen, cwd, env: own });
}

/** Go keeps its caches below HOME; a user without one has them in the tool cache. */
function goFolders(cache: string): NodeJS.ProcessEnv {
  try {
    accessSync(homedir(), constants.W_OK);
    return {};
  } catch {
    return { GOPATH: join(cache, 'go'), GOCACHE: join(cache, 'go-build') };
  }
}

async function copyModuleFiles(
  module: string,
  files: string,
  folder: string,
  kitchen: Kitchen,
): Promise<void> {
  const answer = await go(['mod', 'download', '-json', module], kitchen, folder);
  const source = join((JSON.parse(answer) as { Dir: string }).Dir, files);
  const isFolder = (await stat(source)).isDirectory();
  await cp(source, isFolder ? folder : join(folder, basename(source)), { recursive: true });
  // The module cache is read-only, and so would be the copy.
  for (const name of await readdir(folder)) await chmod(join(folder, name), 0o644);
}

async function installWheel(
  { package: name, requires, sources = [], env = {} }: Recipe & { readonly kind: 'wheel' },
  version: string,
  folder: string,
  kitchen: Kitchen,
): Promise<void> {
  const requirement = `${name}==${version}`;
  const target = join(folder, 'wheel');
  const pip = ['python3', '-m', 'pip', '--disable-pip-version-check', 'install', '--no-compile'];
  const alone = requires === undefined ? ['--no-deps'] : [];
  const built = sources.map((source) => `--no-binary=${source}`);
  const from = ['--only-binary=:all:', ...built, '--target', target];
  try {
    const argv = [...pip, ...alone, ...from, requirement, ...(requires ?? [])];
    await run(argv, { ...kitchen, cwd: folder, env });
  } catch (cause) {
    kitchen.signal?.throwIfAborted();
    const reason = String(cause).split('\n').at(-1);
    throw new Error(`cannot fetch ${requirement} by python3 -m pip: ${reason ?? ''}`, { cause });
  }
  for (const entry of await readdir(target)) {
    await rename(join(target, entry), join(folder, entry));
  }
}
