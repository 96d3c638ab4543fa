import { ApplicationFailure } from '@temporalio/activity';

import { isFlaggers, revisionsLeft, type Revisions } from '../domain/adoption.js';
import type { Canary, CanaryStatus, HookType } from '../domain/canary.js';
import { only } from '../domain/entries.js';
import { parseCanary } from '../domain/manifest.js';
import { namesOf } from '../domain/names.js';
import { workloadRefs } from '../domain/targets.js';
import { disorderOf } from '../domain/upkeep.js';
import { surveyedStatus, type CanaryRef, type Plan, type Survey } from '../domain/release.js';
import { objectRefOf } from './canaries.js';
import { clashesOf } from './clashes.js';
import type { Deps } from './deps.js';
import { hasFinalizer } from './finalizer.js';
import { readGenerated, type Generated } from './generated.js';
import { problemsOfReplicas } from './replicas.js';
import { workloadOf } from './workloads/index.js';
import type { Target } from './workloads/workload.js';

/** Looks at a Canary and its target, and says what there is to release, or why nothing can be. */
export async function survey(
  deps: Deps,
  { canary: ref }: { readonly canary: CanaryRef },
): Promise<Survey> {
  const { kube, settings } = deps;
  const manifest = await kube.find(objectRefOf(ref));
  const isDeleted = manifest?.metadata.deletionTimestamp !== undefined;
  if (manifest === undefined || (isDeleted && !hasFinalizer(manifest))) return { kind: 'gone' };
  const parsed = parseCanary(manifest, settings.defaults);
  if (!parsed.ok) return { kind: 'invalid', problems: parsed.problems };

  const { canary } = parsed;
  const plan = planOf(canary, parsed.warnings);
  if (isDeleted) return { kind: 'deleting', plan, status: canary.status };
  const generated = await readGenerated(deps, canary);
  const [target, ...found] = await Promise.all([
    targetOf(deps, canary),
    clashesOf(deps, canary, generated),
    problemsOfReplicas(deps, canary),
  ]);
  const problems = found.flat();
  if (typeof target === 'string') return { kind: 'invalid', problems: [target, ...problems] };
  if (problems.length > 0) return { kind: 'invalid', problems };
  const adopted = await adoptedFrom(canary, target);
  return {
    kind: 'ready',
    plan,
    status: { ...statusOf(deps, canary, generated), ...adopted },
    ...(adopted === undefined ? {} : { adopted }),
    revision: target.revision,
    images: target.containers.map(({ image = '' }) => image),
  };
}

/**
 * The status, as far as it decides how a release begins. A generation whose objects were changed
 * by others since was not observed: they have to be made from it again.
 */
function statusOf(
  { settings: { selectorLabels } }: Deps,
  canary: Canary,
  { find }: Generated,
): Partial<CanaryStatus> {
  const status = only(canary.status, ...surveyedStatus);
  const target = find(workloadRefs(canary).canary);
  const disorder = target && disorderOf(canary, target, { find, selectorLabels });
  if (disorder === undefined || disorder.length === 0) return status;
  const { observedGeneration: _, ...rest } = status;
  return rest;
}

function planOf(canary: Canary, warnings: readonly string[]): Plan {
  const { analysis, generation, skipAnalysis, suspend, progressDeadlineMs, onNewRevision } = canary;
  const { intervalMs, threshold, strategy, stepWeightPromotion, gates, onFailure } = analysis;
  const { sessionAffinity } = analysis;
  return {
    generation,
    names: namesOf(canary),
    targetKind: workloadRefs(canary).canary.kind,
    intervalMs,
    threshold,
    strategy,
    stepWeightPromotion,
    skipAnalysis,
    suspended: suspend,
    progressDeadlineMs,
    hooks: hooksOf(canary),
    gates,
    ...(sessionAffinity === undefined
      ? {}
      : { affinity: only(sessionAffinity, 'cookieName', 'primaryCookieName') }),
    onFailure,
    onNewRevision,
    warnings,
  };
}

/** Only the names: addresses and metadata stay out of the history. */
function hooksOf({ analysis: { webhooks } }: Canary): Plan['hooks'] {
  const hooks: Partial<Record<HookType, string[]>> = {};
  for (const { type, name } of webhooks) (hooks[type] ??= []).push(name);
  return hooks;
}

/** The target, or the sentence that says what is wrong with it. */
async function targetOf(deps: Deps, canary: Canary): Promise<Target | string> {
  try {
    return await workloadOf(deps, canary).target();
  } catch (error) {
    if (error instanceof ApplicationFailure && error.type === 'InvalidSpec') return error.message;
    throw error;
  }
}

/** What the revisions are that Flagger's status speaks of; undefined when it is our own. */
async function adoptedFrom({ status }: Canary, target: Target): Promise<Revisions | undefined> {
  if (!isFlaggers(status)) return undefined;
  return revisionsLeft(status, {
    target: target.revision,
    primary: await target.primaryRevision(),
  });
}
