import type { KubeObject } from '../domain/objects.js';
import type { CanaryRef } from '../domain/release.js';
import { objectRefOf } from './canaries.js';
import { changeObject } from './changes.js';
import type { Kube } from './kube.js';

/** Flagger's own, so that a Canary can go from one to the other. */
const finalizer = 'finalizer.flagger.app';

/** Whether deleting this Canary waits for us. */
export function hasFinalizer({ metadata: { finalizers = [] } }: KubeObject): boolean {
  return finalizers.includes(finalizer);
}

/** Makes deleting a Canary wait for us, or not. */
export async function setFinalizer(kube: Kube, canary: CanaryRef, wanted: boolean): Promise<void> {
  await changeObject(kube, objectRefOf(canary), (live) => {
    if (hasFinalizer(live) === wanted) return live;
    const { finalizers = [] } = live.metadata;
    const others = finalizers.filter((name) => name !== finalizer);
    return {
      ...live,
      apiVersion: writableIn(live),
      metadata: { ...live.metadata, finalizers: wanted ? [...others, finalizer] : others },
    };
  });
}

/**
 * The version a Canary can be written in as it is. v1beta1 requires `analysis` even of writes that
 * leave the spec alone, and manifests of the alpha versions have it under another name.
 */
function writableIn({ apiVersion, spec }: KubeObject): string {
  const isComplete = spec === undefined || 'analysis' in (spec as object);
  return isComplete ? apiVersion : 'flagger.app/v1alpha3';
}
