import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { mustRun } from './command.js';
import { fstabLine } from './fstab.js';

/** Directories of the host that containers do not share: each gets its own or a small one of ours. */
const ownDirectories: ReadonlySet<string> = new Set(['tmp', 'run', 'dev']);
const devices = ['null', 'zero', 'full', 'random', 'urandom', 'tty'] as const;
const deviceLinks = {
  fd: '/proc/self/fd',
  stdin: '/proc/self/fd/0',
  stdout: '/proc/self/fd/1',
  stderr: '/proc/self/fd/2',
  ptmx: 'pts/ptmx',
} as const;

/**
 * Builds the root that all containers start from: the host's directories bound into a directory of ours,
 * with empty /tmp and /run and a minimal /dev. Made once; containers add their volumes in mount
 * namespaces of their own. Returns its path.
 */
export async function buildContainerRoot(stateDir: string): Promise<string> {
  // A new one per life of the agent: the host's own files hang in an old one, it must not be cleared.
  const root = join(stateDir, `container-root-${process.pid}`);
  mkdirSync(root, { recursive: true });
  // Unbindable, or binding the directory that holds the state would copy the root into itself.
  await mustRun(['mount', '--bind', root, root]);
  await mustRun(['mount', '--make-unbindable', root]);
  const table = [...hostDirectories(root), ...deviceFiles(root)].join('');
  const file = join(stateDir, 'container-root.fstab');
  writeFileSync(file, table);
  await mustRun(['mount', '--all', '--fstab', file]);
  return root;
}

function hostDirectories(root: string): string[] {
  return readdirSync('/', { withFileTypes: true }).flatMap((entry) => {
    const path = join(root, entry.name);
    if (entry.isSymbolicLink()) {
      symlinkSync(readlinkSync(`/${entry.name}`), path);
      return [];
    }
    if (!entry.isDirectory()) return [];
    mkdirSync(path);
    return ownDirectories.has(entry.name) ? [] : [fstabLine(`/${entry.name}`, path, 'rbind')];
  });
}

function deviceFiles(root: string): string[] {
  for (const [name, target] of Object.entries(deviceLinks)) {
    symlinkSync(target, join(root, 'dev', name));
  }
  for (const name of ['shm', 'pts']) mkdirSync(join(root, 'dev', name));
  const present = devices.filter((name) => exists(`/dev/${name}`));
  for (const name of present) writeFileSync(join(root, 'dev', name), '');
  return [
    ...present.map((name) => fstabLine(`/dev/${name}`, join(root, 'dev', name), 'bind')),
    ...(exists('/dev/pts') ? [fstabLine('/dev/pts', join(root, 'dev/pts'), 'rbind')] : []),
  ];
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
