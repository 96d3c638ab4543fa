import { dirname, join, relative } from 'node:path';

/** Something to be seen inside a container: a file or directory of the node at a path of the container. */
export type BindMount = {
  readonly source: string;
  /** Absolute path without symbolic links. */
  readonly target: string;
  readonly kind: 'file' | 'directory';
  readonly readOnly: boolean;
};

/** An empty mount point to be made, as an absolute path on the node. */
export type MountPoint = { readonly path: string; readonly kind: 'file' | 'directory' };

/** How the view of a container comes to be. */
export type MountPlan = {
  /** Made before anything is mounted. */
  readonly mountPoints: readonly MountPoint[];
  /** Directories of the host that need a layer on top, because a mount point is missing in them. */
  readonly layered: readonly string[];
  /** In the order of mounting: outer before inner. */
  readonly binds: readonly BindMount[];
};

/** What the plan must know of the node. */
export type Surroundings = {
  /** The root shared by all containers: a directory of ours with the host's directories in it. */
  readonly root: string;
  /** Where the upper layer of a layered directory lies. */
  readonly upperOf: (directory: string) => string;
  /** What a container sees at a path before anything of its own is mounted. */
  readonly kindOf: (path: string) => 'file' | 'directory' | 'other' | undefined;
  /** Whether a directory is a part of the shared root itself, so that mount points can be made in it. */
  readonly isOurs: (directory: string) => boolean;
};

/**
 * Plans the mounts of a container. A missing mount point is made where the container's own part of the
 * tree begins: in the volume that covers it, in the shared root (for new top-level directories), or in
 * a layer over the nearest directory of the host.
 */
export function planMounts(wanted: readonly BindMount[], surroundings: Surroundings): MountPlan {
  const binds = [...wanted].sort((a, b) => depth(a.target) - depth(b.target));
  const homes = binds.map((bind) => homeOf(bind, binds, surroundings));
  const layered = outermost(
    homes.flatMap((home) => (home.kind === 'host' ? [home.directory] : [])),
  );
  const mountPoints = binds.flatMap((bind, index): MountPoint[] => {
    const home = homes[index];
    if (home === undefined || home.kind === 'present') return [];
    if (home.kind === 'volume') {
      const inVolume = relative(home.volume.target, bind.target);
      return [{ path: join(home.volume.source, inVolume), kind: bind.kind }];
    }
    const layer = layered.find((directory) => isInside(home.directory, directory));
    const base = layer === undefined ? surroundings.root : surroundings.upperOf(layer);
    return [{ path: join(base, relative(layer ?? '/', bind.target)), kind: bind.kind }];
  });
  return { mountPoints, layered, binds };
}

/** Where the mount point of a bind belongs. */
type Home =
  | { readonly kind: 'present' }
  | { readonly kind: 'volume'; readonly volume: BindMount }
  | { readonly kind: 'host' | 'root'; readonly directory: string };

function homeOf(bind: BindMount, binds: readonly BindMount[], surroundings: Surroundings): Home {
  const volume = coveringBind(binds, bind.target);
  if (volume !== undefined) return { kind: 'volume', volume };
  if (surroundings.kindOf(bind.target) === bind.kind) return { kind: 'present' };
  let directory = dirname(bind.target);
  while (directory !== '/' && surroundings.kindOf(directory) !== 'directory') {
    directory = dirname(directory);
  }
  return { kind: surroundings.isOurs(directory) ? 'root' : 'host', directory };
}

function coveringBind(candidates: readonly BindMount[], path: string): BindMount | undefined {
  return candidates
    .filter(({ target, kind }) => kind === 'directory' && target !== path && isInside(path, target))
    .sort((a, b) => depth(b.target) - depth(a.target))[0];
}

function outermost(directories: readonly string[]): string[] {
  const unique = [...new Set(directories)];
  return unique.filter(
    (inner) => !unique.some((outer) => outer !== inner && isInside(inner, outer)),
  );
}

function isInside(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`);
}

function depth(path: string): number {
  return path.split('/').length;
}
