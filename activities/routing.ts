import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import type { Canary } from '../domain/canary.js';
import type { KubeObject, ObjectRef } from '../domain/objects.js';
import { allToPrimary, type Routes } from '../domain/routes.js';
import { invalidSpec } from './canaries.js';
import type { Deps } from './deps.js';
import { KubeError, refOf, type Kube } from './kube.js';
import { applyReplicas, liveReplicas } from './replicas.js';
import { routersOf } from './routers/index.js';
import { Unroutable, type Acceptance, type Router, type Split } from './routers/router.js';

/** What was wrong with the routes: nothing, the weights, or only other fields. */
export type Drift = 'none' | 'weights' | 'fields';

/**
 * Makes the routes so: reads, writes only what differs, and returns once the gateway has taken
 * them over, where it says so. Tells whether anything was written. Throws `InvalidSpec`, not to be
 * retried, when the manifest asks for something the provider cannot do; anything else may pass.
 */
export async function applyRoutes(deps: Deps, canary: Canary, split: Split): Promise<boolean> {
  return (await repairRoutes(deps, canary, split)) !== 'none';
}

/** As {@link applyRoutes}, for routes that should be so already: tells what somebody had changed. */
export async function repairRoutes(deps: Deps, canary: Canary, split: Split): Promise<Drift> {
  if (movesPods(canary)) {
    return (await applyReplicas(deps, canary, split.routes)) ? 'weights' : 'none';
  }
  const target = targetOf(deps, canary);
  if (target === undefined) return 'none';
  const made = await makeSo(target, split);
  await awaitAcceptance(target, made);
  if (!made.written) return 'none';
  return isDeepStrictEqual(made.found, split.routes) ? 'fields' : 'weights';
}

/** The routes as they are now; undefined when there are none that could be this canary's. */
export async function liveRoutes(deps: Deps, canary: Canary): Promise<Routes | undefined> {
  if (movesPods(canary)) return await liveReplicas(deps, canary);
  const target = targetOf(deps, canary);
  if (target === undefined) return allToPrimary;
  return target.router.parse(canary, await readLive(target));
}

/**
 * Gives routing objects that were there before the Canary back as they were. Those made for it are
 * collected by the API server when it goes.
 */
export async function finalizeRoutes(deps: Deps, canary: Canary): Promise<void> {
  const target = targetOf(deps, canary);
  if (target === undefined) return;
  const { router, kube } = target;
  await racing(async () => {
    const live = await readLive(target);
    for (const object of router.finalize(canary, live)) await kube.replace(object);
  });
}

function movesPods({ analysis }: Canary): boolean {
  return analysis.strategy.kind === 'replicas';
}

function targetOf({ kube, settings }: Deps, canary: Canary): Target | undefined {
  const router = routersOf(settings)[canary.provider];
  return router && { kube, router, canary };
}

interface Target {
  readonly kube: Kube;
  readonly router: Router;
  readonly canary: Canary;
}

interface Made {
  /** What the objects expressed before. */
  readonly found: Routes | undefined;
  /** The objects as they are now. */
  readonly stored: readonly KubeObject[];
  readonly written: boolean;
  readonly created: boolean;
}

/** Somebody else may write at the same moment; only then is it tried again at once. */
const maxRaces = 5;

/** Tries again at once when somebody else wrote in between. */
async function racing<T>(attempt: () => Promise<T>): Promise<T> {
  for (let race = 1; ; race += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!isLostRace(error) || race === maxRaces) throw error;
    }
  }
}

function makeSo(target: Target, split: Split): Promise<Made> {
  return racing(() => makeSoOnce(target, split));
}

async function makeSoOnce(target: Target, split: Split): Promise<Made> {
  const { router, canary, kube } = target;
  const live = await readLive(target);
  const stored = new Map(live.map((object) => [title(refOf(object)), object]));
  let [written, created] = [false, false];
  for (const object of render(target, split, live)) {
    const key = title(refOf(object));
    const current = stored.get(key);
    if (current !== undefined && !differs(current, object)) continue;
    stored.set(key, await write(kube, object, current === undefined));
    written = true;
    created ||= current === undefined;
  }
  const now = [...stored.values()];
  verify(target, split.routes, now);
  return { found: router.parse(canary, live), stored: now, written, created };
}

async function readLive({ kube, router, canary }: Target): Promise<KubeObject[]> {
  const found = await Promise.all(router.reads(canary).map((ref) => kube.find(ref)));
  return found.filter((object) => object !== undefined);
}

function render(
  { router, canary }: Target,
  split: Split,
  live: readonly KubeObject[],
): readonly KubeObject[] {
  try {
    return router.render(canary, split, live);
  } catch (error) {
    if (error instanceof Unroutable) throw invalidSpec(error.message);
    throw error;
  }
}

function differs(live: KubeObject, rendered: KubeObject): boolean {
  const content = ({ metadata: { labels = {}, annotations = {} }, spec }: KubeObject) => ({
    labels,
    annotations,
    spec,
  });
  return !isDeepStrictEqual(content(live), content(rendered));
}

async function write(kube: Kube, object: KubeObject, isNew: boolean): Promise<KubeObject> {
  try {
    return isNew ? await kube.create(object) : await kube.replace(object);
  } catch (error) {
    throw explained(error, object, isNew);
  }
}

function explained(error: unknown, object: KubeObject, isNew: boolean): unknown {
  if (!(error instanceof KubeError)) return error;
  if (error.status === 422) return invalidSpec(error.message);
  // A kind the API server does not know is answered like an object that is not there.
  if (isNew && error.status === 404 && !/namespaces? /.test(error.message)) {
    const { kind, apiVersion } = object;
    return new Error(`the cluster has no kind ${kind} of ${apiVersion}: its CRD is not installed`);
  }
  return error;
}

/** Whoever changes objects on their way in could leave the traffic elsewhere than we believe. */
function verify({ router, canary }: Target, routes: Routes, stored: readonly KubeObject[]): void {
  const found = router.parse(canary, stored);
  if (isDeepStrictEqual(found, routes)) return;
  throw new Error(
    `${titles(stored)} should send ${sharesOf(routes)} to the canary, but was stored with ${found === undefined ? 'other weights' : sharesOf(found)}`,
  );
}

function sharesOf({ canary, mirror }: Routes): string {
  return `${canary}%${mirror === true ? ' and copies' : ''}`;
}

const acceptanceMs = 2_000;
const pollMs = 50;

/** Waits a moment for the gateway, which usually needs a few hundred milliseconds. */
async function awaitAcceptance(target: Target, { stored, created }: Made): Promise<void> {
  const { router, canary } = target;
  const until = Date.now() + acceptanceMs;
  // An object nobody ever reported on stays so, but a new one deserves a moment.
  const awaitsFirstReport = created && router.needs(canary).length > 0;
  for (let live = stored; ; live = await readLive(target)) {
    const acceptance = router.acceptance(canary, live);
    if (acceptance.kind === 'accepted') return;
    if (acceptance.kind === 'unreported' && !awaitsFirstReport) return requireNeeds(target);
    if (Date.now() >= until) return complain(target, acceptance, live);
    await sleep(pollMs);
  }
}

async function complain(
  target: Target,
  acceptance: Acceptance,
  live: readonly KubeObject[],
): Promise<void> {
  if (acceptance.kind === 'unreported') return requireNeeds(target);
  throw new Error(
    acceptance.kind === 'refused'
      ? `${titles(live)} is not accepted: ${acceptance.reason}`
      : `${titles(live)} has not been taken over by its gateway within ${acceptanceMs / 1_000} s`,
  );
}

/** Nobody reports on a route whose gateway is missing, so that is looked for here. */
async function requireNeeds({ kube, router, canary }: Target): Promise<void> {
  for (const ref of router.needs(canary)) {
    if (await isMissing(kube, ref)) throw new Error(`${title(ref)} not found`);
  }
}

async function isMissing(kube: Kube, ref: ObjectRef): Promise<boolean> {
  try {
    return (await kube.find(ref)) === undefined;
  } catch (error) {
    // Gateways are other people's: not being allowed to look at them is no fault of the route.
    if (error instanceof KubeError && error.status === 403) return false;
    throw error;
  }
}

function isLostRace(error: unknown): boolean {
  return error instanceof KubeError && error.status === 409;
}

function titles(objects: readonly KubeObject[]): string {
  return objects.map((object) => title(refOf(object))).join(', ');
}

function title({ kind, name, namespace }: ObjectRef): string {
  return `${kind} ${name}.${namespace}`;
}
