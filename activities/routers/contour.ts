import type { Canary, RequestMatch } from '../../domain/canary.js';
import type { KubeObject } from '../../domain/objects.js';
import { namesOf } from '../../domain/names.js';
import { allToPrimary, type Routes } from '../../domain/routes.js';
import { comparison, matchedRequests, refuseOtherParts, sortedEntries } from './matches.js';
import { givenBack, ourRules, overlay, routeMetadata } from './ownership.js';
import { agreedRoutes, Unroutable, type Acceptance, type Router, type Split } from './router.js';

const apiVersion = 'projectcontour.io/v1';
const kind = 'HTTPProxy';
const provider = 'contour';

/**
 * Contour: one HTTPProxy without a virtual host, for a root proxy of the user's to include.
 * Fields: https://projectcontour.io/docs/main/config/api/
 */
export function contour({ ingressClass }: { readonly ingressClass: string }): Router {
  return {
    reads: ({ namespace, service: { name } }) => [{ apiVersion, kind, namespace, name }],

    needs: () => [],

    render(canary, split, live) {
      refuseUnsupported(split);
      const current = proxyIn(live);
      const ours = oursIn(canary, current);
      return [
        {
          ...current,
          apiVersion,
          kind,
          metadata: routeMetadata(canary, current, ours.length > 0),
          spec: {
            ...current?.spec,
            ...(ingressClass === '' ? {} : { ingressClassName: ingressClass }),
            routes: routesOf(canary, split.routes, ours),
          },
        },
      ];
    },

    parse(canary, live) {
      const { primaryService, canaryService } = namesOf(canary);
      const { split } = ourRules(canary, proxyIn(live)?.spec?.routes ?? [], servicesIn);
      const weights = split.map((route) => ({
        primary: weightOf(servicesIn(route), primaryService),
        canary: weightOf(servicesIn(route), canaryService),
      }));
      return agreedRoutes(canary.analysis.match.length === 0 ? weights : ofMatching(weights));
    },

    finalize: (canary, live) => givenBack(canary, proxyIn(live)),

    acceptance: (_canary, live) => acceptanceOf(proxyIn(live)),
  };
}

interface HttpProxy extends KubeObject {
  readonly spec?: { readonly routes?: readonly Route[] };
  readonly status?: { readonly conditions?: readonly DetailedCondition[] };
}

interface Route {
  readonly conditions?: readonly object[];
  readonly timeoutPolicy?: { readonly response: string; readonly idle: string };
  readonly retryPolicy?: object;
  readonly services?: readonly WeightedService[];
}

interface WeightedService {
  readonly name: string;
  readonly port: number;
  readonly weight?: number;
  readonly requestHeadersPolicy?: object;
}

interface DetailedCondition {
  readonly type: string;
  readonly status: string;
  readonly observedGeneration?: number;
  readonly message?: string;
  readonly errors?: readonly { readonly type: string; readonly message?: string }[];
}

function proxyIn(live: readonly KubeObject[]): HttpProxy | undefined {
  return live.find((object): object is HttpProxy => object.kind === kind);
}

const everything: readonly RequestMatch[] = [{}];

function servicesIn({ services = [] }: Route): readonly WeightedService[] {
  return services;
}

function oursIn(canary: Canary, proxy: HttpProxy | undefined): readonly Route[] {
  const { split, rest } = ourRules(canary, proxy?.spec?.routes ?? [], servicesIn);
  return [...split, ...rest];
}

/** The proxies of Contour know mirroring and cookies, but not as a release needs them. */
function refuseUnsupported({ routes, cookies }: Split): void {
  if (routes.mirror === true) {
    throw new Unroutable(`spec.analysis.mirror: is not supported by ${provider}`);
  }
  if (cookies.canary !== undefined || cookies.primary !== undefined) {
    throw new Unroutable(`spec.analysis.sessionAffinity: is not supported by ${provider}`);
  }
}

/**
 * The weights of the routes for matching requests, which come first. Those for all other requests
 * have both services too, as Flagger writes them, but always with everything at the primary.
 */
function ofMatching(weights: readonly Routes[]): readonly Routes[] {
  return weights.filter(({ canary }, i) => i === 0 || canary !== 0);
}

function routesOf(canary: Canary, routes: Routes, live: readonly Route[]): Route[] {
  const { weighted, rest } = matchedRequests(canary);
  const others = rest === undefined ? [] : orEverything(rest);
  const liveMatching = live.slice(0, Math.max(0, live.length - others.length));
  const liveOthers = live.slice(liveMatching.length);
  const split = servicesOf(canary, routes);
  const atPrimary = servicesOf(canary, allToPrimary);
  return [
    ...orEverything(weighted).map((match, i) => routeOf(canary, match, split, liveMatching[i])),
    ...others.map((match, i) => routeOf(canary, match, atPrimary, liveOthers[i])),
  ];
}

function orEverything(matches: readonly RequestMatch[]): readonly RequestMatch[] {
  return matches.length === 0 ? everything : matches;
}

const ownedByRoute = ['conditions', 'timeoutPolicy', 'retryPolicy', 'services'] as const;
const ownedByService = ['name', 'port', 'weight', 'requestHeadersPolicy'] as const;

function routeOf(
  canary: Canary,
  match: RequestMatch,
  services: readonly WeightedService[],
  live: Route | undefined,
): Route {
  const { timeout, retries } = canary.service;
  return overlay<Route>(live, ownedByRoute, {
    conditions: conditionsOf(match),
    ...(timeout === undefined ? {} : { timeoutPolicy: { response: timeout, idle: '5m' } }),
    ...(retries === undefined ? {} : { retryPolicy: retryPolicyOf(retries) }),
    services: services.map((service) => {
      const current = live?.services?.find(({ name }) => name === service.name);
      return overlay<WeightedService>(current, ownedByService, asWritten(service, current));
    }),
  });
}

/** Flagger leaves a zero out beside another weight; where it means the same nothing is to be written. */
function asWritten(
  service: WeightedService,
  current: WeightedService | undefined,
): WeightedService {
  const isLeftOut = service.weight === 0 && current !== undefined && current.weight === undefined;
  if (!isLeftOut) return service;
  const { weight: _, ...rest } = service;
  return rest;
}

/** Weights are otherwise always written out, zero too: what an absent weight means differs between versions. */
function servicesOf(canary: Canary, routes: Routes): WeightedService[] {
  const { primaryService, canaryService } = namesOf(canary);
  const { port } = canary.service;
  const service = (name: string, weight: number): WeightedService => ({
    name,
    port,
    weight,
    requestHeadersPolicy: {
      set: [
        {
          name: 'l5d-dst-override',
          value: `${name}.${canary.namespace}.svc.cluster.local:${String(port)}`,
        },
      ],
    },
  });
  return [service(primaryService, routes.primary), service(canaryService, routes.canary)];
}

/** Contour joins the conditions of a route by AND. */
function conditionsOf(match: RequestMatch): object[] {
  refuseOtherParts(provider, match, ['uri', 'headers', 'queryParams']);
  const { uri = { prefix: '/' }, headers, queryParams } = match;
  const path = comparison(provider, 'uri', uri, ['prefix', 'exact', 'regex']);
  return [
    { [path.how]: path.text },
    ...sortedEntries(headers).map(([name, value]) => {
      const { how, text } = comparison(provider, `header ${name}`, value, headerMatches);
      return { header: { name, [headerField[how]]: text } };
    }),
    ...sortedEntries(queryParams).map(([name, value]) => {
      const { how, text } = comparison(provider, `query parameter ${name}`, value, queryMatches);
      return { queryParameter: { name, [how]: text } };
    }),
  ];
}

const headerMatches = ['exact', 'prefix', 'suffix', 'regex'] as const;
const queryMatches = ['exact', 'prefix', 'suffix', 'regex'] as const;

/** Contour knows no prefix or suffix of a header; Flagger's users have had `contains` for both. */
const headerField = { exact: 'exact', prefix: 'contains', suffix: 'contains', regex: 'regex' };

/** The count is written out because the API server would write its default in its place. */
function retryPolicyOf({ attempts = 0, perTryTimeout, retryOn = '' }: Retries): object {
  const conditions = retryOn.split(',').flatMap((word) => word.trim() || []);
  return {
    count: attempts === 0 ? 1 : attempts,
    ...(perTryTimeout === undefined ? {} : { perTryTimeout }),
    ...(conditions.length === 0 ? {} : { retryOn: conditions }),
  };
}

type Retries = NonNullable<Canary['service']['retries']>;

function weightOf(services: readonly WeightedService[], name: string): number {
  return services.find((service) => service.name === name)?.weight ?? 0;
}

function acceptanceOf(proxy: HttpProxy | undefined): Acceptance {
  const valid = proxy?.status?.conditions?.find(({ type }) => type === 'Valid');
  if (valid === undefined) return { kind: 'unreported' };
  if ((valid.observedGeneration ?? 0) < (proxy?.metadata.generation ?? 0)) {
    return { kind: 'pending' };
  }
  const faults = faultsOf(valid);
  return faults.length === 0
    ? { kind: 'accepted' }
    : { kind: 'refused', reason: faults.join('; ') };
}

/** A proxy that no root proxy includes yet is in order; its owner may add the root later. */
function faultsOf({
  status,
  errors = [],
  message = 'no reason given',
}: DetailedCondition): string[] {
  if (status === 'True') return [];
  if (errors.length === 0) return [message];
  return errors
    .filter(({ type }) => type !== 'Orphaned')
    .map((error) => error.message ?? error.type);
}
