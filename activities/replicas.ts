import { Context } from '@temporalio/activity';
import { isDeepStrictEqual } from 'node:util';

import type { Canary } from '../domain/canary.js';
import { namesOf } from '../domain/names.js';
import type { Deployment, ObjectRef, Service } from '../domain/objects.js';
import { primaryValueOf, selectorLabelOf, type SelectorLabel } from '../domain/primary.js';
import type { Role } from '../domain/release.js';
import {
  intendedReplicas,
  isLending,
  lendingPrimary,
  podsFor,
  restoredPrimary,
  routesOfPods,
  withReplicas,
} from '../domain/replicas.js';
import { allToPrimary, type Routes } from '../domain/routes.js';
import { hasServices, sharedSelector } from '../domain/services.js';
import { invalidSpec } from './canaries.js';
import { changeObject } from './changes.js';
import type { Deps } from './deps.js';
import type { Kube } from './kube.js';
import { podsReady } from './pods.js';
import { serviceRef } from './services.js';
import { workloadOf } from './workloads/index.js';

/**
 * Splits the traffic by moving pods between the two workloads, where there is no router: a service
 * gives each of its pods the same share. Tells whether anything was written.
 *
 * There are never fewer available pods than the primary was meant to have: the workload that
 * grows goes first, and its pods are awaited before the other one shrinks. The apex service
 * reaches the canary only while that is to have traffic; without any one pod of it may stay, for
 * hooks to try it and for a restart, until whoever ends the release stops it.
 */
export async function applyReplicas(deps: Deps, canary: Canary, routes: Routes): Promise<boolean> {
  const situation = await readSituation(deps, canary);
  const steps =
    routes.canary === 0
      ? stepsBack(deps, situation)
      : stepsTo(deps, situation, podsFor(intendedReplicas(situation.primary), routes));
  const due = steps.slice(0, steps.findLastIndex(({ isDone }) => !isDone) + 1);
  for (const [i, { isDone, make, needs }] of due.entries()) {
    // Also when an earlier attempt was cut off behind the growth that this one relies on.
    if (i > 0 && needs !== undefined) await untilReady(deps, canary, needs);
    if (!isDone) await make();
  }
  return due.length > 0;
}

/**
 * The split the pods stand for now; undefined when it is none of this release's. Several weights
 * can give the same pods: the one the status shows goes first.
 */
export async function liveReplicas(deps: Deps, canary: Canary): Promise<Routes | undefined> {
  const { primary, target } = await readSituation(deps, canary);
  if (!isLending(primary)) return allToPrimary;
  const { analysis, status } = canary;
  const weights = analysis.strategy.kind === 'replicas' ? analysis.strategy.weights : [];
  const pods = { primary: primary.spec.replicas ?? 1, canary: target.spec.replicas ?? 1 };
  const candidates = [status.canaryWeight ?? 0, ...weights, 100].filter((weight) => weight > 0);
  return routesOfPods(intendedReplicas(primary), pods, candidates);
}

/** Why the pods of a target cannot be a share of the traffic; empty when they can, or need not. */
export async function problemsOfReplicas(
  { kube, settings }: Deps,
  canary: Canary,
): Promise<string[]> {
  if (canary.analysis.strategy.kind !== 'replicas') return [];
  const target = await kube.find<Deployment>(refsOf(canary).canary);
  const selector = target && selectorLabelOf(target, settings.selectorLabels);
  if (target === undefined || selector === undefined || !hasServices(canary)) return [];
  const shared = sharedSelector(target.spec.selector.matchLabels ?? {}, selector);
  const name = `deployment ${target.metadata.name}.${canary.namespace}`;
  if (shared === undefined) {
    return [
      `${name} spec.selector.matchLabels has ${selector.label} only: to send service ${canary.service.name} to the pods of primary and canary it needs a second label, which no other pods have`,
    ];
  }
  const stranger = await strangerIn(kube, canary.namespace, shared, selector);
  if (stranger === undefined) return [];
  return [
    `service ${canary.service.name}.${canary.namespace} cannot select the pods of primary and canary by ${textOf(shared)}: pod ${stranger} has these labels too (give ${name} a label in spec.selector.matchLabels that no other pods have)`,
  ];
}

/** One write on the way to a split. */
interface Step {
  readonly isDone: boolean;
  /** Whose pods have to be ready before it. */
  readonly needs?: Role;
  readonly make: () => Promise<unknown>;
}

interface Situation {
  readonly canary: Canary;
  readonly refs: Readonly<Record<Role, ObjectRef>>;
  readonly target: Deployment;
  readonly primary: Deployment;
  readonly label: SelectorLabel;
  /** The apex service; undefined when there is none. */
  readonly apex: Service | undefined;
}

/** The whole traffic to the primary: the canary's pods go when nobody needs them any more. */
function stepsBack(deps: Deps, situation: Situation): Step[] {
  const { refs, target, primary, label } = situation;
  const { kube, settings } = deps;
  return [
    {
      isDone: !isLending(primary),
      make: () => changeObject<Deployment>(kube, refs.primary, restoredPrimary),
    },
    ...selecting(deps, situation, { [label.label]: primaryValueOf(label) }, 'primary'),
    {
      isDone: (target.spec.replicas ?? 1) <= 1,
      needs: 'primary',
      make: async () => {
        // Those who still send to these pods hear of the change a moment late.
        await Context.current().sleep(settings.settleMs);
        await changeObject<Deployment>(kube, refs.canary, (live) => withReplicas(live, 1));
      },
    },
  ];
}

/** A share of the traffic to the canary. Whoever grows goes first. */
function stepsTo(deps: Deps, situation: Situation, wanted: Readonly<Record<Role, number>>): Step[] {
  const { refs, target, primary } = situation;
  const { kube } = deps;
  const canaryPods: Step = {
    isDone: target.spec.replicas === wanted.canary,
    needs: 'primary',
    make: () =>
      changeObject<Deployment>(kube, refs.canary, (live) => withReplicas(live, wanted.canary)),
  };
  const primaryPods: Step = {
    isDone: isLending(primary) && primary.spec.replicas === wanted.primary,
    needs: 'canary',
    make: () =>
      changeObject<Deployment>(kube, refs.primary, (live) => lendingPrimary(live, wanted.primary)),
  };
  const canaryGrows = wanted.canary >= (target.spec.replicas ?? 1);
  const grower = canaryGrows ? 'canary' : 'primary';
  const service = sharing(deps, situation, grower);
  return canaryGrows
    ? [canaryPods, ...service, primaryPods]
    : [primaryPods, ...service, canaryPods];
}

/** The apex service has to reach the pods of both. */
function sharing(deps: Deps, situation: Situation, needs: Role): Step[] {
  const { canary, target, label } = situation;
  const shared = sharedSelector(target.spec.selector.matchLabels ?? {}, label);
  return selecting(deps, situation, shared, needs).map(({ make, ...step }) => ({
    ...step,
    make: async () => {
      const [problem] = await problemsOfReplicas(deps, canary);
      if (problem !== undefined) throw invalidSpec(problem);
      await make();
    },
  }));
}

function selecting(
  { kube }: Deps,
  { canary, apex }: Situation,
  selector: Readonly<Record<string, string>> | undefined,
  needs: Role,
): Step[] {
  if (apex === undefined) return [];
  return [
    {
      isDone: isDeepStrictEqual(apex.spec.selector, selector),
      needs,
      make: () =>
        changeObject<Service>(kube, serviceRef(canary, 'apex'), (live) => ({
          ...live,
          spec: { ...live.spec, ...(selector === undefined ? {} : { selector }) },
        })),
    },
  ];
}

/** How long one attempt waits for pods, in milliseconds; the next one goes on waiting. */
const patienceMs = 20_000;

async function untilReady(deps: Deps, canary: Canary, role: Role): Promise<void> {
  const deadline = Date.now() + patienceMs;
  const pods = await podsReady(workloadOf(deps, canary), { role, deadline });
  if (!pods.ready) throw new Error(`no more pods are moved for now: ${pods.reason}`);
}

async function readSituation({ kube, settings }: Deps, canary: Canary): Promise<Situation> {
  const refs = refsOf(canary);
  const [target, primary, apex] = await Promise.all([
    kube.find<Deployment>(refs.canary),
    kube.find<Deployment>(refs.primary),
    hasServices(canary) ? kube.find<Service>(serviceRef(canary, 'apex')) : undefined,
  ]);
  if (target === undefined) throw missing(refs.canary);
  if (primary === undefined) throw missing(refs.primary);
  if (hasServices(canary) && apex === undefined) throw missing(serviceRef(canary, 'apex'));
  const label = selectorLabelOf(target, settings.selectorLabels);
  if (label === undefined) throw new Error(`${target.metadata.name} has lost its selector label`);
  return { canary, refs, target, primary, label, apex };
}

function refsOf(canary: Canary): Readonly<Record<Role, ObjectRef>> {
  const { targetWorkload, primaryWorkload } = namesOf(canary);
  const kind = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: canary.namespace };
  return { canary: { ...kind, name: targetWorkload }, primary: { ...kind, name: primaryWorkload } };
}

function missing({ kind, name, namespace }: ObjectRef): Error {
  return new Error(`${kind.toLowerCase()} ${name}.${namespace} not found`);
}

/** A running pod of somebody else's that has the labels too, and would get requests. */
async function strangerIn(
  kube: Kube,
  namespace: string,
  shared: Readonly<Record<string, string>>,
  selector: SelectorLabel,
): Promise<string | undefined> {
  const own = `${selector.label} notin (${selector.value},${primaryValueOf(selector)})`;
  const [stranger] = await kube.list({
    ...{ apiVersion: 'v1', kind: 'Pod', namespace },
    labelSelector: `${textOf(shared)},${own}`,
    fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed',
  });
  return stranger?.metadata.name;
}

function textOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([label, value]) => `${label}=${value}`)
    .join(',');
}
