import { ApplicationFailure } from '@temporalio/activity';

import type { Canary, CanaryStatus } from '../domain/canary.js';
import { parseCanary } from '../domain/manifest.js';
import type { KubeObject, ObjectRef } from '../domain/objects.js';
import type { CanaryRef } from '../domain/release.js';
import type { Deps } from './deps.js';

/** The group and version Canaries are read and written in. */
export const canaryApiVersion = 'flagger.app/v1beta1';

/** A Canary, and the manifest it was read from. */
export interface CanaryRead {
  readonly canary: Canary;
  readonly manifest: KubeObject;
}

/**
 * Reads a Canary as it is now. Throws a failure that is not retried: `Gone` when there is none,
 * `InvalidSpec` with every problem of its manifest.
 */
export async function readCanary(deps: Deps, ref: CanaryRef): Promise<CanaryRead> {
  const manifest = await readManifest(deps, ref);
  return { canary: parsed(deps, manifest), manifest };
}

/**
 * The Canary under analysis, which is looked at so often that the watch's word is taken for it: as
 * soon as that has seen the revision written to the status, it has seen all that led to the analysis.
 */
export async function canaryUnderAnalysis(
  deps: Deps,
  ref: CanaryRef,
  revision: string,
): Promise<CanaryRead> {
  const watched = deps.canaries?.get(ref);
  const status: CanaryStatus = watched?.status ?? {};
  const manifest =
    watched !== undefined && status.lastAppliedSpec === revision
      ? watched
      : await readManifest(deps, ref);
  return { canary: parsed(deps, manifest), manifest };
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

function parsed({ settings }: Pick<Deps, 'settings'>, manifest: KubeObject): Canary {
  const result = parseCanary(manifest, settings.defaults);
  if (result.ok) return result.canary;
  throw invalidSpec(result.problems.join('; '));
}

function gone({ namespace, name }: CanaryRef): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`canary ${name}.${namespace} not found`, 'Gone');
}
