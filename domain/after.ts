import { isBeforePromotion, isPromoting } from './begin.js';
import { nextWeight } from './next-move.js';
import type {
  Cause,
  CheckResult,
  Plan,
  PodsResult,
  PromoteResult,
  ReleaseState,
  Stage,
} from './release.js';
import type { Routes } from './routes.js';

/** A release at the moment an activity has answered. */
export interface Turn {
  readonly plan: Plan;
  readonly state: ReleaseState;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** The state after the services and the primary were created. */
export function afterPrepare(
  turn: Turn,
  { revision }: { readonly revision: string },
): ReleaseState {
  return awaitPods(turn, 'awaiting-first-primary', { revision, awaiting: 'primary' });
}

/** The state after the canary took over its service and the target was scaled to zero. */
export function afterInitialise(turn: Turn): ReleaseState {
  return to(turn, 'over', { phase: 'Initialized', weight: 0, outcome: 'initialised' });
}

/** The state after the target was scaled up. */
export function afterScaleUp(turn: Turn): ReleaseState {
  return awaitPods(turn, 'awaiting-canary', {
    phase: 'Progressing',
    weight: 0,
    awaiting: 'canary',
  });
}

/** The state after waiting for pods. */
export function afterPods(turn: Turn, result: PodsResult): ReleaseState {
  const { plan, state, now } = turn;
  if (!result.ready) return afterHopeless(turn, result.reason);
  switch (state.stage) {
    case 'awaiting-first-primary':
      return to(turn, 'initialising');
    case 'awaiting-primary':
      return to(turn, state.weight === 0 ? 'finishing' : 'shifting-back', { due: now });
    case 'awaiting-recovery':
      return to(turn, 'analysing', { due: now });
    default:
      return to(turn, plan.skipAnalysis ? 'copying' : 'stepping');
  }
}

/** The state after traffic was shifted; what that means depends on the stage it happened in. */
export function afterRoute(turn: Turn, { canary: weight }: Routes): ReleaseState {
  const { plan, state, now } = turn;
  switch (state.stage) {
    case 'restarting':
      return afterRestart(turn);
    case 'shifting-back':
      return weight === 0
        ? to(turn, 'finishing', { phase: 'Finalising', weight })
        : to(turn, 'shifting-back', { weight, due: now + plan.intervalMs });
    case 'failing-promotion':
      return to(turn, 'over', { phase: 'Failed', weight, outcome: 'promotion-failed' });
    default:
      return to(turn, 'analysing', { phase: 'Progressing', weight, due: nextCheck(turn) });
  }
}

/**
 * Checks keep to a beat: what a check and a step take is not added to the interval, unless they
 * take more than a tenth of it. The first weight gets the whole interval.
 */
function nextCheck({ plan: { intervalMs }, state: { weight, due }, now }: Turn): number {
  const isOnBeat = weight > 0 && now - due <= intervalMs / 10;
  return (isOnBeat ? due : now) + intervalMs;
}

/** The state after one analysis check. */
export function afterCheck(turn: Turn, result: CheckResult): ReleaseState {
  const { plan, now } = turn;
  const state = {
    ...turn.state,
    checks: turn.state.checks + 1,
    lastCheck: { ...result, at: now },
  };
  const next = { ...turn, state };
  switch (result.verdict) {
    case 'passed':
      return to(next, nextWeight(plan, state.weight) === undefined ? 'copying' : 'stepping');
    case 'failed':
      return afterFailedCheck(next, result);
    case 'unready':
      return awaitPods(next, 'awaiting-recovery', { awaiting: result.role });
    case 'hopeless':
      return afterHopeless(next, result.reason);
    case 'changed':
      return supersede(next, result.revision);
  }
}

/** The state after the target was copied to the primary, or was found to have changed. */
export function afterPromote(turn: Turn, result: PromoteResult): ReleaseState {
  if (!result.copied) return supersede(turn, result.revision);
  const { primaryBefore } = result;
  return awaitPods(turn, 'awaiting-primary', {
    phase: 'Promoting',
    awaiting: 'primary',
    ...(primaryBefore === undefined ? {} : { primaryBefore }),
  });
}

/** The state after the target was scaled to zero behind a promotion. */
export function afterFinish(turn: Turn): ReleaseState {
  return to(turn, 'over', { phase: 'Succeeded', weight: 0, outcome: 'promoted' });
}

/** The state after everything was put back. */
export function afterRollBack(turn: Turn): ReleaseState {
  return to(turn, 'over', { phase: 'Failed', weight: 0, outcome: 'rolled-back' });
}

/** Takes the release back to weight 0, to be run again for a newer revision. */
export function supersede(turn: Turn, next: string): ReleaseState {
  return next === turn.state.promotedRevision
    ? rollBack(turn, {
        type: 'Reverted',
        message: 'the target was set back to the promoted revision',
      })
    : to(turn, 'restarting', { next });
}

/** Takes everything back for good. */
export function rollBack(turn: Turn, cause: Cause): ReleaseState {
  return to({ ...turn, state: unblocked(turn.state) }, 'rolling-back', { cause });
}

/**
 * The state after an activity said that it can never succeed. A release that has not touched the
 * primary is taken back. One that is past that stays as it is until the manifest is changed,
 * because ending it would leave the canary mid-way.
 */
export function afterFailure(turn: Turn, cause: Cause): ReleaseState {
  const { stage } = turn.state;
  if (isBeforePromotion(stage)) return rollBack(turn, cause);
  return isPromoting(stage) || stage === 'rolling-back' || stage === 'failing-promotion'
    ? { ...turn.state, blocked: cause.message }
    : to(turn, 'over', { outcome: 'failed', cause });
}

/** The state after the manifest was changed: what was blocked is tried again. */
export function unblocked(state: ReleaseState): ReleaseState {
  const { blocked, ...rest } = state;
  return rest;
}

/** The state after the workflow was asked to cancel. */
export function afterCancellation(turn: Turn): ReleaseState {
  const cause: Cause = { type: 'Cancelled', message: 'as the workflow was cancelled' };
  const { stage } = turn.state;
  if (isBeforePromotion(stage) || isPromoting(stage)) return rollBack(turn, cause);
  return stage === 'rolling-back' || stage === 'over'
    ? turn.state
    : to(turn, 'over', { outcome: 'failed', cause });
}

/** The state after the Canary was deleted: its objects go with it, there is nothing left to move. */
export function afterDeletion(turn: Turn): ReleaseState {
  return to(turn, 'over', { outcome: 'gone' });
}

/** Moves on to a stage, which begins now. */
export function to(
  { state, now }: Turn,
  stage: Stage,
  change: Partial<ReleaseState> = {},
): ReleaseState {
  return { ...state, stage, since: now, ...change };
}

function awaitPods(turn: Turn, stage: Stage, change: Partial<ReleaseState>): ReleaseState {
  return to(turn, stage, { deadline: turn.now + turn.plan.progressDeadlineMs, ...change });
}

function afterFailedCheck(
  turn: Turn,
  { check, reason, readings }: Extract<CheckResult, { verdict: 'failed' }>,
): ReleaseState {
  const { plan, state } = turn;
  const failedChecks = state.failedChecks + 1;
  const counted = { ...turn, state: { ...state, failedChecks } };
  if (failedChecks < plan.threshold) {
    return { ...counted.state, due: nextCheck(turn) };
  }
  const reading = readings.find(({ metric, passed }) => metric === check && !passed);
  return rollBack(counted, {
    type: 'AnalysisFailed',
    message: `failed checks threshold reached ${String(failedChecks)}`,
    check,
    reason,
    ...(reading?.value === undefined ? {} : { value: reading.value }),
    ...(reading === undefined ? {} : { threshold: reading.threshold }),
  });
}

/** Pods did not come in time: what that ends depends on what they were awaited for. */
function afterHopeless(turn: Turn, reason: string): ReleaseState {
  const cause: Cause = {
    type: 'DeadlineExceeded',
    message: `progress deadline exceeded ${reason}`,
    reason,
  };
  switch (turn.state.stage) {
    case 'awaiting-first-primary':
      return to(turn, 'over', { outcome: 'failed', cause });
    case 'awaiting-primary':
      return to(turn, 'failing-promotion', { cause: { ...cause, message: reason } });
    default:
      return rollBack(turn, cause);
  }
}

/** A retry goes on in the same run; a newer revision gets a run of its own. */
function afterRestart(turn: Turn): ReleaseState {
  const { next = turn.state.revision, ...state } = turn.state;
  const restarted = { ...turn, state: { ...state, weight: 0, failedChecks: 0 } };
  return next === state.revision
    ? awaitPods(restarted, 'awaiting-canary', { phase: 'Progressing', awaiting: 'canary' })
    : to(restarted, 'over', { next, outcome: 'superseded' });
}
