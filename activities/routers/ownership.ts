import type { Canary, Metadata } from '../../domain/canary.js';
import { pick, withoutKeys } from '../../domain/entries.js';
import { namesOf } from '../../domain/names.js';
import type { KubeObject, ObjectMeta } from '../../domain/objects.js';
import { controllingCanary, ownerReferenceTo } from '../../domain/primary.js';

/** Flux would fight over the weights if it were to reconcile the object. */
const leftAloneByFlux = {
  'kustomize.toolkit.fluxcd.io/reconcile': 'disabled',
  'helm.toolkit.fluxcd.io/driftDetection': 'disabled',
};

/** Where an object that was there before keeps what it was like, for the day the Canary goes. */
const beforeAnnotation = 'sluice.dev/before';

/** Where kubectl keeps what was last applied. */
export const appliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

/** Where an object that no Canary can own says for which one it was made. */
const madeForAnnotation = 'sluice.dev/canary';

/** What the Canary laid itself over: the spec, and the labels and annotations it sets itself. */
interface Before extends Metadata {
  readonly spec: unknown;
}

/** What a Canary sets of the metadata of a routing object. */
export interface OwnMetadata extends Metadata {
  readonly name: string;
  /** Annotations that are the Canary's to take away, besides those it sets. */
  readonly governs?: (annotation: string) => boolean;
  /** What a new object has besides, for anybody to change. */
  readonly initially?: Metadata;
  /** Objects of this kind have no namespace, so that nothing that has one can own them. */
  readonly isClusterWide?: boolean;
}

/** What an object gets that clients call: the name of the service, and what `service.apex` says. */
export function apexMetadata({ service: { name, apex } }: Canary): OwnMetadata {
  return { name, ...apex };
}

/**
 * The metadata of a routing object: the Canary's own over what is there. The Canary owns what it
 * creates; an object that was there before is adopted without being owned, and remembers what it
 * was like. `isOurs` tells whether what is there has rules of the Canary.
 */
export function routeMetadata(
  canary: Canary,
  live: KubeObject | undefined,
  isOurs: boolean,
  own: OwnMetadata = apexMetadata(canary),
): ObjectMeta {
  const there = live?.metadata ?? own.initially;
  const labels = { ...there?.labels, ...own.labels };
  return {
    ...(live?.metadata ?? created(canary, own)),
    annotations: {
      ...withoutKeys(there?.annotations, isOwnOf(own)),
      ...ownAnnotations(own),
      ...(live === undefined ? madeFor(canary, own) : {}),
      ...(live === undefined || isOurs ? {} : remembered(canary, live, own)),
    },
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
  };
}

/**
 * A routing object as it was before the Canary took it over; nothing for one that the Canary
 * created, or that nobody knows an earlier state of. What kubectl applied last is the newer word.
 */
export function givenBack(
  canary: Canary,
  live: KubeObject | undefined,
  own: OwnMetadata = apexMetadata(canary),
): readonly KubeObject[] {
  if (live === undefined || isMadeFor(canary, live.metadata)) return [];
  const { metadata } = live;
  const before = parsed<Before>(metadata.annotations?.[beforeAnnotation]);
  const spec = parsed<KubeObject>(metadata.annotations?.[appliedAnnotation])?.spec ?? before?.spec;
  if (spec === undefined) return [];
  if (before === undefined) return [{ ...live, spec }];
  const labels = { ...withoutKeys(metadata.labels, isIn(own.labels)), ...before.labels };
  const annotations = {
    ...withoutKeys(metadata.annotations, isOwnOf(own), (key) => key === beforeAnnotation),
    ...before.annotations,
  };
  return [{ ...live, metadata: { ...metadata, labels, annotations }, spec }];
}

function ownAnnotations({ annotations }: OwnMetadata): Readonly<Record<string, string>> {
  return { ...annotations, ...leftAloneByFlux };
}

function isOwnOf(own: OwnMetadata): (annotation: string) => boolean {
  const isSet = isIn(ownAnnotations(own));
  return (annotation) => isSet(annotation) || own.governs?.(annotation) === true;
}

function isIn(entries: object): (key: string) => boolean {
  return (key) => Object.hasOwn(entries, key);
}

/** Whether the object is there because of this Canary alone. */
export function isMadeFor(canary: Canary, metadata: ObjectMeta): boolean {
  return (
    controllingCanary(metadata) === canary.name ||
    metadata.annotations?.[madeForAnnotation] === namesOf(canary).canary
  );
}

function created(canary: Canary, { name, isClusterWide = false }: OwnMetadata): ObjectMeta {
  if (isClusterWide) return { name };
  return { name, namespace: canary.namespace, ownerReferences: [ownerReferenceTo(canary)] };
}

function madeFor(canary: Canary, { isClusterWide = false }: OwnMetadata): Record<string, string> {
  return isClusterWide ? { [madeForAnnotation]: namesOf(canary).canary } : {};
}

function remembered(
  canary: Canary,
  { metadata, spec }: KubeObject,
  own: OwnMetadata,
): Record<string, string> {
  const isKnown = metadata.annotations?.[beforeAnnotation] !== undefined;
  if (isKnown || isMadeFor(canary, metadata)) return {};
  const isOwn = isOwnOf(own);
  const before: Before = {
    labels: pick(metadata.labels, ...Object.keys(own.labels)),
    annotations: withoutKeys(metadata.annotations, (key) => !isOwn(key)),
    spec,
  };
  return { [beforeAnnotation]: JSON.stringify(before) };
}

/** What people may have edited: text that cannot be read says nothing. */
export function parsed<T>(text: string | undefined): Partial<T> | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as Partial<T>);
  } catch {
    return undefined;
  }
}

/**
 * Lays a router's own fields over a live object: `owned` names all fields the router may set, so
 * those it does not set now go away, and every other field stays.
 */
export function overlay<T extends object>(
  live: object | undefined,
  owned: readonly (keyof T & string)[],
  own: T,
): T {
  const foreign = Object.entries(live ?? {}).filter(
    ([field]) => !(owned as readonly string[]).includes(field),
  );
  return { ...(Object.fromEntries(foreign) as object), ...own };
}

/**
 * Picks the rules of a route that are ours: those with both services are split between them, those
 * with the primary alone serve the requests that take no part in the analysis.
 */
export function ourRules<R>(
  canary: Canary,
  rules: readonly R[],
  backendsOf: (rule: R) => readonly { readonly name: string }[],
): { readonly split: readonly R[]; readonly rest: readonly R[] } {
  const { primaryService, canaryService } = namesOf(canary);
  const has = (rule: R, service: string) => backendsOf(rule).some(({ name }) => name === service);
  const ours = rules.filter((rule) => has(rule, primaryService));
  return {
    split: ours.filter((rule) => has(rule, canaryService)),
    rest: ours.filter((rule) => !has(rule, canaryService)),
  };
}
