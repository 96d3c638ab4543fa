import { mkdir, readdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { VolumeFile } from './volume-files.js';

/**
 * Puts files into a directory so that readers see either all old or all new ones, laid out as a kubelet
 * does: a fresh directory per version, `..data` pointing to the current one by an atomic rename, and one
 * link per top-level name through `..data`.
 */
export async function writeAtomically(
  directory: string,
  files: readonly VolumeFile[],
  version: number,
): Promise<void> {
  const versionName = `..v${version}`;
  await mkdir(join(directory, versionName), { recursive: true });
  for (const { path, content, mode } of files) {
    const file = join(directory, versionName, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content, { mode });
  }
  const before = await readlink(join(directory, '..data')).catch(() => undefined);
  await symlink(versionName, join(directory, '..data_tmp'));
  await rename(join(directory, '..data_tmp'), join(directory, '..data'));
  await linkNames(directory, new Set(files.map(({ path }) => path.split('/')[0] ?? path)));
  if (before !== undefined) await rm(join(directory, before), { recursive: true, force: true });
}

async function linkNames(directory: string, wanted: ReadonlySet<string>): Promise<void> {
  // Only links are ours: a directory here is the mount point of a volume nested in this one.
  const entries = await readdir(directory, { withFileTypes: true });
  const links = entries.filter((entry) => entry.isSymbolicLink() && !entry.name.startsWith('..'));
  const present = new Set(links.map(({ name }) => name));
  for (const name of wanted) {
    if (!present.has(name)) await symlink(join('..data', name), join(directory, name));
  }
  for (const name of present) {
    if (!wanted.has(name)) await rm(join(directory, name));
  }
}
