import type { Logger } from '@temporalio/common';

import type { CanaryStatus } from '../domain/canary.js';
import type { KubeObject } from '../domain/objects.js';
import type { ListWatch } from './list-watch.js';
import { keyOf, reflect, type Reflector } from './reflector.js';

/** What the worker itself reads of a Canary manifest. */
export interface CanaryObject extends KubeObject {
  readonly spec: {
    readonly targetRef: { readonly kind: string; readonly name: string };
    readonly suspend?: boolean;
  };
  readonly status?: CanaryStatus;
}

/** The Canaries in the worker's scope, from one watch. */
export interface CanaryCache extends Reflector<CanaryObject> {
  /** The keys of the canaries whose target is the Deployment of this key. */
  targeting(deployment: string): readonly string[];
}

/** Mirrors every Canary of a collection. */
export function cacheCanaries(source: ListWatch<CanaryObject>, log: Logger): CanaryCache {
  const byTarget = new Map<string, readonly string[]>();

  function index(key: string, before: string | undefined, now: string | undefined): void {
    if (before === now) return;
    if (before !== undefined) {
      const rest = (byTarget.get(before) ?? []).filter((other) => other !== key);
      if (rest.length === 0) byTarget.delete(before);
      else byTarget.set(before, rest);
    }
    if (now !== undefined) byTarget.set(now, [...(byTarget.get(now) ?? []), key]);
  }

  const reflector = reflect<CanaryObject>({ source, log });
  reflector.onChange((key, now, before) => {
    index(key, before && targetKeyOf(before), now && targetKeyOf(now));
  });
  return { ...reflector, targeting: (deployment) => byTarget.get(deployment) ?? [] };
}

/** The key of the Deployment a canary targets; undefined when its target is of another kind. */
export function targetKeyOf({ metadata, spec }: CanaryObject): string | undefined {
  const { namespace = '' } = metadata;
  return spec.targetRef.kind === 'Deployment'
    ? keyOf({ namespace, name: spec.targetRef.name })
    : undefined;
}
