import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import type { Canary } from '../domain/canary.js';
import type { KubeObject, ObjectRef } from '../domain/objects.js';
import type { Routes } from '../domain/routes.js';
import { invalidSpec } from './canaries.js';
import { KubeError, refOf, type Kube } from './kube.js';
import { Unroutable, type Acceptance, type Router, type Split } from './routers/router.js';

/** The route of a canary at one mesh, ingress or gateway. */
export interface Route {
  readonly kube: Kube;
  readonly router: Router;
  readonly canary: Canary;
}

/** What became of a route that was to be made so. */
export interface Made {
  /** What the objects expressed before. */
  readonly found: Routes | undefined;
  /** The objects as they are now. */
  readonly stored: readonly KubeObject[];
  readonly written: boolean;
  readonly created: boolean;
}

/**
 * Makes one route so: reads, writes only what differs, and returns once the gateway has taken it
 * over, where it says so. Throws `InvalidSpec`, not to be retried, when the manifest asks for
 * something the provider cannot do; anything else may pass.
 *
 * @param seen its objects as they were a moment ago, which spares reading them
 */
export async function makeRoute(
  route: Route,
  split: Split,
  seen?: readonly KubeObject[],
): Promise<Made> {
  const made =
    (seen && (await makeSoFrom(route, split, seen))) ?? (await racing(() => makeSo(route, split)));
  await awaitAcceptance(route, made);
  return made;
}

/** What the objects of a route express; undefined when they are not there, or not the canary's. */
export async function readRoute(route: Route): Promise<Routes | undefined> {
  return route.router.parse(route.canary, await readLive(route));
}

/** Makes what pods of the primary cannot start without. */
export async function prepareRoute(route: Route): Promise<void> {
  const { router, canary, kube } = route;
  if (router.beforePods === undefined) return;
  await racing(async () => {
    const live = await readLive(route);
    const objects = routable(() => router.beforePods?.(canary, live) ?? []);
    await writeDiffering(kube, live, objects);
  });
}

/** Gives the objects that were there before the Canary back; see {@link Router}. */
export async function finalizeRoute(route: Route): Promise<void> {
  const { router, canary, kube } = route;
  await racing(async () => {
    const live = await readLive(route);
    for (const object of router.finalize(canary, live)) await kube.replace(object);
    for (const ref of router.leftovers?.(canary, live) ?? []) await kube.remove(ref);
  });
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

async function makeSo(route: Route, split: Split): Promise<Made> {
  return writeSo(route, split, await readLive(route));
}

/** Undefined when the objects are no longer as they were seen: the API server refuses the write. */
async function makeSoFrom(
  route: Route,
  split: Split,
  seen: readonly KubeObject[],
): Promise<Made | undefined> {
  try {
    return await writeSo(route, split, seen);
  } catch (error) {
    if (isLostRace(error) || (error instanceof KubeError && error.status === 404)) return undefined;
    throw error;
  }
}

async function writeSo(route: Route, split: Split, live: readonly KubeObject[]): Promise<Made> {
  const { router, canary, kube } = route;
  const objects = routable(() => router.render(canary, split, live));
  const made = await writeDiffering(kube, live, objects);
  verify(route, split.routes, made.stored);
  return { found: router.parse(canary, live), ...made };
}

/** Writes the objects that are not live as they are rendered. */
async function writeDiffering(
  kube: Kube,
  live: readonly KubeObject[],
  objects: readonly KubeObject[],
): Promise<Omit<Made, 'found'>> {
  const stored = new Map(live.map((object) => [title(refOf(object)), object]));
  let [written, created] = [false, false];
  for (const object of objects) {
    const key = title(refOf(object));
    const current = stored.get(key);
    if (current !== undefined && !differs(current, object)) continue;
    stored.set(key, await write(kube, object, current === undefined));
    written = true;
    created ||= current === undefined;
  }
  return { stored: [...stored.values()], written, created };
}

async function readLive({ kube, router, canary }: Route): Promise<KubeObject[]> {
  const found = await Promise.all(router.reads(canary).map((ref) => kube.find(ref)));
  return found.filter((object) => object !== undefined);
}

/** What a manifest asks for in vain stays in vain however often it is tried. */
function routable<T>(render: () => T): T {
  try {
    return render();
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
function verify({ router, canary }: Route, routes: Routes, stored: readonly KubeObject[]): void {
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
async function awaitAcceptance(route: Route, { stored, created }: Made): Promise<void> {
  const { router, canary } = route;
  const until = Date.now() + acceptanceMs;
  // An object nobody ever reported on stays so, but a new one deserves a moment.
  const awaitsFirstReport = created && router.needs(canary).length > 0;
  for (let live = stored; ; live = await readLive(route)) {
    const acceptance = router.acceptance(canary, live);
    if (acceptance.kind === 'accepted') return;
    if (acceptance.kind === 'unreported' && !awaitsFirstReport) return requireNeeds(route);
    if (Date.now() >= until) return complain(route, acceptance, live);
    await sleep(pollMs);
  }
}

async function complain(
  route: Route,
  acceptance: Acceptance,
  live: readonly KubeObject[],
): Promise<void> {
  if (acceptance.kind === 'unreported') return requireNeeds(route);
  throw new Error(
    acceptance.kind === 'refused'
      ? `${titles(live)} is not accepted: ${acceptance.reason}`
      : `${titles(live)} has not been taken over by its gateway within ${acceptanceMs / 1_000} s`,
  );
}

/** Nobody reports on a route whose gateway is missing, so that is looked for here. */
async function requireNeeds({ kube, router, canary }: Route): Promise<void> {
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

/** An object as errors name it. */
export function title({ kind, name, namespace }: ObjectRef): string {
  return namespace === '' ? `${kind} ${name}` : `${kind} ${name}.${namespace}`;
}
