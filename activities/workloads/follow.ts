import type { KubeObject, ObjectRef } from '../../domain/objects.js';
import type { Readiness } from '../../domain/readiness.js';
import type { Deps } from '../deps.js';
import type { Workload } from './workload.js';

/**
 * Tells of an object as the API server has it now and of every change after that, as they come in
 * from a watch; nothing older than what the API server answered. The returned function ends it.
 */
export async function followObject(
  { kube, workloads }: Pick<Deps, 'kube' | 'workloads'>,
  ref: ObjectRef,
  seen: (object: KubeObject | undefined) => void,
): Promise<() => void> {
  let since: string | undefined;
  const look = (object: KubeObject | undefined): void => {
    if (since !== undefined && !isOlder(object, since)) seen(object);
  };
  // Subscribed before it reads, so that no change falls between the two.
  const stop = workloads.subscribe(ref, look);
  try {
    const read = await kube.find(ref);
    since = read?.metadata.resourceVersion ?? '';
    seen(read);
  } catch (error) {
    stop();
    throw error;
  }
  const cached = workloads.get(ref);
  if (cached !== undefined) look(cached);
  return stop;
}

/** How long one attempt to give a target back waits for its pods, in milliseconds. */
const patienceMs = 20_000;

/** Waits for the pods of a target whose Canary is being deleted; throws when they do not come. */
export async function untilReverted(
  follow: Workload['follow'],
  patience = patienceMs,
): Promise<void> {
  let reason = '';
  let settle: (ready: boolean) => void = () => undefined;
  const settled = new Promise<boolean>((resolve) => (settle = resolve));
  const judged = (readiness: Readiness): void => {
    if (readiness.ready) settle(true);
    else ({ reason } = readiness);
  };
  const impatience = setTimeout(() => settle(false), patience);
  const stop = await follow('canary', judged);
  try {
    if (!(await settled)) throw new Error(`canary not ready during finalizing: ${reason}`);
  } finally {
    clearTimeout(impatience);
    stop();
  }
}

/**
 * Whether a watch delivers something older than what has been read. Versions of one resource
 * compare as the numbers they are; an object that is gone has none, and counts as news.
 */
function isOlder(seen: KubeObject | undefined, since: string): boolean {
  const version = seen?.metadata.resourceVersion;
  return version !== undefined && Number(version) < Number(since);
}
