import { withoutKeys } from './entries.js';

type Entries = Readonly<Record<string, string>>;

/** Flux's own marks: on a copy they would make Flux prune it. */
export function isFluxOwned(key: string): boolean {
  return key.includes('toolkit.fluxcd.io');
}

/**
 * The labels or annotations a copy inherits.
 *
 * @param prefixes of the keys to be copied; `*` copies all
 */
export function included(
  entries: Entries | undefined,
  prefixes: readonly string[],
): Record<string, string> {
  return withoutKeys(
    entries,
    isFluxOwned,
    (key) => !prefixes.some((prefix) => prefix === '*' || key.startsWith(prefix)),
  );
}
