import { mkdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';

import type { V1Container, V1Pod, V1Volume, V1VolumeMount } from '@kubernetes/client-node';

import { expand } from './expansion.js';
import type { BindMount } from './mount-plan.js';

/** The mounts a container asks for; `pathOf` says where a volume lies on the node. */
export function volumeMounts(
  container: V1Container,
  pod: V1Pod,
  environment: Readonly<Record<string, string>>,
  pathOf: (volume: V1Volume) => string,
): BindMount[] {
  return (container.volumeMounts ?? []).map((mount) => {
    const volume = pod.spec?.volumes?.find(({ name }) => name === mount.name);
    if (volume === undefined) throw new Error(`volume "${mount.name}" is not in the pod`);
    const source = sourceOf(mount, pathOf(volume), environment);
    return {
      source,
      target: mount.mountPath.replace(/(?<=.)\/+$/, ''),
      kind: statSync(source).isDirectory() ? 'directory' : 'file',
      readOnly: mount.readOnly === true || isGenerated(volume),
    };
  });
}

function sourceOf(
  mount: V1VolumeMount,
  directory: string,
  environment: Readonly<Record<string, string>>,
): string {
  const subPath = mount.subPath ?? expand(mount.subPathExpr ?? '', environment);
  if (subPath === '') return directory;
  if (subPath.split('/').includes('..') || subPath.startsWith('/')) {
    throw new Error(`subPath "${subPath}" leaves the volume "${mount.name}"`);
  }
  const path = join(directory, subPath);
  if (statSync(path, { throwIfNoEntry: false }) === undefined) mkdirSync(path, { recursive: true });
  // As in a kubelet the link is followed once: a subPath does not see later versions.
  return realpathSync(path);
}

function isGenerated({ configMap, secret, projected, downwardAPI }: V1Volume): boolean {
  return [configMap, secret, projected, downwardAPI].some((source) => source !== undefined);
}
