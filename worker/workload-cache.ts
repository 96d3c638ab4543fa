import type { Logger } from '@temporalio/common';

import type { Workloads } from '../activities/deps.js';
import type { TargetKind } from '../domain/canary.js';
import type { KubeObject, ObjectRef } from '../domain/objects.js';
import { targetKindOf } from '../domain/targets.js';
import type { ListWatch } from './list-watch.js';
import { keyOf, reflect, type Reflector } from './reflector.js';

/** Everything a Canary can target, and the services in front, from one watch for each kind. */
export interface WorkloadCache extends Workloads {
  /** Resolves when every kind that any cluster has was read for the first time. */
  untilSynced(): Promise<void>;
  /** Calls the listener with the key of each object that changed, from now on. */
  onChange(listener: (key: string) => void): void;
  /** Begins to mirror a kind that not every cluster has. */
  follow(kind: TargetKind): void;
  stop(): void;
}

/** The key of an object, `KIND/NAMESPACE/NAME`; undefined for a kind that is no target. */
export function workloadKeyOf(
  ref: Pick<ObjectRef, 'apiVersion' | 'kind' | 'name'> & { readonly namespace?: string },
): string | undefined {
  const kind = targetKindOf(ref);
  return kind && `${kind}/${keyOf(ref)}`;
}

/** How long to wait before a kind the cluster does not have is looked for again. */
const absentForMs = 60_000;

/**
 * Mirrors every object of some kinds.
 *
 * @param sources by kind; those in `optional` wait until somebody asks for them, because asking for
 *   a kind the cluster does not have is an error that never ends
 */
export function cacheWorkloads(
  sources: Readonly<Record<TargetKind, ListWatch<KubeObject>>>,
  optional: readonly TargetKind[],
  log: Logger,
): WorkloadCache {
  const reflectors = new Map<TargetKind, Reflector<KubeObject>>();
  const subscribers = new Map<string, Set<(object: KubeObject | undefined) => void>>();
  const listeners: ((key: string) => void)[] = [];

  function follow(kind: TargetKind): void {
    if (reflectors.has(kind)) return;
    const absence = optional.includes(kind) ? { absentForMs } : {};
    const source = sources[kind];
    const reflector = reflect<KubeObject>({ source, log, keep: withoutBallast, ...absence });
    reflectors.set(kind, reflector);
    reflector.onChange((place, object) => {
      const key = `${kind}/${place}`;
      for (const tell of [...(subscribers.get(key) ?? [])]) tell(object);
      for (const listener of listeners) listener(key);
    });
  }

  const kinds = Object.keys(sources) as TargetKind[];
  for (const kind of kinds.filter((each) => !optional.includes(each))) follow(kind);
  const needed = [...reflectors.values()];

  return {
    follow,

    get(ref) {
      const kind = targetKindOf(ref);
      return kind && reflectors.get(kind)?.get(keyOf(ref));
    },

    subscribe(ref, changed) {
      const key = workloadKeyOf(ref) ?? '';
      // Wrapped, so that one function may subscribe twice and leave once.
      const subscriber = (object: KubeObject | undefined): void => changed(object);
      const others = subscribers.get(key) ?? new Set();
      subscribers.set(key, others.add(subscriber));
      return () => {
        others.delete(subscriber);
        if (others.size === 0 && subscribers.get(key) === others) subscribers.delete(key);
      };
    },

    async untilSynced() {
      await Promise.all(needed.map((reflector) => reflector.untilSynced()));
    },

    onChange(listener) {
      listeners.push(listener);
    },

    stop() {
      for (const reflector of reflectors.values()) reflector.stop();
    },
  };
}

/** A third of an object's size is what nobody here reads. */
function withoutBallast(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata as KubeObject['metadata'] & {
    managedFields?: unknown;
  };
  return { ...object, metadata };
}
