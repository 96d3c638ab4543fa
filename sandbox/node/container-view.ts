import { lstatSync, mkdirSync, readdirSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';

import { fstabLine } from './fstab.js';
import type { Layers } from './layers.js';
import { planMounts } from './mount-plan.js';
import type { BindMount, Surroundings } from './mount-plan.js';

/** Turns the mounts a container wants into a table for its launch. */
export class ContainerViews {
  /** `programs` are paths that stay visible even below /tmp or /run, of which containers get their own. */
  constructor(
    readonly root: string,
    private readonly layers: Layers,
    private readonly programs: readonly string[],
  ) {}

  /**
   * Makes the mount points and writes the table; `directory` is the container's own scratch directory,
   * `imagePaths` the paths its image names. Returns the table's file name.
   */
  async prepare(
    directory: string,
    wanted: readonly BindMount[],
    imagePaths: readonly string[],
  ): Promise<string> {
    const own = ['/tmp', '/run', '/dev/shm'].map((target): BindMount => {
      const source = join(directory, basename(target));
      mkdirSync(source, { recursive: true, mode: 0o777 });
      return { source, target, kind: 'directory', readOnly: false };
    });
    const plan = planMounts(
      byTarget([
        ...own,
        ...visibleBinds([...this.programs, ...imagePaths]),
        ...wanted.map((bind) => ({ ...bind, target: withoutLinks(bind.target) })),
      ]),
      this.surroundings(directory),
    );
    for (const layered of plan.layered) {
      mkdirSync(upperOf(directory, layered), { recursive: true });
    }
    for (const { path, kind } of plan.mountPoints) makeMountPoint(path, kind);
    const lines = [];
    for (const lower of plan.layered) {
      const upper = upperOf(directory, lower);
      lines.push(await this.layers.mounts(lower, upper, join(this.root, lower)));
    }
    for (const { source, target, readOnly } of plan.binds) {
      lines.push(fstabLine(source, join(this.root, target), readOnly ? 'bind,ro' : 'rbind'));
    }
    const table = join(directory, 'fstab');
    writeFileSync(table, lines.join(''));
    return table;
  }

  private surroundings(directory: string): Surroundings {
    const rootDevice = statSync(this.root).dev;
    return {
      root: this.root,
      upperOf: (layered) => upperOf(directory, layered),
      kindOf: (path) => kindOf(join(this.root, path)),
      isOurs: (path) => statSync(join(this.root, path)).dev === rootDevice,
    };
  }
}

/** The directories on PATH, and what the links in the first of them point to. */
export function programPaths(path: string): string[] {
  const directories = path.split(':').filter((directory) => directory !== '');
  const [tools] = directories;
  const linked = tools === undefined ? [] : linkedDirectories(tools);
  return [...directories, ...linked];
}

function linkedDirectories(directory: string): string[] {
  if (kindOf(directory) !== 'directory') return [];
  const links = readdirSync(directory, { withFileTypes: true }).filter((e) => e.isSymbolicLink());
  return links.flatMap(({ name }) => {
    const link = join(directory, name);
    return statSync(link, { throwIfNoEntry: false }) === undefined
      ? []
      : [dirname(realpathSync(link))];
  });
}

/** Mounts for those paths that a container's own /tmp and /run would hide; a file brings its siblings along. */
function visibleBinds(paths: readonly string[]): BindMount[] {
  const hidden = paths
    .filter((path) => /^\/(tmp|run)\/./.test(path) && !path.includes(':'))
    .map((path) => (kindOf(path) === 'file' && depth(path) > 2 ? dirname(path) : path));
  const unique = [...new Set(hidden)];
  return unique
    .filter((inner) => !unique.some((outer) => inner.startsWith(outer + sep)))
    .flatMap((path): BindMount[] => {
      const kind = kindOf(path);
      return kind === 'file' || kind === 'directory'
        ? [{ source: path, target: path, kind, readOnly: false }]
        : [];
    });
}

function depth(path: string): number {
  return path.split(sep).length - 1;
}

/** Where two mounts want the same place, the later one (the pod's own) has it. */
function byTarget(binds: readonly BindMount[]): BindMount[] {
  return [...new Map(binds.map((bind) => [bind.target, bind])).values()];
}

/** Resolves the links in the directories of a path; its last name may be a link that gets covered. */
function withoutLinks(path: string): string {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  const target = isLink ? statSync(path, { throwIfNoEntry: false }) : undefined;
  if (target?.isDirectory() === true) return realpathSync(path);
  const parent = dirname(path);
  return parent === '/' ? path : join(withoutLinks(parent), basename(path));
}

function upperOf(directory: string, layered: string): string {
  return join(directory, `layer${layered.replaceAll('/', '-')}`);
}

function makeMountPoint(path: string, kind: BindMount['kind']): void {
  if (kind === 'directory') {
    mkdirSync(path, { recursive: true });
    return;
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '', { flag: 'a' });
}

function kindOf(path: string): ReturnType<Surroundings['kindOf']> {
  try {
    const entry = lstatSync(path);
    if (entry.isDirectory()) return 'directory';
    return entry.isFile() ? 'file' : 'other';
  } catch {
    // Not there, or in a directory this user may not enter.
    return undefined;
  }
}
