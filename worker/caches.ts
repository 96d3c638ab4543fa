import type { Logger } from '@temporalio/common';

import type { Kube } from '../activities/kube.js';
import type { TargetKind } from '../domain/canary.js';
import type { KubeObject } from '../domain/objects.js';
import { targetKindOf, targetKinds } from '../domain/targets.js';
import { cacheCanaries, type CanaryCache, type CanaryObject } from './canary-cache.js';
import { cacheConfigs, type ConfigCache } from './config-cache.js';
import { configUsers } from './config-users.js';
import { listWatchOf, type ListWatch } from './list-watch.js';
import type { Dependency } from './watch.js';
import { cacheWorkloads, type WorkloadCache } from './workload-cache.js';

/** What the worker mirrors of the cluster. */
export interface Caches {
  readonly canaries: CanaryCache;
  readonly workloads: WorkloadCache;
  /** Absent when configs are not tracked. */
  readonly configs?: ConfigCache;
  /** What tells the watch that a canary has to be looked at again. */
  readonly dependencies: readonly Dependency[];
  stop(): void;
}

export interface CachesOptions {
  readonly kube: Kube;
  /** Empty for all namespaces. */
  readonly namespace: string;
  readonly log: Logger;
}

/** Starts to mirror the Canaries in scope, and everything they could target. */
export function openCaches({
  configTracking,
  ...options
}: CachesOptions & { readonly configTracking: boolean }): Caches {
  const { kube, namespace, log } = options;
  const scope = namespace === '' ? {} : { namespace };
  const canaries = cacheCanaries(
    listWatchOf<CanaryObject>(kube, {
      ...scope,
      apiVersion: 'flagger.app/v1beta1',
      kind: 'Canary',
    }),
    log,
  );
  const workloads = openWorkloads(options);
  const configs = configTracking ? cacheConfigs(options) : undefined;
  canaries.onChange((_key, now) => {
    const kind = now && targetKindOf(now.spec.targetRef);
    if (kind !== undefined) workloads.follow(kind);
  });
  return {
    canaries,
    workloads,
    ...(configs === undefined ? {} : { configs }),
    dependencies: [
      {
        onChange(listener) {
          workloads.onChange((key) => canaries.dependingOn(key).forEach(listener));
        },
      },
      {
        onChange(listener) {
          const usersOf = configUsers(canaries, workloads);
          configs?.onChange((config) => usersOf(config).forEach(listener));
        },
      },
    ],
    stop() {
      canaries.stop();
      workloads.stop();
      configs?.stop();
    },
  };
}

/** Starts to mirror everything a Canary in scope could target. */
export function openWorkloads({ kube, namespace, log }: CachesOptions): WorkloadCache {
  const scope = namespace === '' ? {} : { namespace };
  const sourceOf = (kind: TargetKind): ListWatch<KubeObject> =>
    listWatchOf(kube, { ...scope, ...targetKinds[kind] });
  const sources = {
    Deployment: sourceOf('Deployment'),
    DaemonSet: sourceOf('DaemonSet'),
    Service: sourceOf('Service'),
    KnativeService: sourceOf('KnativeService'),
  };
  return cacheWorkloads(sources, ['KnativeService'], log);
}
