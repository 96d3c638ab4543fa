import type { Collection, Kube } from '../../activities/kube.js';
import type { KubeObject } from '../../domain/objects.js';

/** An object as a watch delivered it, at a moment in epoch milliseconds. */
export interface Sighting<T extends KubeObject> {
  readonly at: number;
  readonly object: T;
}

/** Everything a watch delivered, with the moments it came in. */
export interface Sightings<T extends KubeObject> {
  readonly all: readonly Sighting<T>[];
  /** The first sighting after a moment for which this is true, past or to come. */
  first(since: number, is: (object: T) => boolean, limitMs?: number): Promise<Sighting<T>>;
  stop(): void;
}

/** Records every state of the objects of a collection from now on. */
export async function sight<T extends KubeObject>(
  kube: Kube,
  collection: Collection,
): Promise<Sightings<T>> {
  const all: Sighting<T>[] = [];
  const listeners = new Set<(sighting: Sighting<T>) => void>();
  const watch = await kube.watch(collection, {
    seen(type, object) {
      if (type !== 'ADDED' && type !== 'MODIFIED') return;
      const sighting = { at: Date.now(), object: object as T };
      all.push(sighting);
      for (const tell of [...listeners]) tell(sighting);
    },
    ended: () => undefined,
  });
  return {
    all,
    first: (since, is, limitMs = 60_000) =>
      new Promise((resolve, reject) => {
        const end = (): void => {
          clearTimeout(limit);
          listeners.delete(look);
        };
        const look = (sighting: Sighting<T>): boolean => {
          if (sighting.at < since || !is(sighting.object)) return false;
          end();
          resolve(sighting);
          return true;
        };
        const limit = setTimeout(() => {
          end();
          reject(
            new Error(`${collection.kind}: not seen within ${limitMs / 1_000} s: ${String(is)}`),
          );
        }, limitMs);
        if (!all.some(look)) listeners.add(look);
      }),
    stop: () => {
      watch.abort();
    },
  };
}
