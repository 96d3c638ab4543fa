import type { Canary, RequestMatch } from '../../domain/canary.js';
import { defined, pick } from '../../domain/entries.js';
import { namesOf } from '../../domain/names.js';
import type { Role } from '../../domain/release.js';
import { allToPrimary, type Routes } from '../../domain/routes.js';
import { affinityOf, withCookie, type SetCookies } from './gateway-affinity.js';
import { comparison, matchedRequests, narrowed, refuseOtherParts } from './matches.js';
import { overlay, type ourRules } from './ownership.js';
import type { Split } from './router.js';

/** One entry of `http`, or of `tcp`, which has no more than the first two fields. */
export interface Rule {
  readonly match?: readonly object[];
  readonly route?: readonly Destination[];
  readonly mirror?: Host;
  readonly mirrorPercentage?: { readonly value: number };
  readonly rewrite?: object;
  readonly timeout?: string;
  readonly retries?: object;
  readonly corsPolicy?: object;
  readonly headers?: object;
}

interface Destination {
  readonly destination: Host;
  readonly weight?: number;
  readonly headers?: object;
}

interface Host {
  readonly host: string;
  readonly port?: { readonly number: number };
}

type OurRules = ReturnType<typeof ourRules<Rule>>;

const provider = 'istio';
const ownedByRule = [
  'match',
  'route',
  'mirror',
  'mirrorPercentage',
  'rewrite',
  'timeout',
  'retries',
  'corsPolicy',
  'headers',
] as const;
const ownedByTcpRule = ['match', 'route'] as const;
const ownedByDestination = ['destination', 'weight', 'headers'] as const;

/** The hosts a rule leads to, by the names of their services. */
export function hostsIn({ route = [] }: Rule): readonly { readonly name: string }[] {
  return route.map(({ destination }) => ({ name: destination.host }));
}

/** What a rule leads to a service: nothing where no weight is written. */
export function weightIn({ route = [] }: Rule, service: string): number {
  return route.find(({ destination }) => destination.host === service)?.weight ?? 0;
}

/**
 * The rules of an HTTP service. Those for clients with cookies come first, the last one with both
 * services has the weights, and the one with the primary alone is for requests that take no part
 * in the analysis.
 */
export function httpRules(canary: Canary, split: Split, live: OurRules): Rule[] {
  const { weighted, rest } = matchedRequests(canary);
  const { sticky, setCookies } = affinityOf(canary, split);
  const { routes } = split;
  const copies = routes.mirror === true ? copiesOf(canary) : {};
  const requests = [weighted, ...(rest === undefined ? [] : [rest])].flatMap(orEverything);
  return [
    ...sticky.map(({ cookie, routes: held, setCookies: set }, i) => {
      const match = requests.map((request) => narrowed(request, withCookie(cookie)));
      const route = destinationsOf(canary, held, set);
      return httpRule(canary, { match, route, copies }, live.split.slice(0, -1)[i]);
    }),
    httpRule(
      canary,
      { match: weighted, route: destinationsOf(canary, routes, setCookies), copies },
      live.split.at(-1),
    ),
    ...(rest === undefined ? [] : [httpRule(canary, restOf(canary, rest), live.rest[0])]),
  ];
}

/** The rule of a service of which only connections are seen. */
export function tcpRules(canary: Canary, { routes }: Split, live: OurRules): Rule[] {
  const { match } = canary.service;
  const current = live.split.at(-1);
  return [
    overlay<Rule>(current, ownedByTcpRule, {
      ...(match.length === 0 ? {} : { match: match.map(connectionsOf) }),
      route: laidOver(destinationsOf(canary, routes, {}), current),
    }),
  ];
}

interface RuleBody {
  readonly match: readonly RequestMatch[];
  readonly route: readonly Destination[];
  readonly copies: Pick<Rule, 'mirror' | 'mirrorPercentage'>;
}

function restOf(canary: Canary, match: readonly RequestMatch[]): RuleBody {
  return { match, route: destinationsOf(canary, allToPrimary, {}).slice(0, 1), copies: {} };
}

function orEverything(matches: readonly RequestMatch[]): readonly RequestMatch[] {
  return matches.length === 0 ? [{}] : matches;
}

function httpRule(
  { service }: Canary,
  { match, route, copies }: RuleBody,
  live: Rule | undefined,
): Rule {
  const { timeout, retries, corsPolicy, headers } = service;
  const rewrite = pick<unknown>(service.rewrite, 'uri', 'authority');
  return overlay<Rule>(live, ownedByRule, {
    ...(match.length === 0 ? {} : { match: match.map(requestsOf) }),
    ...(Object.keys(rewrite).length === 0 ? {} : { rewrite }),
    ...defined({ timeout, retries, corsPolicy, headers }),
    route: laidOver(route, live),
    ...copies,
  });
}

function laidOver(route: readonly Destination[], live: Rule | undefined): Destination[] {
  return route.map((own) => {
    const { host } = own.destination;
    const current = live?.route?.find(({ destination }) => destination.host === host);
    return overlay<Destination>(current, ownedByDestination, own);
  });
}

/** Without a percentage every request is copied. */
function copiesOf(canary: Canary): RuleBody['copies'] {
  const { mirrorWeight } = canary.analysis;
  return {
    mirror: hostOf(canary, namesOf(canary).canaryService),
    ...(mirrorWeight === undefined ? {} : { mirrorPercentage: { value: mirrorWeight } }),
  };
}

function destinationsOf(canary: Canary, routes: Routes, setCookies: SetCookies): Destination[] {
  const { primaryService, canaryService } = namesOf(canary);
  const destination = (service: string, role: Role): Destination => {
    const cookie = setCookies[role];
    return {
      destination: hostOf(canary, service),
      weight: routes[role],
      ...(cookie === undefined ? {} : { headers: { response: { add: { 'Set-Cookie': cookie } } } }),
    };
  };
  return [destination(primaryService, 'primary'), destination(canaryService, 'canary')];
}

/** Outside of the mesh nobody knows which of several ports was asked for. */
function hostOf({ service }: Canary, host: string): Host {
  const { portDiscovery, delegation, gateways, port } = service;
  const isOutside = delegation || (gateways[0] ?? 'mesh') !== 'mesh';
  return portDiscovery && isOutside ? { host, port: { number: port } } : { host };
}

const texts = ['uri', 'scheme', 'method', 'authority'] as const;
const textsByName = ['headers', 'withoutHeaders', 'queryParams'] as const;
const others = ['ignoreUriCase', 'port', 'sourceLabels', 'sourceNamespace'] as const;
const known = ['exact', 'prefix', 'regex'] as const;

/** A match is Istio's own, once nothing is in it that Istio would drop. */
function requestsOf(match: RequestMatch): RequestMatch {
  refuseOtherParts(provider, match, [...texts, ...textsByName, ...others]);
  const parts = match as TextParts;
  for (const part of texts) {
    const text = parts[part];
    if (text !== undefined) comparison(provider, part, text, known);
  }
  for (const part of textsByName) {
    for (const [name, text] of Object.entries(parts[part] ?? {})) {
      // Nothing to compare with asks for the name alone.
      if (Object.keys(text).length > 0) comparison(provider, `${part} ${name}`, text, known);
    }
  }
  return match;
}

type Text = NonNullable<RequestMatch['uri']>;

type TextParts = Partial<
  Record<(typeof texts)[number], Text> &
    Record<(typeof textsByName)[number], Readonly<Record<string, Text>>>
>;

const ofConnections = ['port', 'sourceLabels', 'sourceNamespace', 'gateways'];

function connectionsOf(match: RequestMatch): object {
  refuseOtherParts(`${provider} for TCP`, match, ofConnections);
  return pick(match, ...ofConnections);
}
