import type { Cause, Plan, ReleaseState, Stage } from './release.js';

/** A release at the moment something has happened to it. */
export interface Turn {
  readonly plan: Plan;
  readonly state: ReleaseState;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Moves on to a stage, which begins now. */
export function to(
  { state, now }: Turn,
  stage: Stage,
  change: Partial<ReleaseState> = {},
): ReleaseState {
  return { ...state, stage, since: now, announced: false, ...change };
}

/** Takes everything back for good. */
export function rollBack(turn: Turn, cause: Cause): ReleaseState {
  const { gate, ...state } = unblocked(turn.state);
  return to({ ...turn, state }, 'rolling-back', { cause });
}

/** What the manifest wants of a release that cannot go on by itself: back, or a person's decision. */
export function fail(turn: Turn, cause: Cause): ReleaseState {
  if (turn.plan.onFailure === 'rollback') return rollBack(turn, cause);
  const { gate, ...state } = turn.state;
  return to({ ...turn, state }, 'holding', { cause });
}

/** Waits for pods, as long as the progress deadline allows from now on. */
export function awaitPods(turn: Turn, stage: Stage, change: Partial<ReleaseState>): ReleaseState {
  return to(turn, stage, { deadline: turn.now + turn.plan.progressDeadlineMs, ...change });
}

/** The state after the manifest was changed: what was blocked is tried again, and told of again. */
export function unblocked(state: ReleaseState): ReleaseState {
  const { blocked, ...rest } = state;
  return blocked === undefined ? state : { ...rest, announced: false };
}

/** Takes the release back to weight 0, to be run again for a newer revision or the same. */
export function supersede(turn: Turn, next: string): ReleaseState {
  const { plan, state } = turn;
  if (next === state.promotedRevision) {
    return rollBack(turn, {
      type: 'Reverted',
      message: 'the target was set back to the promoted revision',
    });
  }
  // Nothing has moved yet, so there is nothing to be taken back, and nobody to be kept waiting.
  if (state.stage === 'gating') return to(turn, 'over', { next, outcome: 'superseded' });
  if (next === state.revision || plan.onNewRevision === 'restart') {
    return to(turn, 'restarting', { next });
  }
  const queued = plan.onNewRevision === 'queue' ? { queued: next } : {};
  return to(turn, 'putting-back', { next, ...queued });
}
