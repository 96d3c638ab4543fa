import type { Canary, RequestMatch, StringMatch } from '../../domain/canary.js';
import { withoutKeys } from '../../domain/entries.js';
import { Unroutable } from './router.js';

/** Which requests the weights apply to, and which go to the primary whatever the weights are. */
export interface MatchedRequests {
  /** Alternatives; empty means every request. */
  readonly weighted: readonly RequestMatch[];
  /** Absent when the weights apply to everything the service gets. */
  readonly rest?: readonly RequestMatch[];
}

/**
 * The requests of a Canary. With `analysis.match` only those take part in the analysis: each of
 * its entries narrows each entry of `service.match` by headers and query parameters. Throws
 * {@link Unroutable} for an entry that narrows nothing, as it would take in every request.
 */
export function matchedRequests({ service, analysis }: Canary): MatchedRequests {
  if (analysis.match.length === 0) return { weighted: service.match };
  if (analysis.match.some((match) => Object.values(match).every(isEmpty))) {
    throw new Unroutable('spec.analysis.match: an entry that matches nothing takes in everything');
  }
  const bases: readonly RequestMatch[] = service.match.length === 0 ? [{}] : service.match;
  return {
    weighted: analysis.match.flatMap((match) => bases.map((base) => narrowed(base, match))),
    rest: service.match,
  };
}

/** A match for what two matches have in common. */
export function narrowed(base: RequestMatch, by: RequestMatch): RequestMatch {
  const headers = merged(base.headers, by.headers, (name) => name.toLowerCase());
  const queryParams = merged(base.queryParams, by.queryParams, (name) => name);
  const sourceLabels = merged(base.sourceLabels, by.sourceLabels, (name) => name);
  return {
    ...base,
    ...by,
    ...(headers === undefined ? {} : { headers }),
    ...(queryParams === undefined ? {} : { queryParams }),
    ...(sourceLabels === undefined ? {} : { sourceLabels }),
  };
}

/** Where both match the same name the second one counts: no provider can ask for both. */
function merged<T>(
  base: Readonly<Record<string, T>> | undefined,
  by: Readonly<Record<string, T>> | undefined,
  sameAs: (name: string) => string,
): Readonly<Record<string, T>> | undefined {
  if (base === undefined || by === undefined) return by ?? base;
  const replaced = Object.keys(by).map(sameAs);
  return { ...withoutKeys(base, (name) => replaced.includes(sameAs(name))), ...by };
}

/** Parts that name or place a match without narrowing it. */
const harmless = ['name', 'gateways'];

/**
 * Refuses a match with parts the provider cannot look at. Leaving them out would widen the match,
 * and send requests to the canary that were never meant for it.
 */
export function refuseOtherParts(
  provider: string,
  match: RequestMatch,
  known: readonly string[],
): void {
  for (const [part, value] of Object.entries(match)) {
    if (known.includes(part) || harmless.includes(part) || isEmpty(value)) continue;
    throw new Unroutable(
      `a match on ${part} is not supported by ${provider} (supported: ${known.join(', ')})`,
    );
  }
}

/** One comparison out of those the provider knows. `what` names the compared part for the error. */
export function comparison<K extends keyof StringMatch>(
  provider: string,
  what: string,
  match: StringMatch,
  known: readonly K[],
): { readonly how: K; readonly text: string } {
  for (const how of known) {
    const text = match[how];
    if (text !== undefined) return { how, text };
  }
  const asked = Object.keys(match).join(', ') || 'nothing';
  throw new Unroutable(
    `${what} is matched by ${asked}, which is not supported by ${provider} (supported: ${known.join(', ')})`,
  );
}

/** Refuses an empty text, which some providers take for any text. `what` is as in {@link comparison}. */
export function requireText<C extends { readonly text: string }>(what: string, comparison: C): C {
  if (comparison.text !== '') return comparison;
  throw new Unroutable(`${what} is matched by an empty text, which would match any`);
}

/** The entries of a map of matches in the order of their names, which the manifest does not fix. */
export function sortedEntries<T>(map: Readonly<Record<string, T>> = {}): [string, T][] {
  return Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1));
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
