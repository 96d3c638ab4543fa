import { isDeepStrictEqual } from 'node:util';

import type { Canary } from '../domain/canary.js';
import type { KubeObject } from '../domain/objects.js';
import { allToPrimary, type Routes } from '../domain/routes.js';
import { invalidSpec } from './canaries.js';
import type { Deps } from './deps.js';
import { applyReplicas, liveReplicas } from './replicas.js';
import {
  finalizeRoute,
  makeRoute,
  prepareRoute,
  readRoute,
  title,
  type Made,
  type Route,
} from './route.js';
import { routersOf } from './routers/index.js';
import type { Split } from './routers/router.js';

/** What was wrong with the routes: nothing, the weights, or only other fields. */
export type Drift = 'none' | 'weights' | 'fields';

/** The objects of each route of a canary, as they were a moment ago. */
export type SeenRoutes = readonly (readonly KubeObject[])[];

/**
 * Makes the routes so: reads, writes only what differs, and returns once the gateways have taken
 * them over, where they say so. Tells whether anything was written. Throws `InvalidSpec`, not to be
 * retried, when the manifest asks for something a provider cannot do; anything else may pass.
 *
 * @param seen as {@link repairRoutes} left them; they are read only where they have changed since
 */
export async function applyRoutes(
  deps: Deps,
  canary: Canary,
  split: Split,
  seen?: SeenRoutes,
): Promise<boolean> {
  return (await repairRoutes(deps, canary, split, seen)).drift !== 'none';
}

/**
 * As {@link applyRoutes}, for routes that should be so already: tells what somebody had changed,
 * and how they are now.
 */
export async function repairRoutes(
  deps: Deps,
  canary: Canary,
  split: Split,
  seen?: SeenRoutes,
): Promise<{ readonly drift: Drift; readonly seen: SeenRoutes }> {
  if (movesPods(canary)) {
    const moved = await applyReplicas(deps, canary, split.routes);
    return { drift: moved ? 'weights' : 'none', seen: [] };
  }
  const routes = routesOf(deps, canary);
  refuseShared(routes);
  const made = await makeAll(routes, split, seen);
  return {
    drift: worstOf(made.map(({ written, found }) => driftOf(written, found, split.routes))),
    seen: made.map(({ stored }) => stored),
  };
}

/** Makes what pods of the primary cannot start without. The routes stay as they are. */
export async function prepareRoutes(deps: Deps, canary: Canary): Promise<void> {
  for (const route of routesOf(deps, canary)) await prepareRoute(route);
}

/**
 * The routes as they are now; undefined when there are none that could be this canary's, or they
 * say different things.
 */
export async function liveRoutes(deps: Deps, canary: Canary): Promise<Routes | undefined> {
  if (movesPods(canary)) return await liveReplicas(deps, canary);
  const routes = routesOf(deps, canary);
  if (routes.length === 0) return allToPrimary;
  const [first, ...others] = await Promise.all(routes.map(readRoute));
  return others.every((other) => isDeepStrictEqual(other, first)) ? first : undefined;
}

/**
 * Gives routing objects that were there before the Canary back as they were. Those made for it are
 * collected by the API server when it goes, or deleted here where it could not know whose they are.
 */
export async function finalizeRoutes(deps: Deps, canary: Canary): Promise<void> {
  for (const route of routesOf(deps, canary)) await finalizeRoute(route);
}

function movesPods({ analysis }: Canary): boolean {
  return analysis.strategy.kind === 'replicas';
}

/** The route of the provider and the additional ones; none where the provider keeps no routes. */
function routesOf({ kube, settings }: Deps, canary: Canary): readonly Route[] {
  const routers = routersOf(settings);
  const { ingressName: _ingress, routeName: _route, upstreamRef: _upstream, ...rest } = canary;
  const views = [canary, ...canary.additionalRoutes.map((route) => ({ ...rest, ...route }))];
  return views.flatMap((view) => {
    const router = routers[view.provider];
    return router === undefined ? [] : [{ kube, router, canary: view }];
  });
}

/** Two routes in one object would write over each other for ever. */
function refuseShared(routes: readonly Route[]): void {
  const seen = new Set<string>();
  routes.forEach(({ router, canary }, index) => {
    const own = router.reads(canary).map(title);
    const shared = own.find((object) => seen.has(object));
    if (shared !== undefined) {
      throw invalidSpec(
        `spec.additionalRoutes[${String(index - 1)}]: ${shared} already holds another route of this canary`,
      );
    }
    own.forEach((object) => seen.add(object));
  });
}

/**
 * Makes all routes so, as one step: when one of them cannot be written, those that had already gone
 * on are taken back, so that all gateways treat the canary alike until the next attempt. On the way
 * back to the primary nothing is taken back, and no route waits for another one.
 */
async function makeAll(
  routes: readonly Route[],
  split: Split,
  seen: SeenRoutes = [],
): Promise<readonly Made[]> {
  const isRetreat = isDeepStrictEqual(split.routes, allToPrimary);
  const made: (Made & { readonly route: Route })[] = [];
  const failures: unknown[] = [];
  for (const [index, route] of routes.entries()) {
    try {
      made.push({ route, ...(await makeRoute(route, split, seen[index])) });
    } catch (error) {
      failures.push(error);
      if (!isRetreat) break;
    }
  }
  if (failures.length === 0) return made;
  const gone = made.filter(({ found }) => found !== undefined && hasGoneOn(found, split.routes));
  // The failure is what counts; what cannot be taken back now is made right by the next attempt.
  await Promise.allSettled(
    gone.map(({ route, found = allToPrimary }) => makeRoute(route, { ...split, routes: found })),
  );
  throw failures[0];
}

function driftOf(written: boolean, found: Routes | undefined, wanted: Routes): Drift {
  if (!written) return 'none';
  return isDeepStrictEqual(found, wanted) ? 'fields' : 'weights';
}

function worstOf(drifts: readonly Drift[]): Drift {
  return (['weights', 'fields'] as const).find((drift) => drifts.includes(drift)) ?? 'none';
}

/** Whether the canary gets more than it had. */
function hasGoneOn(before: Routes, now: Routes): boolean {
  return now.canary > before.canary || (now.mirror === true && before.mirror !== true);
}
