import { cookiesOf } from './cookies.js';
import { only } from './entries.js';
import { toRollout } from './gates.js';
import type { Cause, ReleaseState, Stage, Survey, Trigger } from './release.js';
import { start } from './strategies/strategy.js';
import { to, type Turn } from './turn.js';

/** What a run carries over from the run before it. */
export type Carried =
  /** The same release, in a fresh history. */
  | { readonly kind: 'continued'; readonly state: ReleaseState }
  /** A newer revision took over; traffic is back on the primary and the target is up. */
  | { readonly kind: 'superseding'; readonly revision: string };

type Surveyed = Extract<Survey, { kind: 'ready' }>;

/** The state a run begins in, given what it was started for and what the cluster looks like. */
export function begin(
  survey: Surveyed,
  trigger: Trigger,
  carried: Carried | undefined,
  now: number,
): ReleaseState {
  if (carried?.kind === 'continued') return carried.state;
  const { plan } = survey;
  const state = { ...atRest(survey, now), ...only(survey, 'adopted') };
  if (carried?.kind !== 'superseding') return beginIn(survey, trigger, state, now);
  // The target is up, and was let in before; only people are asked about each revision.
  const letIn = { ...state, ...start, phase: 'Progressing', confirmed: true } as const;
  const next = toRollout({ plan, state: letIn, now });
  return next.stage === 'gating' ? next : { ...next, stage: 'awaiting-canary' };
}

/** The state a run begins in that takes over nothing but the phase in which it finds the Canary. */
function beginIn(
  survey: Surveyed,
  trigger: Trigger,
  state: ReleaseState,
  now: number,
): ReleaseState {
  const { plan, revision, status } = survey;
  const isReverted = revision === state.promotedRevision;
  switch (state.phase) {
    case '':
    case 'Initializing':
      return { ...state, stage: 'preparing', phase: 'Initializing', awaiting: 'primary' };
    case 'Waiting':
      // Nothing has moved: whoever waited waits again.
      return isReverted
        ? { ...state, stage: 'rolling-back', cause: reverted }
        : toRollout({ plan, state, now });
    case 'Progressing':
    case 'WaitingPromotion':
    case 'Promoting':
    case 'Finalising': {
      const { adopted, ...rest } = state;
      // It keeps the objects it began with; the manifest is looked at when the canary is at rest.
      const midway = { revision: status.lastAppliedSpec ?? '', reconciled: plan.generation };
      return { ...rest, ...midway, ...goingOn(state.phase) };
    }
    case 'Initialized':
    case 'Succeeded':
    case 'Failed':
    case 'Terminating':
    case 'Terminated':
      return isWanted(survey, trigger) ? beginRelease({ plan, state, now }) : state;
  }
}

/** What a run does first about a release that another one left in its middle. */
function goingOn(
  phase: 'Progressing' | 'WaitingPromotion' | 'Promoting' | 'Finalising',
): Partial<ReleaseState> & Pick<ReleaseState, 'stage'> {
  if (phase === 'Promoting') return { stage: 'copying' };
  return phase === 'Finalising'
    ? { stage: 'finishing', weight: 0 }
    : { stage: 'rolling-back', cause: abandoned };
}

/** A promotion that failed left all traffic at the canary, and a broken primary. */
function beginRelease(turn: Turn): ReleaseState {
  const { phase, weight } = turn.state;
  return phase === 'Failed' && weight === 100 ? to(turn, 'recovering') : toRollout(turn);
}

/** A release that has to give back what the Canary took, as it is being deleted. */
export function beginReverting(
  { plan, status: { phase = '', lastAppliedSpec = '' } }: Extract<Survey, { kind: 'deleting' }>,
  now: number,
): ReleaseState {
  const state = atRest(
    { kind: 'ready', plan, status: { phase }, revision: lastAppliedSpec, images: [] },
    now,
  );
  return { ...state, stage: 'reverting' };
}

function atRest({ plan, status, revision, images }: Surveyed, now: number): ReleaseState {
  const { phase = '', canaryWeight = 0, observedGeneration = 0 } = status;
  return {
    stage: 'over',
    phase,
    revision,
    promotedRevision: status.lastPromotedSpec ?? '',
    images,
    ...start,
    weight: canaryWeight,
    failedChecks: 0,
    undecided: 0,
    checks: 0,
    startedAt: now,
    since: now,
    due: now,
    deadline: now + plan.progressDeadlineMs,
    awaiting: 'canary',
    waitedForPeopleMs: 0,
    approvals: [],
    announced: false,
    confirmed: false,
    opened: false,
    cookies: cookiesOf(status),
    reconciled: observedGeneration,
    reports: 0,
  };
}

const reverted: Cause = {
  type: 'Reverted',
  message: 'the target was set back to the promoted revision',
};

/**
 * Whether a canary at rest should release the target's revision: it is neither the promoted one nor
 * the last one tried, unless somebody asks to try just that again.
 */
function isWanted({ status, revision }: Surveyed, trigger: Trigger): boolean {
  if (revision === status.lastPromotedSpec) return false;
  if (revision !== status.lastAppliedSpec) return true;
  return trigger.kind === 'request' || (trigger.kind === 'retry' && trigger.revision === revision);
}

/** A run that was terminated left the canary mid-way: nobody watched its analysis, so it is undone. */
const abandoned: Cause = {
  type: 'Abandoned',
  message: 'the release was cut off before it ended (its workflow was terminated or lost)',
};

/** Stages in which the release still can be turned back without touching the primary. */
export function isBeforePromotion(stage: Stage): boolean {
  return (
    stage === 'gating' ||
    stage === 'scaling-up' ||
    stage === 'awaiting-canary' ||
    stage === 'awaiting-recovery' ||
    stage === 'stepping' ||
    stage === 'analysing' ||
    stage === 'restarting' ||
    stage === 'putting-back' ||
    stage === 'holding'
  );
}

/** Stages in which the primary has, or is about to have, the new revision. */
export function isPromoting(stage: Stage): boolean {
  return (
    stage === 'copying' ||
    stage === 'awaiting-primary' ||
    stage === 'shifting-back' ||
    stage === 'finishing'
  );
}
