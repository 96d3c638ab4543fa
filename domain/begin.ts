import type { Phase } from './canary.js';
import type { Cause, ReleaseState, Stage, Survey, Trigger } from './release.js';

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
  const {
    phase = '',
    canaryWeight = 0,
    lastAppliedSpec = '',
    lastPromotedSpec = '',
  } = survey.status;
  const base: ReleaseState = {
    stage: 'over',
    phase,
    revision: survey.revision,
    promotedRevision: lastPromotedSpec,
    images: survey.images,
    weight: canaryWeight,
    failedChecks: 0,
    checks: 0,
    startedAt: now,
    since: now,
    due: now,
    deadline: now + survey.plan.progressDeadlineMs,
    awaiting: 'canary',
    waitedForPeopleMs: 0,
    reports: 0,
  };
  if (carried?.kind === 'superseding') {
    return { ...base, stage: 'awaiting-canary', phase: 'Progressing', weight: 0 };
  }
  switch (phase) {
    case '':
    case 'Initializing':
      return { ...base, stage: 'preparing', phase: 'Initializing', awaiting: 'primary' };
    case 'Waiting':
    case 'Progressing':
    case 'WaitingPromotion':
      return { ...base, stage: 'rolling-back', revision: lastAppliedSpec, cause: abandoned };
    case 'Promoting':
      return { ...base, stage: 'copying', revision: lastAppliedSpec };
    case 'Finalising':
      return { ...base, stage: 'finishing', revision: lastAppliedSpec, weight: 0 };
    case 'Initialized':
    case 'Succeeded':
    case 'Failed':
    case 'Terminating':
    case 'Terminated':
      return isWanted(survey, trigger)
        ? { ...base, stage: 'scaling-up' }
        : { ...base, outcome: 'unchanged' };
  }
}

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
    stage === 'scaling-up' ||
    stage === 'awaiting-canary' ||
    stage === 'awaiting-recovery' ||
    stage === 'stepping' ||
    stage === 'analysing' ||
    stage === 'restarting'
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

/** Whether the phase shows a release under way. */
export function isMidway(phase: Phase): boolean {
  return (
    phase === 'Waiting' ||
    phase === 'Progressing' ||
    phase === 'WaitingPromotion' ||
    phase === 'Promoting' ||
    phase === 'Finalising'
  );
}
