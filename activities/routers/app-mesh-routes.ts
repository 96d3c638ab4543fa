import type { Canary, RequestMatch } from '../../domain/canary.js';
import { parseDuration } from '../../domain/duration.js';
import { namesOf } from '../../domain/names.js';
import { allToCanary, allToPrimary, type Routes } from '../../domain/routes.js';
import { comparison, matchedRequests, refuseOtherParts, sortedEntries } from './matches.js';
import { ourRules, overlay } from './ownership.js';
import { agreedRoutes, Unroutable } from './router.js';

/** How one version of the API writes routes. */
export interface RouteForm {
  /** Where a route of HTTP stands. */
  readonly field: 'http' | 'httpRoute';
  /** Names the virtual node of a target. */
  readonly node: (name: string) => Omit<Target, 'weight'>;
  /** What is done about slow and failed requests. */
  readonly policy: (canary: Canary) => Pick<HttpRoute, 'retryPolicy' | 'timeout'>;
}

/** A route, in either version. */
export interface Route {
  readonly name: string;
  readonly priority?: number;
  readonly http?: HttpRoute;
  readonly httpRoute?: HttpRoute;
}

interface HttpRoute {
  readonly match?: object;
  readonly action?: { readonly weightedTargets?: readonly Target[] };
  readonly retryPolicy?: object;
  readonly timeout?: object;
}

interface Target {
  readonly virtualNodeName?: string;
  readonly virtualNodeRef?: { readonly name: string };
  readonly weight: number;
}

/** A route in no version yet. */
interface Planned {
  readonly name: string;
  readonly priority?: number;
  readonly match: RequestMatch;
  readonly targets: readonly (readonly [name: string, weight: number])[];
}

/**
 * The routes of the service that clients call. Where only some requests take part in the analysis
 * theirs come first, and all others go to the primary.
 */
export function splitRoutes(
  canary: Canary,
  routes: Routes,
  form: RouteForm,
  live: readonly Route[],
): Route[] {
  const { name } = canary.service;
  const { weighted, rest } = matchedRequests(canary);
  const targets = targetsOf(canary, routes);
  const matching = orEverything(weighted);
  const planned: Planned[] =
    rest === undefined
      ? matching.map((match, i) => ({ name: numbered(name, i), match, targets }))
      : [
          ...matching.map((match, i) => ({
            name: numbered(`${name}-a`, i),
            priority: firstPriority + i,
            match,
            targets,
          })),
          ...orEverything(rest).map((match, i) => ({
            name: numbered(`${name}-b`, i),
            priority: Math.max(restPriority, firstPriority + matching.length) + i,
            match,
            targets: targetsOf(canary, allToPrimary).slice(1),
          })),
        ];
  return planned.map((route) => routeOf(canary, route, form, live));
}

/** The routes of the service that always leads to the canary, for tests of it. */
export function canaryRoutes(canary: Canary, form: RouteForm, live: readonly Route[]): Route[] {
  const { canaryService } = namesOf(canary);
  const targets = targetsOf(canary, allToCanary);
  return orEverything(canary.service.match)
    .map((match, i) => ({ name: numbered(canaryService, i), match, targets }))
    .map((route) => routeOf(canary, route, form, live));
}

/** Whether routes that are there lead to the canary or the primary. */
export function hasOurs(canary: Canary, routes: readonly Route[]): boolean {
  const { split, rest } = ourRules(canary, routes, nodesOf);
  return split.length + rest.length > 0;
}

/** The weights all routes with both targets agree on. */
export function weightsIn(canary: Canary, routes: readonly Route[]): Routes | undefined {
  const { primaryService, canaryService } = namesOf(canary);
  const { split } = ourRules(canary, routes, nodesOf);
  return agreedRoutes(
    split.map((route) => ({
      primary: weightOf(route, primaryService),
      canary: weightOf(route, canaryService),
    })),
  );
}

/** A policy's retries without the time each has, which the versions write differently. */
export function retriesOf({ attempts = 0, retryOn = '' }: Retries): object {
  const asked = retryOn.split(',').flatMap((word) => word.trim() || []);
  const events = asked.length === 0 ? ['gateway-error'] : asked;
  const unknown = events.find((event) => ![...httpEvents, ...tcpEvents].includes(event));
  if (unknown !== undefined) {
    throw new Unroutable(
      `spec.service.retries.retryOn: ${unknown} is not supported by appmesh (supported: ${[...httpEvents, ...tcpEvents].join(', ')})`,
    );
  }
  const [http, tcp] = [httpEvents, tcpEvents].map((known) =>
    events.filter((event) => known.includes(event)),
  );
  return {
    maxRetries: attempts === 0 ? 1 : attempts,
    ...(http?.length === 0 ? {} : { httpRetryEvents: http }),
    ...(tcp?.length === 0 ? {} : { tcpRetryEvents: tcp }),
  };
}

/** The time one try has, in milliseconds. */
export function tryTimeout({ perTryTimeout }: Retries): number {
  return perTryTimeout === undefined || perTryTimeout === ''
    ? 250
    : milliseconds('spec.service.retries.perTryTimeout', perTryTimeout);
}

/** Milliseconds of a duration of the manifest; throws {@link Unroutable} for what is none. */
export function milliseconds(field: string, text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return Math.round(ms);
  throw new Unroutable(`${field}: "${text}" is not a duration above 0, such as 15s or 500ms`);
}

type Retries = NonNullable<Canary['service']['retries']>;

const firstPriority = 10;
const restPriority = 20;

/** https://docs.aws.amazon.com/app-mesh/latest/APIReference/API_HttpRetryPolicy.html */
const httpEvents: readonly string[] = [
  'server-error',
  'gateway-error',
  'client-error',
  'stream-error',
];
const tcpEvents: readonly string[] = ['connection-error'];

const ownedByRoute = ['name', 'priority', 'http', 'httpRoute'] as const;
const ownedByHttp = ['match', 'action', 'retryPolicy', 'timeout'] as const;
const ownedByTarget = ['virtualNodeName', 'virtualNodeRef', 'weight'] as const;

function routeOf(
  canary: Canary,
  { match, targets, ...rest }: Planned,
  form: RouteForm,
  routes: readonly Route[],
): Route {
  const live = routes.find(({ name }) => name === rest.name);
  const liveTargets = live?.[form.field]?.action?.weightedTargets ?? [];
  const http = overlay<HttpRoute>(live?.[form.field], ownedByHttp, {
    match: matchOf(match),
    action: {
      weightedTargets: targets.map(([name, weight]) =>
        overlay<Target>(
          liveTargets.find((target) => nodeOf(target) === name),
          ownedByTarget,
          { ...form.node(name), weight },
        ),
      ),
    },
    ...form.policy(canary),
  });
  return overlay<Route>(live, ownedByRoute, { ...rest, [form.field]: http });
}

function matchOf(match: RequestMatch): object {
  refuseOtherParts('appmesh', match, ['uri', 'method', 'headers']);
  const { uri = { prefix: '/' }, method, headers } = match;
  const listed = sortedEntries(headers).map(([name, value]) => {
    const { how, text } = comparison('appmesh', `header ${name}`, value, headerMatches);
    return { name, match: { [how]: text } };
  });
  return {
    prefix: comparison('appmesh', 'uri', uri, ['prefix']).text,
    ...(method === undefined
      ? {}
      : { method: comparison('appmesh', 'method', method, ['exact']).text }),
    ...(listed.length === 0 ? {} : { headers: listed }),
  };
}

const headerMatches = ['exact', 'prefix', 'suffix', 'regex'] as const;

/** The canary is named first, as Flagger does. */
function targetsOf(canary: Canary, routes: Routes): (readonly [string, number])[] {
  const { primaryService, canaryService } = namesOf(canary);
  return [
    [canaryService, routes.canary],
    [primaryService, routes.primary],
  ];
}

function orEverything(matches: readonly RequestMatch[]): readonly RequestMatch[] {
  return matches.length === 0 ? [{}] : matches;
}

/** Names of routes are unique; the first one has the name Flagger gives its only one. */
function numbered(name: string, index: number): string {
  return index === 0 ? name : `${name}-${String(index + 1)}`;
}

function targetsIn({ http, httpRoute }: Route): readonly Target[] {
  return (http ?? httpRoute)?.action?.weightedTargets ?? [];
}

function nodesOf(route: Route): { readonly name: string }[] {
  return targetsIn(route).map((target) => ({ name: nodeOf(target) ?? '' }));
}

function nodeOf({ virtualNodeName, virtualNodeRef }: Target): string | undefined {
  return virtualNodeName ?? virtualNodeRef?.name;
}

function weightOf(route: Route, node: string): number {
  return targetsIn(route).find((target) => nodeOf(target) === node)?.weight ?? 0;
}
