import type {
  V1ConfigMap,
  V1ConfigMapVolumeSource,
  V1DownwardAPIVolumeFile,
  V1KeyToPath,
  V1Pod,
  V1Secret,
  V1SecretVolumeSource,
} from '@kubernetes/client-node';

import { fieldValue, resourceValue } from './downward.js';
import type { PodAddresses } from './downward.js';

/** One file of a volume; `path` is relative to the volume, `mode` its permission bits. */
export type VolumeFile = {
  readonly path: string;
  readonly content: Buffer;
  readonly mode: number;
};

/** Something a volume needs is not there (yet); the message is the kubelet's. */
export class MissingVolumeSource extends Error {}

/** The files of a configMap source. `name` is apart because projected and plain sources spell it alike. */
export function configMapFiles(
  source: Pick<V1ConfigMapVolumeSource, 'name' | 'items' | 'optional'>,
  configMap: V1ConfigMap | undefined,
  mode: number,
): VolumeFile[] {
  const data: Record<string, Buffer> = {};
  for (const [key, text] of Object.entries(configMap?.data ?? {})) data[key] = Buffer.from(text);
  for (const [key, base64] of Object.entries(configMap?.binaryData ?? {})) {
    data[key] = Buffer.from(base64, 'base64');
  }
  const what = { kind: 'configmap', name: source.name ?? '', optional: source.optional === true };
  return chosenFiles(configMap === undefined ? undefined : data, { ...what, mode }, source.items);
}

/** The files of a secret source. */
export function secretFiles(
  source: Pick<V1SecretVolumeSource, 'secretName' | 'items' | 'optional'>,
  secret: V1Secret | undefined,
  mode: number,
): VolumeFile[] {
  const data = Object.fromEntries(
    Object.entries(secret?.data ?? {}).map(([key, base64]) => [key, Buffer.from(base64, 'base64')]),
  );
  const what = {
    kind: 'secret',
    name: source.secretName ?? '',
    optional: source.optional === true,
  };
  return chosenFiles(secret === undefined ? undefined : data, { ...what, mode }, source.items);
}

type Source = {
  readonly kind: string;
  readonly name: string;
  readonly optional: boolean;
  readonly mode: number;
};

function chosenFiles(
  data: Readonly<Record<string, Buffer>> | undefined,
  source: Source,
  items: readonly V1KeyToPath[] | undefined,
): VolumeFile[] {
  if (data === undefined) {
    if (source.optional) return [];
    throw new MissingVolumeSource(`${source.kind} "${source.name}" not found`);
  }
  if (items === undefined || items.length === 0) {
    return Object.entries(data).map(([path, content]) => ({ path, content, mode: source.mode }));
  }
  return items.flatMap(({ key, path, mode }) => {
    const content = data[key];
    if (content !== undefined) return [{ path, content, mode: mode ?? source.mode }];
    if (source.optional) return [];
    throw new MissingVolumeSource(
      `${source.kind} "${source.name}" references non-existent config key: ${key}`,
    );
  });
}

/** The files of a downwardAPI source. */
export function downwardFiles(
  items: readonly V1DownwardAPIVolumeFile[] | undefined,
  pod: V1Pod,
  addresses: PodAddresses,
  defaultMode: number,
): VolumeFile[] {
  return (items ?? []).map(({ path, fieldRef, resourceFieldRef, mode }) => ({
    path,
    content: Buffer.from(
      fieldRef !== undefined
        ? fieldValue(pod, fieldRef, addresses)
        : resourceFieldRef !== undefined
          ? resourceValue(pod.spec?.containers ?? [], resourceFieldRef, '')
          : '',
    ),
    mode: mode ?? defaultMode,
  }));
}
