import type { Canary } from '../../domain/canary.js';
import type { KubeObject, ObjectRef } from '../../domain/objects.js';
import type { Cookies, Routes } from '../../domain/routes.js';

/** Where requests go, and the cookies that keep clients where they are. */
export interface Split {
  readonly routes: Routes;
  readonly cookies: Cookies;
}

/**
 * Translates between a {@link Split} and the objects of one mesh, ingress or gateway.
 *
 * A router does no I/O: `activities/routing.ts` reads, renders, writes and waits for all of them.
 * `live` holds those of the objects named by `reads` that exist.
 */
export interface Router {
  /** The objects that hold the routes, present or not. */
  reads(canary: Canary): readonly ObjectRef[];
  /** The objects the routes need to exist, but that are somebody else's, such as a Gateway. */
  needs(canary: Canary): readonly ObjectRef[];
  /**
   * The objects that should exist. Fields of `live` that the router does not own stay as they are,
   * so what is rendered equals what is live when there is nothing to do. Throws {@link Unroutable}.
   */
  render(canary: Canary, split: Split, live: readonly KubeObject[]): readonly KubeObject[];
  /**
   * Those of the objects that have to exist before the first pods of the primary start, and that
   * lead no request anywhere; throws as `render` does. Most providers have none.
   */
  beforePods?(canary: Canary, live: readonly KubeObject[]): readonly KubeObject[];
  /**
   * The inverse of `render` as far as weights and mirroring go; undefined when the objects express
   * no routes that could be ours.
   */
  parse(canary: Canary, live: readonly KubeObject[]): Routes | undefined;
  /**
   * The objects to write when the Canary goes: those it had taken over, as they were before. What
   * was made for the Canary is left for the API server to collect.
   */
  finalize(canary: Canary, live: readonly KubeObject[]): readonly KubeObject[];
  /** The objects to delete when the Canary goes: made for it, but of a kind that it cannot own. */
  leftovers?(canary: Canary, live: readonly KubeObject[]): readonly ObjectRef[];
  /** Whether the data plane has taken the objects over as they are now. */
  acceptance(canary: Canary, live: readonly KubeObject[]): Acceptance;
}

export type Acceptance =
  | { readonly kind: 'accepted' }
  /** The last report is about an older generation. */
  | { readonly kind: 'pending' }
  /** Nobody has reported anything, which some providers never do. */
  | { readonly kind: 'unreported' }
  | { readonly kind: 'refused'; readonly reason: string };

/** The manifest asks for something the provider cannot express. */
export class Unroutable extends Error {
  override readonly name = 'Unroutable';
}

/** What several weighted rules express together; undefined unless all say the same, out of 100. */
export function agreedRoutes(found: readonly Routes[]): Routes | undefined {
  const [first] = found;
  const agreed = found.every(
    ({ primary, canary }) => canary === first?.canary && primary + canary === 100,
  );
  return agreed ? first : undefined;
}
