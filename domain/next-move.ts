import type { EventText, Ending, Move, Report, StatusPatch } from './moves.js';
import type { Outcome, Plan, ReleaseState } from './release.js';
import { allToCanary, allToPrimary, toCanary, type Routes } from './routes.js';
import { texts } from './texts.js';

/**
 * What a release does next. Pure: the same plan, state and time give the same move, with every
 * argument of the activity that makes it. Nothing here waits for the analysis interval except
 * the wait before a check and between the steps of a stepped promotion.
 */
export function nextMove(plan: Plan, state: ReleaseState, now: number): Move {
  if (state.outcome !== undefined) return { kind: 'end', outcome: state.outcome };
  if (state.blocked !== undefined || isHeld(plan, state)) return { kind: 'wait', until: undefined };
  const { names } = plan;
  switch (state.stage) {
    case 'preparing':
      return { kind: 'prepare', report: report(state, { status: { phase: 'Initializing' } }) };
    case 'awaiting-first-primary':
    case 'awaiting-canary':
    case 'awaiting-primary':
    case 'awaiting-recovery':
      return { kind: 'awaitPods', role: state.awaiting, deadline: state.deadline };
    case 'initialising':
      return initialise(plan, state);
    case 'scaling-up':
      return {
        kind: 'scaleUp',
        report: report(state, {
          before: [texts.scalingUp(names)],
          status: { ...started, lastAppliedSpec: state.revision },
        }),
      };
    case 'stepping':
      return plan.skipAnalysis ? promote(plan, state) : step(plan, state);
    case 'analysing':
      if (plan.skipAnalysis) return promote(plan, state);
      return now < state.due ? { kind: 'wait', until: state.due } : check(state);
    case 'restarting':
      return restart(plan, state);
    case 'copying':
      return promote(plan, state);
    case 'shifting-back':
      return now < state.due ? { kind: 'wait', until: state.due } : shiftBack(plan, state);
    case 'finishing':
      return finish(plan, state);
    case 'rolling-back':
      return rollBack(plan, state);
    case 'failing-promotion':
      return failPromotion(plan, state);
    case 'over':
      return { kind: 'end', outcome: 'unchanged' };
  }
}

/**
 * The state in which a move is made. The story of the next one is another, even when this one is cut
 * short; only a move that fails and is tried again tells its story under the same key.
 */
export function making(state: ReleaseState, move: Move): ReleaseState {
  return 'report' in move ? { ...state, reports: state.reports + 1 } : state;
}

/** The weight after this one, or undefined when the next thing is the promotion. */
export function nextWeight({ weights }: Plan, weight: number): number | undefined {
  return weights.find((candidate) => candidate > weight);
}

/** The primary's share after the next step of the promotion, in percent. */
export function nextPrimaryWeight(plan: Plan, weight: number): number {
  const step = isSteppedBack(plan) ? plan.stepWeightPromotion : 100;
  return Math.min(100, 100 - weight + step);
}

function isSteppedBack({ stepWeightPromotion, skipAnalysis }: Plan): boolean {
  return stepWeightPromotion > 0 && !skipAnalysis;
}

/** A pause or `spec.suspend` holds a release only where holding is safe. */
function isHeld({ suspended }: Plan, { stage, paused }: ReleaseState): boolean {
  return (
    (suspended || paused !== undefined) &&
    (stage === 'scaling-up' ||
      stage === 'stepping' ||
      stage === 'analysing' ||
      stage === 'copying' ||
      stage === 'shifting-back')
  );
}

const started: StatusPatch = {
  phase: 'Progressing',
  canaryWeight: 0,
  failedChecks: 0,
  iterations: 0,
};

function report(state: ReleaseState, content: Omit<Report, 'key'>): Report {
  return { key: String(state.reports), ...content };
}

function initialise({ names }: Plan, state: ReleaseState): Move {
  const { revision } = state;
  return {
    kind: 'initialise',
    revision,
    report: report(state, {
      status: {
        ...started,
        phase: 'Initialized',
        lastAppliedSpec: revision,
        lastPromotedSpec: revision,
      },
      after: [texts.initialised(names)],
    }),
  };
}

function step(plan: Plan, state: ReleaseState): Move {
  const weight = nextWeight(plan, state.weight) ?? state.weight;
  const before: EventText[] = state.weight === 0 ? [texts.starting(plan.names)] : [];
  return {
    kind: 'route',
    routes: toCanary(weight),
    report: report(state, {
      before,
      status: { phase: 'Progressing', canaryWeight: weight },
      after: [texts.advanced(plan.names, weight)],
    }),
  };
}

function check(state: ReleaseState): Move {
  return {
    kind: 'check',
    revision: state.revision,
    routes: toCanary(state.weight),
    failedChecks: state.failedChecks,
    report: report(state, {}),
  };
}

function promote({ names }: Plan, state: ReleaseState): Move {
  return {
    kind: 'promote',
    revision: state.revision,
    report: report(state, { before: [texts.copying(names)], status: { phase: 'Promoting' } }),
  };
}

function restart({ names }: Plan, state: ReleaseState): Move {
  const { next = state.revision, revision } = state;
  const text = next === revision ? texts.retrying(names) : texts.restarting(names);
  return route(
    allToPrimary,
    report(state, {
      before: [text],
      status: { ...started, lastAppliedSpec: next },
    }),
  );
}

function shiftBack(plan: Plan, state: ReleaseState): Move {
  const primary = nextPrimaryWeight(plan, state.weight);
  const text = isSteppedBack(plan)
    ? texts.advancedPrimary(plan.names, primary)
    : texts.allToPrimary();
  return route(
    { primary, canary: 100 - primary },
    report(state, {
      status: {
        phase: primary === 100 ? 'Finalising' : 'Promoting',
        canaryWeight: 100 - primary,
      },
      after: [text],
    }),
  );
}

function finish({ names, skipAnalysis }: Plan, state: ReleaseState): Move {
  return {
    kind: 'finish',
    ending: ending(state, 'promoted'),
    report: report(state, {
      status: {
        phase: 'Succeeded',
        canaryWeight: 0,
        iterations: 0,
        lastPromotedSpec: state.revision,
      },
      after: [skipAnalysis ? texts.promotedUnchecked(names) : texts.promoted(names)],
    }),
  };
}

function rollBack({ names }: Plan, state: ReleaseState): Move {
  return {
    kind: 'rollBack',
    primaryBefore: state.primaryBefore,
    ending: ending(state, 'rolled-back'),
    report: report(state, {
      before: [texts.rollingBack(names, state.cause?.message ?? ''), texts.failed(names)],
      status: { ...started, phase: 'Failed', lastAppliedSpec: state.revision },
    }),
  };
}

/** The primary broke while it was updated: the canary is the healthy copy, so it gets everything. */
function failPromotion({ names }: Plan, state: ReleaseState): Move {
  return route(
    allToCanary,
    report(state, {
      before: [texts.promotionFailed(names, state.cause?.message ?? '')],
      status: { phase: 'Failed', canaryWeight: 100, failedChecks: 0, iterations: 0 },
    }),
    ending(state, 'promotion-failed'),
  );
}

function route(routes: Routes, told: Report, over?: Ending): Move {
  return { kind: 'route', routes, report: told, ...(over === undefined ? {} : { ending: over }) };
}

function ending({ startedAt, waitedForPeopleMs }: ReleaseState, outcome: Outcome): Ending {
  return { outcome, startedAt, waitedForPeopleMs };
}
