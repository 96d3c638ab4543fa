import { isDeepStrictEqual } from 'node:util';

import type { Canary } from '../domain/canary.js';
import { allToPrimary, type Routes } from '../domain/routes.js';
import { invalidSpec } from './canaries.js';
import type { Deps } from './deps.js';
import { applyReplicas, liveReplicas } from './replicas.js';
import { finalizeRoute, makeRoute, prepareRoute, readRoute, title, type Route } from './route.js';
import { routersOf } from './routers/index.js';
import type { Split } from './routers/router.js';

/** What was wrong with the routes: nothing, the weights, or only other fields. */
export type Drift = 'none' | 'weights' | 'fields';

/**
 * Makes the routes so: reads, writes only what differs, and returns once the gateways have taken
 * them over, where they say so. Tells whether anything was written. Throws `InvalidSpec`, not to be
 * retried, when the manifest asks for something a provider cannot do; anything else may pass.
 */
export async function applyRoutes(deps: Deps, canary: Canary, split: Split): Promise<boolean> {
  return (await repairRoutes(deps, canary, split)) !== 'none';
}

/** As {@link applyRoutes}, for routes that should be so already: tells what somebody had changed. */
export async function repairRoutes(deps: Deps, canary: Canary, split: Split): Promise<Drift> {
  if (movesPods(canary)) {
    return (await applyReplicas(deps, canary, split.routes)) ? 'weights' : 'none';
  }
  const routes = routesOf(deps, canary);
  refuseShared(routes);
  return worstOf(await makeAll(routes, split));
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
async function makeAll(routes: readonly Route[], split: Split): Promise<readonly Drift[]> {
  const isRetreat = isDeepStrictEqual(split.routes, allToPrimary);
  const made: { readonly route: Route; readonly found: Routes | undefined; drift: Drift }[] = [];
  const failures: unknown[] = [];
  for (const route of routes) {
    try {
      const { found, written } = await makeRoute(route, split);
      made.push({ route, found, drift: driftOf(written, found, split.routes) });
    } catch (error) {
      failures.push(error);
      if (!isRetreat) break;
    }
  }
  if (failures.length === 0) return made.map(({ drift }) => drift);
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
