import type { Canary } from '../../domain/canary.js';
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
const appliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

/** What the Canary laid itself over: the spec, and the labels and annotations it sets itself. */
interface Before {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: unknown;
}

/**
 * The metadata of a routing object: that of `service.apex` over what is there. The Canary owns
 * what it creates; an object that was there before is adopted without being owned, and remembers
 * what it was like. `isOurs` tells whether what is there has rules of the Canary.
 */
export function routeMetadata(
  canary: Canary,
  live: KubeObject | undefined,
  isOurs: boolean,
): ObjectMeta {
  const own = ownEntries(canary);
  const labels = { ...live?.metadata.labels, ...own.labels };
  return {
    ...(live?.metadata ?? created(canary)),
    annotations: {
      ...live?.metadata.annotations,
      ...own.annotations,
      ...(live === undefined || isOurs ? {} : remembered(canary, live)),
    },
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
  };
}

/**
 * A routing object as it was before the Canary took it over; nothing for one that the Canary
 * created, or that nobody knows an earlier state of. What kubectl applied last is the newer word.
 */
export function givenBack(canary: Canary, live: KubeObject | undefined): readonly KubeObject[] {
  if (live === undefined || controllingCanary(live.metadata) === canary.name) return [];
  const { metadata } = live;
  const before = parsed<Before>(metadata.annotations?.[beforeAnnotation]);
  const spec = parsed<KubeObject>(metadata.annotations?.[appliedAnnotation])?.spec ?? before?.spec;
  if (spec === undefined) return [];
  if (before === undefined) return [{ ...live, spec }];
  const own = ownEntries(canary);
  const labels = { ...without(metadata.labels, own.labels), ...before.labels };
  const annotations = {
    ...without(metadata.annotations, { ...own.annotations, [beforeAnnotation]: '' }),
    ...before.annotations,
  };
  return [{ ...live, metadata: { ...metadata, labels, annotations }, spec }];
}

function ownEntries({ service: { apex } }: Canary): Pick<Before, 'labels' | 'annotations'> {
  return { labels: apex.labels, annotations: { ...apex.annotations, ...leftAloneByFlux } };
}

function created(canary: Canary): ObjectMeta {
  const { namespace, service } = canary;
  return { name: service.name, namespace, ownerReferences: [ownerReferenceTo(canary)] };
}

function remembered(canary: Canary, { metadata, spec }: KubeObject): Record<string, string> {
  const isKnown = metadata.annotations?.[beforeAnnotation] !== undefined;
  if (isKnown || controllingCanary(metadata) === canary.name) return {};
  const own = ownEntries(canary);
  const before: Before = {
    labels: pick(metadata.labels, ...Object.keys(own.labels)),
    annotations: pick(metadata.annotations, ...Object.keys(own.annotations)),
    spec,
  };
  return { [beforeAnnotation]: JSON.stringify(before) };
}

function without(
  entries: Readonly<Record<string, string>> | undefined,
  gone: Readonly<Record<string, string>>,
): Record<string, string> {
  return withoutKeys(entries, (key) => key in gone);
}

/** What people may have edited: text that cannot be read says nothing. */
function parsed<T>(text: string | undefined): Partial<T> | undefined {
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
