import { ApplicationFailure } from '@temporalio/activity';

import { parseCanary, type Canary } from '../domain/canary.js';
import type { KubeObject, ObjectRef } from '../domain/objects.js';
import type { CanaryRef } from '../domain/release.js';
import type { Deps } from './deps.js';

/** The group and version Canaries are read and written in. */
export const canaryApiVersion = 'flagger.app/v1beta1';

/**
 * Reads a Canary as it is now. Throws a failure that is not retried: `Gone` when there is none,
 * `InvalidSpec` with every problem of its manifest.
 */
export async function readCanary({ kube, settings }: Deps, ref: CanaryRef): Promise<Canary> {
  const object = await kube.find(objectRefOf(ref));
  if (object === undefined) throw gone(ref);
  const parsed = parseCanary(object, settings.defaults);
  if (parsed.ok) return parsed.canary;
  throw invalidSpec(parsed.problems.join('; '));
}

/** Reads a Canary's manifest without judging it. Throws `Gone` when there is none. */
export async function readManifest({ kube }: Deps, ref: CanaryRef): Promise<KubeObject> {
  const object = await kube.find(objectRefOf(ref));
  if (object === undefined) throw gone(ref);
  return object;
}

/** Names a Canary as an object of the API. */
export function objectRefOf({ namespace, name }: CanaryRef): ObjectRef {
  return { apiVersion: canaryApiVersion, kind: 'Canary', namespace, name };
}

/** The failure of a release that cannot succeed until somebody changes a manifest. */
export function invalidSpec(problem: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(problem, 'InvalidSpec');
}

function gone({ namespace, name }: CanaryRef): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`canary ${name}.${namespace} not found`, 'Gone');
}
