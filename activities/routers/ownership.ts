import type { Canary } from '../../domain/canary.js';
import { namesOf } from '../../domain/names.js';
import type { KubeObject, ObjectMeta } from '../../domain/objects.js';

/** Flux would fight over the weights if it were to reconcile the object. */
const leftAloneByFlux = {
  'kustomize.toolkit.fluxcd.io/reconcile': 'disabled',
  'helm.toolkit.fluxcd.io/driftDetection': 'disabled',
};

/**
 * The metadata of a routing object: that of `service.apex` over what is there. The Canary owns
 * what it creates; an object that was there before is adopted without being owned.
 */
export function routeMetadata(canary: Canary, live: KubeObject | undefined): ObjectMeta {
  const { apex, name } = canary.service;
  const annotations = { ...live?.metadata.annotations, ...apex.annotations, ...leftAloneByFlux };
  const labels = { ...live?.metadata.labels, ...apex.labels };
  return {
    ...(live?.metadata ?? { ...created(canary), name }),
    annotations,
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
  };
}

function created({ namespace, name, uid }: Canary): Omit<ObjectMeta, 'name'> {
  const owner = {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
  return { namespace, ownerReferences: [owner] };
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
 * Picks the rules of a route that are ours: those with both services carry the weights, those with
 * the primary alone serve the requests that take no part in the analysis.
 */
export function ourRules<R>(
  canary: Canary,
  rules: readonly R[],
  backendsOf: (rule: R) => readonly { readonly name: string }[],
): { readonly weighted: readonly R[]; readonly rest: readonly R[] } {
  const { primaryService, canaryService } = namesOf(canary);
  const has = (rule: R, service: string) => backendsOf(rule).some(({ name }) => name === service);
  const ours = rules.filter((rule) => has(rule, primaryService));
  return {
    weighted: ours.filter((rule) => has(rule, canaryService)),
    rest: ours.filter((rule) => !has(rule, canaryService)),
  };
}
