import type { Logger } from '@temporalio/common';

import type { CanaryStatus } from '../domain/canary.js';
import type { KubeObject } from '../domain/objects.js';
import type { ListWatch } from './list-watch.js';
import { reflect, type Reflector } from './reflector.js';
import { workloadKeyOf } from './workload-cache.js';

/** What the worker itself reads of a Canary manifest. */
export interface CanaryObject extends KubeObject {
  readonly spec: {
    readonly targetRef: {
      readonly apiVersion?: string;
      readonly kind: string;
      readonly name: string;
    };
    readonly service?: { readonly name?: string };
    readonly suspend?: boolean;
    readonly revertOnDeletion?: boolean;
  };
  readonly status?: CanaryStatus;
}

/** The Canaries in the worker's scope, from one watch. */
export interface CanaryCache extends Reflector<CanaryObject> {
  /** The keys of the canaries that target the object of this key, or have generated it. */
  dependingOn(workload: string): readonly string[];
}

/** Mirrors every Canary of a collection. */
export function cacheCanaries(source: ListWatch<CanaryObject>, log: Logger): CanaryCache {
  const byWorkload = new Map<string, readonly string[]>();

  function index(key: string, before: readonly string[], now: readonly string[]): void {
    for (const workload of before.filter((other) => !now.includes(other))) {
      const rest = (byWorkload.get(workload) ?? []).filter((other) => other !== key);
      if (rest.length === 0) byWorkload.delete(workload);
      else byWorkload.set(workload, rest);
    }
    for (const workload of now.filter((other) => !before.includes(other))) {
      byWorkload.set(workload, [...(byWorkload.get(workload) ?? []), key]);
    }
  }

  const reflector = reflect<CanaryObject>({ source, log });
  reflector.onChange((key, now, before) => {
    index(key, before ? workloadKeysOf(before) : [], now ? workloadKeysOf(now) : []);
  });
  return { ...reflector, dependingOn: (workload) => byWorkload.get(workload) ?? [] };
}

/** The keys of the target, the primary, and the services of a canary. */
function workloadKeysOf({ metadata: { namespace = '' }, spec }: CanaryObject): readonly string[] {
  const { apiVersion = '', kind, name } = spec.targetRef;
  const service = spec.service?.name ?? name;
  const refs = [
    { apiVersion, kind, namespace, name },
    { apiVersion, kind, namespace, name: `${name}-primary` },
    ...['', '-primary', '-canary'].map((role) => ({
      ...{ apiVersion: 'v1', kind: 'Service', namespace },
      name: `${service}${role}`,
    })),
  ];
  return [...new Set(refs.map(workloadKeyOf))].filter((key) => key !== undefined);
}
