import type { Canary, GatewayRef, RequestMatch } from '../../domain/canary.js';
import { namesOf } from '../../domain/names.js';
import type { KubeObject } from '../../domain/objects.js';
import { allToPrimary, type Routes } from '../../domain/routes.js';
import type { Role } from '../../domain/release.js';
import { affinityOf, setCookieFilter, withCookie, type SetCookies } from './gateway-affinity.js';
import { filtersOf, mirrorFilter } from './gateway-filters.js';
import {
  comparison,
  matchedRequests,
  narrowed,
  refuseOtherParts,
  sortedEntries,
} from './matches.js';
import { givenBack, ourRules, overlay, routeMetadata } from './ownership.js';
import { agreedRoutes, Unroutable, type Acceptance, type Router, type Split } from './router.js';

const group = 'gateway.networking.k8s.io';
const kind = 'HTTPRoute';
const provider = 'gatewayapi';

/**
 * Gateway API: one HTTPRoute, weights on its backendRefs. It is attached to gateways, or for the
 * clients inside of a mesh to the service that they call. Everything the API server would fill
 * with a default is written out, so that what was rendered is what is read back.
 * Fields: https://gateway-api.sigs.k8s.io/reference/spec/
 */
export function gatewayApi({ version }: { readonly version: string }): Router {
  const apiVersion = `${group}/${version}`;
  return {
    reads: ({ namespace, service: { name } }) => [{ apiVersion, kind, namespace, name }],

    needs: (canary) =>
      parentsOf(canary).flatMap(({ kind: parent, name, namespace = canary.namespace, ...ref }) => {
        const owner = `${groupOf(ref)}/${parent}`;
        if (owner === `${group}/Gateway`) return [{ apiVersion, kind: parent, namespace, name }];
        if (owner === '/Service') return [{ apiVersion: 'v1', kind: parent, namespace, name }];
        return [];
      }),

    render(manifest, split, live) {
      const canary = version === 'v1beta1' ? withoutNewerFields(manifest) : manifest;
      const current = routeIn(live);
      const ours = ourRules(canary, current?.spec?.rules ?? [], backendsIn);
      const { hosts } = canary.service;
      const own = {
        parentRefs: parentsOf(canary),
        ...(hosts.length === 0 ? {} : { hostnames: hosts }),
        rules: rulesOf(canary, split, ours),
      };
      const isOurs = ours.split.length + ours.rest.length > 0;
      return [
        {
          ...current,
          apiVersion,
          kind,
          metadata: routeMetadata(canary, current, isOurs),
          spec: overlay<HttpRouteSpec>(current?.spec, ownedBySpec, own),
        },
      ];
    },

    parse(canary, live) {
      const { primaryService, canaryService } = namesOf(canary);
      const { split } = ourRules(canary, routeIn(live)?.spec?.rules ?? [], backendsIn);
      // Those before the last one are for clients with cookies.
      const found = split.slice(-1).map((rule) => ({
        primary: weightOf(backendsIn(rule), primaryService),
        canary: weightOf(backendsIn(rule), canaryService),
        ...(mirrorsTo(rule, canaryService) ? { mirror: true as const } : {}),
      }));
      return agreedRoutes(found);
    },

    finalize: (canary, live) => givenBack(canary, routeIn(live)),

    acceptance: (_canary, live) => acceptanceOf(routeIn(live)),
  };
}

interface HttpRoute extends KubeObject {
  readonly spec?: HttpRouteSpec;
  readonly status?: { readonly parents?: readonly ParentStatus[] };
}

interface HttpRouteSpec {
  readonly parentRefs?: readonly GatewayRef[];
  readonly hostnames?: readonly string[];
  readonly rules?: readonly Rule[];
}

interface Rule {
  readonly matches?: readonly object[];
  readonly filters?: readonly Filter[];
  readonly timeouts?: { readonly request?: string; readonly backendRequest?: string };
  readonly backendRefs?: readonly BackendRef[];
}

interface Filter {
  readonly requestMirror?: { readonly backendRef?: { readonly name?: string } };
}

interface BackendRef {
  readonly group?: string;
  readonly kind?: string;
  readonly name: string;
  readonly port?: number;
  readonly weight?: number;
  readonly filters?: readonly object[];
}

interface ParentStatus {
  readonly parentRef: GatewayRef;
  readonly conditions?: readonly Condition[];
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly observedGeneration?: number;
  readonly reason?: string;
  readonly message?: string;
}

const ownedBySpec = ['parentRefs', 'hostnames', 'rules'] as const;
const ownedByRule = ['matches', 'filters', 'timeouts', 'backendRefs'] as const;
const ownedByBackend = ['group', 'kind', 'name', 'port', 'weight', 'filters'] as const;

function routeIn(live: readonly KubeObject[]): HttpRoute | undefined {
  return live.find((object): object is HttpRoute => object.kind === kind);
}

/** Flagger's manifests for the older version may be for a cluster that knows none of these. */
function withoutNewerFields(canary: Canary): Canary {
  const { timeout, backendTimeout, corsPolicy, ...service } = canary.service;
  return { ...canary, service };
}

function parentsOf({ service }: Canary): (GatewayRef & { group: string; kind: string })[] {
  if (service.gatewayRefs.length === 0) {
    throw new Unroutable('spec.service.gatewayRefs: is required by the gatewayapi providers');
  }
  return service.gatewayRefs.map((ref) => ({ group, kind: 'Gateway', ...ref }));
}

function backendsIn({ backendRefs = [] }: Rule): readonly BackendRef[] {
  return backendRefs;
}

/**
 * The rules for clients with cookies come first, the last one with both services has the weights,
 * and the one with the primary alone is for requests that take no part in the analysis.
 */
function rulesOf(canary: Canary, split: Split, live: OurRules): Rule[] {
  const { weighted, rest } = matchedRequests(canary);
  const { sticky, setCookies } = affinityOf(canary, split);
  const { routes } = split;
  const filters = routes.mirror === true ? [mirrorFilter(canary)] : [];
  const requests = [weighted, ...(rest === undefined ? [] : [rest])].flatMap(orEverything);
  return [
    ...sticky.map(({ cookie, routes: held, setCookies: set }, i) => {
      const matches = requests.map((match) => narrowed(match, withCookie(cookie)));
      const backends = backendsOf(canary, held, set);
      return ruleOf(canary, { matches, filters, backends }, live.split.slice(0, -1)[i]);
    }),
    ruleOf(
      canary,
      { matches: weighted, filters, backends: backendsOf(canary, routes, setCookies) },
      live.split.at(-1),
    ),
    ...(rest === undefined ? [] : [ruleOf(canary, restOf(canary, rest), live.rest[0])]),
  ];
}

type OurRules = ReturnType<typeof ourRules<Rule>>;

interface RuleBody {
  readonly matches: readonly RequestMatch[];
  /** Those the release adds to the manifest's. */
  readonly filters: readonly Filter[];
  readonly backends: readonly BackendRef[];
}

function restOf(canary: Canary, matches: readonly RequestMatch[]): RuleBody {
  return { matches, filters: [], backends: backendsOf(canary, allToPrimary, {}).slice(0, 1) };
}

function orEverything(matches: readonly RequestMatch[]): readonly RequestMatch[] {
  return matches.length === 0 ? [{}] : matches;
}

function ruleOf(
  canary: Canary,
  { matches, filters: added, backends }: RuleBody,
  live: Rule | undefined,
): Rule {
  const { timeout, backendTimeout } = canary.service;
  const timeouts = {
    ...(timeout === undefined ? {} : { request: timeout }),
    ...(backendTimeout === undefined ? {} : { backendRequest: backendTimeout }),
  };
  const filters = [...filtersOf(canary), ...added];
  return overlay<Rule>(live, ownedByRule, {
    matches: orEverything(matches).map(matchOf),
    ...(filters.length === 0 ? {} : { filters }),
    ...(Object.keys(timeouts).length === 0 ? {} : { timeouts }),
    backendRefs: backends.map((backend) =>
      overlay(
        live?.backendRefs?.find(({ name }) => name === backend.name),
        ownedByBackend,
        backend,
      ),
    ),
  });
}

function backendsOf(canary: Canary, routes: Routes, setCookies: SetCookies): BackendRef[] {
  const { primaryService, canaryService } = namesOf(canary);
  const backend = (name: string, role: Role): BackendRef => {
    const cookie = setCookies[role];
    return {
      group: '',
      kind: 'Service',
      name,
      port: canary.service.port,
      weight: routes[role],
      ...(cookie === undefined ? {} : { filters: [setCookieFilter(cookie)] }),
    };
  };
  return [backend(primaryService, 'primary'), backend(canaryService, 'canary')];
}

const pathType = { regex: 'RegularExpression', exact: 'Exact', prefix: 'PathPrefix' } as const;
const valueType = { exact: 'Exact', regex: 'RegularExpression' } as const;

function matchOf(match: RequestMatch): object {
  refuseOtherParts(provider, match, ['uri', 'method', 'headers', 'queryParams']);
  const { uri = { prefix: '/' }, method, headers, queryParams } = match;
  const path = comparison(provider, 'uri', uri, ['regex', 'exact', 'prefix']);
  const listed = {
    headers: sortedEntries(headers).map(([name, value]) => valueMatch('header', name, value)),
    queryParams: sortedEntries(queryParams).map(([name, value]) =>
      valueMatch('query parameter', name, value),
    ),
  };
  return {
    path: { type: pathType[path.how], value: path.text },
    ...(method === undefined
      ? {}
      : { method: comparison(provider, 'method', method, ['exact']).text }),
    ...(listed.headers.length === 0 ? {} : { headers: listed.headers }),
    ...(listed.queryParams.length === 0 ? {} : { queryParams: listed.queryParams }),
  };
}

function valueMatch(what: string, name: string, value: RequestMatch['uri'] & object): object {
  const { how, text } = comparison(provider, `${what} ${name}`, value, ['exact', 'regex']);
  return { type: valueType[how], name, value: text };
}

function mirrorsTo({ filters = [] }: Rule, service: string): boolean {
  return filters.some(({ requestMirror }) => requestMirror?.backendRef?.name === service);
}

/** A backend without a weight has weight 1. */
function weightOf(refs: readonly BackendRef[], service: string): number {
  const ref = refs.find(({ name }) => name === service);
  return ref === undefined ? 0 : (ref.weight ?? 1);
}

/**
 * Every parent that has anything to say about the route must have accepted it. Linkerd does not say
 * of which generation it speaks; its word is taken as the latest.
 */
function acceptanceOf(route: HttpRoute | undefined): Acceptance {
  const verdicts = route === undefined ? [] : verdictsOn(route);
  if (verdicts.length === 0) return { kind: 'unreported' };
  const generation = route?.metadata.generation ?? 0;
  if (verdicts.some(({ observedGeneration = generation }) => observedGeneration < generation)) {
    return { kind: 'pending' };
  }
  const refused = verdicts.find(({ status }) => status !== 'True');
  return refused === undefined
    ? { kind: 'accepted' }
    : { kind: 'refused', reason: `${refused.parent}: ${reasonOf(refused)}` };
}

type Verdict = Condition & { readonly parent: string };

function verdictsOn({ metadata: { namespace = '' }, spec, status }: HttpRoute): Verdict[] {
  return (spec?.parentRefs ?? []).flatMap((parent) =>
    (status?.parents ?? [])
      .filter(({ parentRef }) => isSameParent(parentRef, parent, namespace))
      .flatMap(({ conditions = [] }) => conditions.filter(({ type }) => type === 'Accepted'))
      .map((condition) => ({ ...condition, parent: titleOf(parent) })),
  );
}

function titleOf({ kind: parent = 'Gateway', name }: GatewayRef): string {
  return `${parent.toLowerCase()} ${name}`;
}

function reasonOf({ reason = '', message = '' }: Condition): string {
  return message === '' ? reason : message;
}

/** A report may spell a parent otherwise than the route: with a namespace, or the core group named. */
function isSameParent(a: GatewayRef, b: GatewayRef, namespace: string): boolean {
  const named = (ref: GatewayRef) => ({ namespace, ...ref, group: groupOf(ref) });
  const [first, second] = [named(a), named(b)];
  const keys = ['group', 'kind', 'namespace', 'name', 'sectionName', 'port'] as const;
  return keys.every((key) => first[key] === second[key]);
}

/** The core group has no name, but Linkerd and its users call it `core`. */
function groupOf({ group: named = group }: Pick<GatewayRef, 'group'>): string {
  return named === 'core' ? '' : named;
}
