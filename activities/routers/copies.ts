import type { Canary, Metadata } from '../../domain/canary.js';
import { withoutKeys } from '../../domain/entries.js';
import { included } from '../../domain/inherited.js';
import type { KubeObject, ObjectRef } from '../../domain/objects.js';
import { controllingCanary } from '../../domain/primary.js';
import { appliedAnnotation, overlay, routeMetadata, type OwnMetadata } from './ownership.js';

/**
 * For products whose routes are the user's own: such a route is never touched. A copy of it that
 * outranks it, or that the product adds to it, leads a share of its traffic to the canary.
 */
export interface CopyRefs {
  readonly source: ObjectRef;
  readonly copy: ObjectRef;
  /** The field of the manifest that names the source. */
  readonly field: string;
}

/** Both as they are now. */
export interface Copied<T extends KubeObject> {
  readonly source: T;
  readonly copy: T | undefined;
}

/** What a copy is to be. */
export interface Copying<S extends object> {
  readonly own: OwnMetadata;
  /** Every field a spec of the kind has: one that the source loses goes from the copy too. */
  readonly fields: readonly string[];
  readonly spec: S;
  /** Whether the copy there is has rules of the Canary. */
  readonly isOurs: boolean;
}

/** The object a reference names, as far as it exists. */
export function objectIn(
  live: readonly KubeObject[],
  { kind, namespace, name }: ObjectRef,
): KubeObject | undefined {
  return live.find(
    ({ kind: found, metadata }) =>
      found === kind && metadata.name === name && (metadata.namespace ?? namespace) === namespace,
  );
}

/** The object a field of the manifest names. Throws while there is none. */
export function requiredIn(live: readonly KubeObject[], ref: ObjectRef, field: string): KubeObject {
  const found = objectIn(live, ref);
  if (found === undefined) throw new Error(`${field}: ${titleOf(ref)} not found`);
  return found;
}

/** The source and its copy. Throws while there is no source, or the copy is another Canary's. */
export function copiedIn<T extends KubeObject>(
  canary: Canary,
  live: readonly KubeObject[],
  refs: CopyRefs,
): Copied<T> {
  const copy = objectIn(live, refs.copy);
  const owner = copy && controllingCanary(copy.metadata);
  if (owner !== undefined && owner !== canary.name) {
    throw new Error(`${refs.field}: ${titleOf(refs.copy)} belongs to canary ${owner}`);
  }
  const source = requiredIn(live, refs.source, refs.field);
  return { source: source as T, copy: copy as T | undefined };
}

/** Makes the copy: its spec is the source's as far as the product does not ask for something else. */
export function copyOf<T extends KubeObject, S extends object>(
  canary: Canary,
  { source, copy }: Copied<T>,
  { own, fields, spec, isOurs }: Copying<S>,
): KubeObject {
  const owned = [...fields, ...Object.keys(source.spec ?? {})];
  return {
    ...copy,
    apiVersion: source.apiVersion,
    kind: source.kind,
    metadata: routeMetadata(canary, copy, isOurs, { ...own, initially: inheritedFrom(source) }),
    spec: overlay<S>(copy?.spec as object | undefined, owned as (keyof S & string)[], spec),
  };
}

/** `KIND NAME.NAMESPACE`, as errors print it. */
export function titleOf({ kind, name, namespace }: ObjectRef): string {
  return `${kind} ${name}.${namespace}`;
}

/** A new copy has the labels and annotations of its source, without those that track the source. */
function inheritedFrom({ metadata }: KubeObject): Metadata {
  return {
    labels: included(metadata.labels, ['*']),
    annotations: withoutKeys(
      included(metadata.annotations, ['*']),
      (key) => key === appliedAnnotation,
    ),
  };
}
