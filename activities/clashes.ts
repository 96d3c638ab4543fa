import type { Canary } from '../domain/canary.js';
import { claimedBy } from '../domain/knative.js';
import type { KubeObject } from '../domain/objects.js';
import { controllingCanary } from '../domain/primary.js';
import { workloadRefs } from '../domain/targets.js';
import { canaryApiVersion } from './canaries.js';
import type { Deps } from './deps.js';
import type { Generated } from './generated.js';

/** Two canaries that share a target or a service would fight over it without end. */
export async function clashesOf(
  deps: Deps,
  canary: Canary,
  generated: Generated,
): Promise<string[]> {
  const clashes = generated.all.flatMap((object) => {
    const owner = controllingCanary(object.metadata);
    return owner === undefined || owner === canary.name ? [] : [belongsTo(object, owner)];
  });
  return [...clashes, ...(await claimsOf(deps, canary, generated))];
}

/** Nothing of a Knative Service is owned; who released it last has written that down. */
async function claimsOf(
  { kube }: Deps,
  canary: Canary,
  { find }: Generated,
): Promise<readonly string[]> {
  const { canary: target } = workloadRefs(canary);
  const service = canary.target.kind === 'KnativeService' ? find(target) : undefined;
  const owner = service && claimedBy(service);
  if (service === undefined || owner === undefined || owner === canary.name) return [];
  const other = await kube.find<WithTarget>({
    ...{ apiVersion: canaryApiVersion, kind: 'Canary' },
    ...{ namespace: canary.namespace, name: owner },
  });
  // A canary that is gone, or targets something else by now, claims nothing.
  const { apiVersion, kind, name } = other?.spec.targetRef ?? {};
  const isClaimed =
    name === target.name && kind === target.kind && apiVersion === target.apiVersion;
  return isClaimed ? [belongsTo(service, owner)] : [];
}

function belongsTo(
  { kind, metadata: { name, namespace = '' } }: KubeObject,
  owner: string,
): string {
  return `${kind.toLowerCase()} ${name}.${namespace} belongs to canary ${owner}.${namespace}`;
}

interface WithTarget extends KubeObject {
  readonly spec: {
    readonly targetRef: {
      readonly apiVersion: string;
      readonly kind: string;
      readonly name: string;
    };
  };
}
