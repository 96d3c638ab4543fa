import type { Logger } from '@temporalio/common';

import { checksumOf } from '../activities/configs.js';
import type { ConfigChecksums, ConfigPlace } from '../activities/deps.js';
import type { Collection, Kube } from '../activities/kube.js';
import { isTracked, type Config, type ConfigKind } from '../domain/configs.js';
import type { KubeObject } from '../domain/objects.js';
import { listWatchOf } from './list-watch.js';
import { keyOf, placeOf, reflect, type Reflector } from './reflector.js';

/** The ConfigMaps and Secrets in the worker's scope, by nothing but their checksums. */
export interface ConfigCache extends ConfigChecksums {
  untilSynced(): Promise<void>;
  /** Calls the listener with each config whose checksum has come, changed or gone. */
  onChange(listener: (config: ConfigPlace) => void): void;
  stop(): void;
}

export interface ConfigCacheOptions {
  readonly kube: Kube;
  /** Empty for all namespaces. */
  readonly namespace: string;
  readonly log: Logger;
}

/** What is left of a config: no content ever stays in memory, least of all a Secret's. */
interface Sum extends KubeObject {
  readonly kind: ConfigKind;
  /** Absent when it does not count. */
  readonly checksum?: string;
}

/** The types that a cluster has most of, and no release depends on, are not even asked for. */
const skippedTypes = [
  'kubernetes.io/service-account-token',
  'kubernetes.io/dockercfg',
  'kubernetes.io/dockerconfigjson',
  'bootstrap.kubernetes.io/token',
  'helm.sh/release.v1',
];

/** Mirrors the checksums of all configs that could be tracked. */
export function cacheConfigs({ kube, namespace, log }: ConfigCacheOptions): ConfigCache {
  const scope = { apiVersion: 'v1', ...(namespace === '' ? {} : { namespace }) };
  const fieldSelector = skippedTypes.map((type) => `type!=${type}`).join(',');
  const mirrors = {
    ConfigMap: mirror({ ...scope, kind: 'ConfigMap' }),
    Secret: mirror({ ...scope, kind: 'Secret', fieldSelector }),
  } as const satisfies Record<ConfigKind, Reflector<Sum>>;

  function mirror(collection: Collection & { readonly kind: ConfigKind }): Reflector<Sum> {
    return reflect({ source: listWatchOf(kube, collection, sumOf(collection.kind)), log });
  }

  return {
    get: ({ kind, ...place }) => mirrors[kind].get(keyOf(place))?.checksum,
    async untilSynced() {
      await Promise.all([mirrors.ConfigMap.untilSynced(), mirrors.Secret.untilSynced()]);
    },
    onChange(listener) {
      for (const [kind, reflector] of Object.entries(mirrors)) {
        reflector.onChange((place, now, before) => {
          if (now?.checksum === before?.checksum) return;
          listener({ kind: kind as ConfigKind, ...placeOf(place) });
        });
      }
    },
    stop() {
      mirrors.ConfigMap.stop();
      mirrors.Secret.stop();
    },
  };
}

function sumOf(kind: ConfigKind): (object: KubeObject) => Sum {
  return (object) => {
    const config = { ...object, kind } as Config;
    const { namespace = '', name, resourceVersion = '' } = config.metadata;
    return {
      apiVersion: 'v1',
      kind,
      metadata: { namespace, name, resourceVersion },
      ...(isTracked(config) ? { checksum: checksumOf(config) } : {}),
    };
  };
}
