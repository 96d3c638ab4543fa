import type { KubeObject, PodWorkload } from '../domain/objects.js';
import { scaledUp } from '../domain/scale-to-zero.js';
import { targetKindOf, targetKinds } from '../domain/targets.js';
import { checksumsNow, type Checksums } from './configs.js';
import type { Deps } from './deps.js';
import { revisionOf } from './revision.js';

/**
 * What `status.trackedConfigs` has to say of a revision: the checksums it was named after.
 * Undefined when the target is another revision by now, or of a kind whose configs are not tracked.
 */
export async function trackedConfigsOf(
  deps: Deps,
  { metadata: { namespace = '' }, spec }: KubeObject,
  revision: string,
): Promise<Checksums | undefined> {
  const { targetRef } = spec as { readonly targetRef: TargetRef };
  const kind = targetKindOf(targetRef);
  if (!deps.settings.configTracking) return undefined;
  if (kind !== 'Deployment' && kind !== 'DaemonSet') return undefined;
  const ref = { ...targetKinds[kind], namespace, name: targetRef.name };
  const { template } = (await deps.kube.find<PodWorkload>(ref))?.spec ?? {};
  if (template === undefined) return undefined;
  const checksums = await checksumsNow(deps, { namespace, template });
  return revisionOf(scaledUp(template), checksums) === revision ? checksums : undefined;
}

type TargetRef = Parameters<typeof targetKindOf>[0] & { readonly name: string };
