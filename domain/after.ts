import { isBeforePromotion, isPromoting } from './begin.js';
import { hasConclusion } from './endings.js';
import { afterIncrease, closedStatus, nextStep, onward, toRollout } from './gates.js';
import type { Move, Shift } from './moves.js';
import { stepCookies } from './next-move.js';
import type {
  Cause,
  CheckResult,
  ClosedGate,
  Outcome,
  PodsResult,
  PromoteResult,
  ReleaseState,
  RouteResult,
} from './release.js';
import { allToPrimary } from './routes.js';
import { start, type Step } from './strategies/strategy.js';
import { awaitPods, fail, rollBack, supersede, to, unblocked, type Turn } from './turn.js';

/** The state after the services and the primary were created. */
export function afterPrepare(
  turn: Turn,
  { revision }: { readonly revision: string },
): ReleaseState {
  return awaitPods(turn, 'awaiting-first-primary', { revision, awaiting: 'primary' });
}

/** The state after the canary took over its service and the target was scaled to zero. */
export function afterInitialise(turn: Turn): ReleaseState {
  return to(turn, 'over', {
    ...start,
    phase: 'Initialized',
    reconciled: turn.plan.generation,
    outcome: 'initialised',
  });
}

/**
 * The state after the generated objects were brought in line with the manifest. An edit may have
 * lowered the threshold to what has failed already.
 */
export function afterReconcile(turn: Turn): ReleaseState {
  const { plan } = turn;
  const { adopted: _, ...before } = turn.state;
  const state = { ...before, reconciled: plan.generation };
  const { stage, failedChecks } = state;
  return stage === 'analysing' && failedChecks >= plan.threshold
    ? fail({ ...turn, state }, tooManyFailed(failedChecks))
    : state;
}

/** The state after the primary has its last good state, and the traffic, again. */
export function afterRecover(turn: Turn): ReleaseState {
  return toRollout({ ...turn, state: { ...turn.state, weight: 0 } });
}

/** The state after the HTTP gates before the rollout were open. */
export function afterGate(turn: Turn): ReleaseState {
  return toRollout({ ...turn, state: { ...turn.state, confirmed: true } });
}

/** The state after the target was scaled up. */
export function afterScaleUp(turn: Turn): ReleaseState {
  return awaitPods(turn, 'awaiting-canary', {
    ...start,
    phase: 'Progressing',
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
      return to(turn, plan.skipAnalysis ? 'finishing' : 'shifting-back', { due: now });
    default:
      return to(turn, plan.skipAnalysis ? 'copying' : 'analysing', { due: now });
  }
}

/** The state after traffic was shifted; what that means depends on the stage it happened in. */
export function afterRoute(
  turn: Turn,
  { routes: { canary: weight }, cookies }: Pick<Shift, 'routes' | 'cookies'>,
): ReleaseState {
  const { plan, state, now } = turn;
  const next = { ...turn, state: { ...state, cookies } };
  switch (state.stage) {
    case 'restarting':
      return afterRestart(next);
    case 'shifting-back':
      return weight === 0
        ? to(next, 'finishing', { phase: 'Finalising', weight })
        : to(next, 'shifting-back', { weight, due: now + plan.intervalMs });
    case 'failing-promotion':
      return end(next, 'promotion-failed', { phase: 'Failed', weight });
    default:
      return afterStep(turn, nextStep(plan, state), now + plan.intervalMs);
  }
}

/** The state after traffic was to be shifted, if the target still was what it was meant for. */
export function afterShift(
  turn: Turn,
  instead: RouteResult,
  move: Pick<Shift, 'routes' | 'cookies'>,
): ReleaseState {
  return instead === undefined ? afterRoute(turn, move) : supersede(turn, instead.revision);
}

/** The state after one analysis check, and after the step it made if it passed. */
export function afterCheck(
  turn: Turn,
  result: CheckResult,
  { then: { step } }: Pick<Extract<Move, { kind: 'check' }>, 'then'>,
): ReleaseState {
  const { plan, now } = turn;
  const { closed, ...before } = turn.state;
  const state = {
    ...before,
    checks: before.checks + (isCounted(before, result) ? 1 : 0),
    lastCheck: { ...result, at: now },
  };
  const next = { ...turn, state };
  switch (result.verdict) {
    case 'passed': {
      const due = nextCheck(turn);
      const passed = { ...next, state: { ...state, undecided: 0, opened: true, due } };
      if (result.closed !== undefined) return afterClosed(passed, result.closed);
      return step === undefined ? onward(passed) : afterStep(passed, nextStep(plan, before), due);
    }
    case 'failed':
      return afterFailedCheck(next, result);
    case 'undecided':
      return afterUndecided(next, result);
    case 'unready':
      return awaitPods(next, 'awaiting-recovery', { awaiting: result.role });
    case 'hopeless':
      return afterHopeless(next, result.reason);
    case 'rollback':
      return rollBack(next, {
        type: 'RolledBack',
        message: 'manual webhook invoked',
        actor: `webhook ${result.hook}`,
      });
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
  return end(turn, 'promoted', { ...start, phase: 'Succeeded' });
}

/** The state after everything was put back. */
export function afterRollBack(turn: Turn): ReleaseState {
  const cookies = stepCookies(turn.plan, turn.state, allToPrimary);
  return end(turn, 'rolled-back', { ...start, cookies, phase: 'Failed' });
}

/** The state after the analysed revision was put back into the target: its pods come again. */
export function afterPutBack(turn: Turn): ReleaseState {
  const { next, ...state } = turn.state;
  return awaitPods({ ...turn, state }, 'awaiting-recovery', { awaiting: 'canary' });
}

/** The state after something was told that is told once. */
export function afterTell({ state }: Turn): ReleaseState {
  const phase =
    state.gate?.before === 'rollout'
      ? 'Waiting'
      : state.gate?.before === 'promotion'
        ? 'WaitingPromotion'
        : state.phase;
  return { ...state, phase, announced: true };
}

/** The state after the hooks that follow the end were called. */
export function afterConclude(turn: Turn): ReleaseState {
  const { ended: outcome = 'failed' } = turn.state;
  return to(turn, 'over', { outcome });
}

/** The state after the target was given back what the Canary took. */
export function afterRevert(turn: Turn): ReleaseState {
  return to(turn, 'over', { phase: 'Terminating', outcome: 'reverted' });
}

/**
 * The state after an activity said that it can never succeed. A release that has not touched the
 * primary is taken back. One that is past that stays as it is until the manifest is changed,
 * because ending it would leave the canary mid-way.
 */
export function afterFailure(turn: Turn, cause: Cause, failed: Move['kind']): ReleaseState {
  const { plan, state } = turn;
  const { stage } = state;
  // An edit that makes no sense must not decide over a release under way.
  if (failed === 'reconcile' && stage !== 'over') return { ...state, reconciled: plan.generation };
  // The end has come already; what follows it cannot change it.
  if (stage === 'concluding') return afterConclude(turn);
  if (isBeforePromotion(stage)) return rollBack(turn, cause);
  return isPromoting(stage) ||
    stage === 'rolling-back' ||
    stage === 'failing-promotion' ||
    stage === 'reverting'
    ? { ...state, blocked: cause.message }
    : to(turn, 'over', { outcome: 'failed', cause });
}

/** The state after the workflow was asked to cancel. */
export function afterCancellation(turn: Turn): ReleaseState {
  const cause: Cause = { type: 'Cancelled', message: 'as the workflow was cancelled' };
  const { stage } = turn.state;
  if (isBeforePromotion(stage) || isPromoting(stage)) return rollBack(turn, cause);
  return stage === 'rolling-back' || stage === 'over' || stage === 'concluding'
    ? turn.state
    : to(turn, 'over', { outcome: 'failed', cause });
}

/** The state after the Canary was deleted: its objects go with it, there is nothing left to move. */
export function afterDeletion(turn: Turn): ReleaseState {
  return to(turn, 'over', { outcome: 'gone' });
}

/** The state after the Canary began to be deleted: whatever was under way, the target gets all back. */
export function afterDeleting(turn: Turn): ReleaseState {
  const { gate, paused, outcome, ...state } = unblocked(turn.state);
  return to({ ...turn, state }, 'reverting');
}

/** Ends a release; hooks that follow are called before it is over. */
function end(turn: Turn, outcome: Outcome, change: Partial<ReleaseState>): ReleaseState {
  return hasConclusion(turn.plan)
    ? to(turn, 'concluding', { ...change, ended: outcome })
    : to(turn, 'over', { ...change, outcome });
}

function afterStep(turn: Turn, step: Step | undefined, due: number): ReleaseState {
  const { plan, state } = turn;
  if (step === undefined) return to(turn, 'copying');
  const { weight, iterations, mirrored } = step;
  const cookies = stepCookies(plan, state, step.routes);
  const approvals = weight > state.weight ? afterIncrease(plan, state.approvals) : state.approvals;
  const phase = state.phase === 'WaitingPromotion' ? state.phase : 'Progressing';
  return to(turn, 'analysing', { phase, weight, iterations, mirrored, cookies, approvals, due });
}

/** What opens the analysis is a check that people hear of only when it fails. */
function isCounted({ opened }: ReleaseState, { verdict }: CheckResult): boolean {
  return opened || verdict === 'failed';
}

/** A closed HTTP gate is asked again with the next check. */
function afterClosed({ state }: Turn, closed: ClosedGate): ReleaseState {
  return { ...state, ...closedStatus(closed), closed };
}

/**
 * Checks keep to a beat: what a check and a step take is not added to the interval, unless they
 * take more than a tenth of it. The first step gets the whole interval.
 */
function nextCheck({ plan: { intervalMs }, state: { opened, due }, now }: Turn): number {
  const isOnBeat = opened && now - due <= intervalMs / 10;
  return (isOnBeat ? due : now) + intervalMs;
}

function afterFailedCheck(
  turn: Turn,
  { check, reason, readings }: Extract<CheckResult, { verdict: 'failed' | 'undecided' }>,
): ReleaseState {
  const { plan, state } = turn;
  const failedChecks = state.failedChecks + 1;
  const counted = { ...turn, state: { ...state, failedChecks } };
  if (failedChecks < plan.threshold) {
    return { ...counted.state, due: nextCheck(turn) };
  }
  const reading = readings.find(({ metric, passed }) => metric === check && !passed);
  return fail(counted, {
    ...tooManyFailed(failedChecks),
    check,
    reason,
    ...(reading?.value === undefined ? {} : { value: reading.value }),
    ...(reading === undefined ? {} : { threshold: reading.threshold }),
  });
}

function tooManyFailed(failedChecks: number): Cause {
  return {
    type: 'AnalysisFailed',
    message: `failed checks threshold reached ${String(failedChecks)}`,
  };
}

/** `hold` waits for a verdict as long as it takes; `extend` for as many checks as may fail. */
function afterUndecided(
  turn: Turn,
  result: Extract<CheckResult, { verdict: 'undecided' }>,
): ReleaseState {
  const { plan, state } = turn;
  const undecided = state.undecided + 1;
  if (result.policy === 'extend' && undecided > plan.threshold) {
    return afterFailedCheck({ ...turn, state: { ...state, undecided: 0 } }, result);
  }
  return { ...state, undecided, due: nextCheck(turn) };
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
      return fail(turn, cause);
  }
}

/** A retry goes on in the same run; a newer revision gets a run of its own. */
function afterRestart(turn: Turn): ReleaseState {
  const { next = turn.state.revision, closed, gate, cause, ...state } = turn.state;
  const restarted = {
    ...turn,
    state: { ...state, ...start, failedChecks: 0, undecided: 0, opened: false, approvals: [] },
  };
  return next === state.revision
    ? awaitPods(restarted, 'awaiting-canary', { phase: 'Progressing', awaiting: 'canary' })
    : to(restarted, 'over', { next, outcome: 'superseded' });
}
