import type { Canary, AutoscalerRef } from '../canary.js';
import { withoutKeys } from '../entries.js';
import { isFluxOwned } from '../inherited.js';
import { namesOf } from '../names.js';
import type { KubeObject, ObjectMeta } from '../objects.js';
import { ownerReferenceTo } from '../primary.js';

type Fields = Readonly<Record<string, unknown>>;

/** A scaler of any kind: whatever its spec, it says which workload it scales. */
export interface ScalerObject extends KubeObject {
  readonly spec: Fields & { readonly scaleTargetRef: Fields };
}

/**
 * The scaler of the primary: what the target's scaler says, for the primary. A live one keeps the
 * labels and annotations that others gave it.
 *
 * @param bounds the fields that set the bounds, by what the Canary calls them
 */
export function primaryScaler(
  canary: Canary,
  { target, live, spec }: PrimaryScalerSource,
): ScalerObject {
  return {
    apiVersion: target.apiVersion,
    kind: target.kind,
    ...live,
    metadata: live === undefined ? newMetadata(canary, target) : withInherited(live, target),
    spec: {
      ...target.spec,
      ...spec,
      scaleTargetRef: { ...target.spec.scaleTargetRef, name: namesOf(canary).primaryWorkload },
    },
  };
}

export interface PrimaryScalerSource {
  /** The scaler of the target. */
  readonly target: ScalerObject;
  /** The scaler of the primary as it is, if there is one. */
  readonly live: ScalerObject | undefined;
  /** What the primary's spec has for itself. */
  readonly spec: Fields;
}

/** The name of the primary's scaler. */
export function primaryScalerName({ name }: Pick<AutoscalerRef, 'name'>): string {
  return `${name}-primary`;
}

/** The pods a target gets before its scaler has had a look: at least one. */
export function atLeastOne(minReplicas: unknown): number {
  return typeof minReplicas === 'number' && minReplicas > 1 ? minReplicas : 1;
}

/** The fields that bound the primary's scaler otherwise than the target's. */
export function boundsOf(
  { primaryScalerReplicas: { minReplicas, maxReplicas } }: AutoscalerRef,
  names: { readonly min: string; readonly max: string },
): Fields {
  return {
    ...(minReplicas === undefined ? {} : { [names.min]: minReplicas }),
    ...(maxReplicas === undefined ? {} : { [names.max]: maxReplicas }),
  };
}

function newMetadata(canary: Canary, target: ScalerObject): ObjectMeta {
  return {
    name: primaryScalerName(target.metadata),
    namespace: canary.namespace,
    labels: inherited(target.metadata.labels),
    annotations: inherited(target.metadata.annotations),
    ownerReferences: [ownerReferenceTo(canary)],
  };
}

function withInherited({ metadata }: ScalerObject, target: ScalerObject): ObjectMeta {
  const labels = { ...metadata.labels, ...inherited(target.metadata.labels) };
  const annotations = { ...metadata.annotations, ...inherited(target.metadata.annotations) };
  return {
    ...metadata,
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
}

function inherited(entries: Readonly<Record<string, string>> | undefined): Record<string, string> {
  return withoutKeys(entries, isFluxOwned, isOfOneObject);
}

/**
 * What is true of the target's scaler alone: that it is paused, as between releases; the name KEDA
 * labels it with; and the manifest it was applied from.
 */
function isOfOneObject(key: string): boolean {
  return (
    key.startsWith('autoscaling.keda.sh/paused') ||
    key === 'scaledobject.keda.sh/name' ||
    key === 'kubectl.kubernetes.io/last-applied-configuration'
  );
}
