import type { Canary, RequestMatch } from '../../domain/canary.js';
import { namesOf } from '../../domain/names.js';
import type { KubeObject, ObjectRef } from '../../domain/objects.js';
import { allToPrimary, type Routes } from '../../domain/routes.js';
import { refuseUnable } from './abilities.js';
import { objectIn } from './copies.js';
import {
  upstreamParts,
  upstreamSources,
  upstreamsGivenBack,
  upstreamsOf,
} from './gloo-upstreams.js';
import {
  comparison,
  matchedRequests,
  refuseOtherParts,
  requireText,
  sortedEntries,
} from './matches.js';
import { givenBack, ourRules, overlay, routeMetadata } from './ownership.js';
import { agreedRoutes, type Acceptance, type Router } from './router.js';

const provider = 'gloo';
const kind = 'RouteTable';

/**
 * Gloo: one RouteTable, for a VirtualService of the user's to delegate to, and an Upstream for each
 * of the two services. Paths are those of the VirtualService; `service.match` says nothing here.
 * Fields: https://docs.solo.io/gloo-edge/latest/reference/api/github.com/solo-io/gloo/projects/gateway/api/v1/route_table.proto.sk/
 */
export function gloo(): Router {
  return {
    reads: (canary) => [
      ...upstreamParts(canary).map(({ ref }) => ref),
      ...upstreamSources(canary),
      tableRef(canary),
    ],

    needs: () => [],

    render(canary, split, live) {
      refuseUnable(canary, split);
      const table = tableIn(canary, live);
      const ours = oursIn(canary, table);
      const isOurs = ours.split.length + ours.rest.length > 0;
      const { apiVersion } = tableRef(canary);
      return [
        ...upstreamsOf(canary, live),
        {
          ...table,
          apiVersion,
          kind,
          metadata: routeMetadata(canary, table, isOurs),
          spec: { ...table?.spec, routes: routesOf(canary, split.routes, ours) },
        },
      ];
    },

    parse(canary, live) {
      const { primaryService, canaryService } = namesOf(canary);
      const { split } = oursIn(canary, tableIn(canary, live));
      return agreedRoutes(
        split.map((route) => ({
          primary: weightOf(servicesIn(canary, route), primaryService),
          canary: weightOf(servicesIn(canary, route), canaryService),
        })),
      );
    },

    finalize: (canary, live) => [
      ...upstreamsGivenBack(canary, live),
      ...givenBack(canary, tableIn(canary, live)),
    ],

    acceptance: (canary, live) => acceptanceOf(tableIn(canary, live)),
  };
}

interface RouteTable extends KubeObject {
  readonly spec?: { readonly routes?: readonly Route[] };
  readonly status?: Report & { readonly statuses?: Readonly<Record<string, Report>> };
}

interface Route {
  readonly matchers?: readonly object[];
  readonly inheritablePathMatchers?: boolean;
  readonly routeAction?: { readonly multi?: { readonly destinations?: readonly Destination[] } };
}

interface Destination {
  readonly destination?: {
    readonly upstream?: { readonly name: string; readonly namespace: string };
  };
  readonly weight?: number;
}

/** What one installation of Gloo says about an object. */
interface Report {
  readonly state?: string | number;
  readonly reason?: string;
}

function tableRef({ namespace, service: { name } }: Canary): ObjectRef {
  return { apiVersion: 'gateway.solo.io/v1', kind, namespace, name };
}

function tableIn(canary: Canary, live: readonly KubeObject[]): RouteTable | undefined {
  return objectIn(live, tableRef(canary)) as RouteTable | undefined;
}

interface WeightedService {
  readonly name: string;
  readonly weight: number;
}

function oursIn(canary: Canary, table: RouteTable | undefined): OurRoutes {
  return ourRules(canary, table?.spec?.routes ?? [], (route) => servicesIn(canary, route));
}

/** The services behind the destinations of a route; a destination without a weight gets nothing. */
function servicesIn(canary: Canary, { routeAction }: Route): WeightedService[] {
  const parts = upstreamParts(canary);
  return (routeAction?.multi?.destinations ?? []).flatMap((destination) => {
    const part = parts.find(({ ref }) => ref.name === upstreamOf(destination));
    return part === undefined ? [] : [{ name: part.service.name, weight: destination.weight ?? 0 }];
  });
}

function upstreamOf({ destination }: Destination): string | undefined {
  return destination?.upstream?.name;
}

function weightOf(services: readonly WeightedService[], wanted: string): number {
  return services.find(({ name }) => name === wanted)?.weight ?? 0;
}

const ownedByRoute = ['matchers', 'inheritablePathMatchers', 'routeAction'] as const;

/** What takes no part in the analysis comes last and goes to the primary, not nowhere. */
function routesOf(canary: Canary, routes: Routes, live: OurRoutes): Route[] {
  const { weighted, rest } = matchedRequests({
    ...canary,
    service: { ...canary.service, match: [] },
  });
  const toPrimary = destinationsOf(canary, allToPrimary).slice(0, 1);
  return [
    routeOf(weighted, destinationsOf(canary, routes), live.split[0]),
    ...(rest === undefined ? [] : [routeOf([], toPrimary, live.rest[0])]),
  ];
}

type OurRoutes = ReturnType<typeof ourRules<Route>>;

function routeOf(
  matches: readonly RequestMatch[],
  destinations: readonly Destination[],
  live: Route | undefined,
): Route {
  const current = live?.routeAction?.multi?.destinations ?? [];
  return overlay<Route>(live, ownedByRoute, {
    ...(matches.length === 0 ? {} : { matchers: matches.map(matcherOf) }),
    inheritablePathMatchers: true,
    routeAction: {
      multi: {
        destinations: destinations.map((destination) =>
          overlay<Destination>(
            current.find((other) => upstreamOf(other) === upstreamOf(destination)),
            ['destination', 'weight'],
            destination,
          ),
        ),
      },
    },
  });
}

function destinationsOf(canary: Canary, routes: Routes): Destination[] {
  return upstreamParts(canary).map(({ role, ref: { name, namespace } }) => ({
    destination: { upstream: { name, namespace } },
    weight: routes[role],
  }));
}

/** A request has to have all of a matcher, and any of the matchers of a route. */
function matcherOf(match: RequestMatch): object {
  refuseOtherParts(provider, match, ['headers', 'queryParams']);
  const headers = valueMatches('header', match.headers);
  const queryParameters = valueMatches('query parameter', match.queryParams);
  return {
    ...(headers.length === 0 ? {} : { headers }),
    ...(queryParameters.length === 0 ? {} : { queryParameters }),
  };
}

function valueMatches(what: string, values: RequestMatch['headers']): object[] {
  return sortedEntries(values).map(([name, value]) => {
    const title = `spec.analysis.match: ${what} ${name}`;
    const compared = comparison(provider, title, value, ['exact', 'regex']);
    const { how, text } = requireText(title, compared);
    return { name, value: text, ...(how === 'regex' ? { regex: true } : {}) };
  });
}

/** The states as older versions number them. */
const states = ['Pending', 'Accepted', 'Rejected', 'Warning'];

/** No report says which generation it is about: what is old counts as long as nothing newer came. */
function acceptanceOf(table: RouteTable | undefined): Acceptance {
  const { statuses, ...status } = table?.status ?? {};
  const reports = [status, ...Object.values(statuses ?? {})].flatMap(({ state, reason }) =>
    state === undefined ? [] : [{ state: states[Number(state)] ?? state, reason }],
  );
  if (reports.length === 0) return { kind: 'unreported' };
  const refused = reports.find(({ state }) => state === 'Rejected');
  if (refused !== undefined)
    return { kind: 'refused', reason: refused.reason ?? 'no reason given' };
  return { kind: reports.some(({ state }) => state === 'Pending') ? 'pending' : 'accepted' };
}
