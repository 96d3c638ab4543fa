import type { Canary, RequestMatch } from '../../domain/canary.js';
import type { KubeObject } from '../../domain/objects.js';
import { namesOf } from '../../domain/names.js';
import { allToPrimary, type Routes } from '../../domain/routes.js';
import { comparison, matchedRequests, refuseOtherParts, sortedEntries } from './matches.js';
import { ourRules, overlay, routeMetadata } from './ownership.js';
import { agreedRoutes, type Acceptance, type Router } from './router.js';

const apiVersion = 'projectcontour.io/v1';
const kind = 'HTTPProxy';
const provider = 'contour';

/**
 * Contour: one HTTPProxy without a virtual host, for a root proxy of the user's to include.
 * Fields: https://projectcontour.io/docs/main/config/api/
 */
export function contour({ ingressClass }: { readonly ingressClass: string }): Router {
  return {
    can: { weigh: true, mirror: false, matchRequests: true },

    reads: ({ namespace, service: { name } }) => [{ apiVersion, kind, namespace, name }],

    needs: () => [],

    render(canary, routes, live) {
      const current = proxyIn(live);
      return [
        {
          ...current,
          apiVersion,
          kind,
          metadata: routeMetadata(canary, current),
          spec: {
            ...current?.spec,
            ...(ingressClass === '' ? {} : { ingressClassName: ingressClass }),
            routes: routesOf(canary, routes, current?.spec?.routes ?? []),
          },
        },
      ];
    },

    parse(canary, live) {
      const { weighted } = ourRules(canary, proxyIn(live)?.spec?.routes ?? [], servicesIn);
      const { primaryService, canaryService } = namesOf(canary);
      return agreedRoutes(
        weighted.map((route) => ({
          primary: weightOf(servicesIn(route), primaryService),
          canary: weightOf(servicesIn(route), canaryService),
        })),
      );
    },

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

function routesOf(canary: Canary, routes: Routes, live: readonly Route[]): Route[] {
  const { weighted, rest } = matchedRequests(canary);
  const current = ourRules(canary, live, servicesIn);
  const split = servicesOf(canary, routes);
  const primaryOnly = servicesOf(canary, allToPrimary).slice(0, 1);
  return [
    ...orEverything(weighted).map((match, i) => routeOf(canary, match, split, current.weighted[i])),
    ...(rest === undefined ? [] : orEverything(rest)).map((match, i) =>
      routeOf(canary, match, primaryOnly, current.rest[i]),
    ),
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
    services: services.map((service) =>
      overlay(
        live?.services?.find(({ name }) => name === service.name),
        ownedByService,
        service,
      ),
    ),
  });
}

/** Weights are always written out, zero too: what an absent weight means differs between versions. */
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
