import { isDeepStrictEqual } from 'node:util';

import type { KubeObject, ObjectRef } from '../domain/objects.js';
import { KubeError, type Kube } from './kube.js';

/**
 * Reads an object, changes it and writes it back if that made a difference; gives back the object
 * as it is then, or undefined when there is none. A write that lost against another one starts
 * over from what the other one wrote: controllers write status all the time, and waiting for
 * Temporal's next attempt would cost a second.
 */
export async function changeObject<T extends KubeObject>(
  kube: Kube,
  ref: ObjectRef,
  change: (live: T) => T,
): Promise<T | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    const live = await kube.find<T>(ref);
    if (live === undefined) return undefined;
    const changed = change(live);
    if (isDeepStrictEqual(changed, live)) return live;
    try {
      return await kube.replace(changed);
    } catch (error) {
      if (attempt === attempts || !isConflict(error)) throw error;
    }
  }
}

const attempts = 5;

function isConflict(error: unknown): boolean {
  return error instanceof KubeError && error.reason === 'Conflict';
}
