import { cookiesWith, cookieStatus } from './cookies.js';
import { failPromotion, finish, promotedText, rollBack } from './endings.js';
import { closedBefore, hooksBefore, nextStep } from './gates.js';
import type { EventText, Move, Report, Shift, StatusPatch } from './moves.js';
import type { Plan, ReleaseState } from './release.js';
import { report, started } from './reports.js';
import { allToPrimary, mirrored, toCanary, type Routes } from './routes.js';
import { start, stepsOf, type Position, type Step } from './strategies/strategy.js';
import { texts } from './texts.js';

/**
 * What a release does next. Pure: the same plan, state and time give the same move, with every
 * argument of the activity that makes it. Nothing here waits for the analysis interval except
 * the wait before a check and between the steps of a stepped promotion.
 */
export function nextMove(plan: Plan, state: ReleaseState, now: number): Move {
  if (state.outcome !== undefined) return { kind: 'end', outcome: state.outcome };
  if (isOutOfLine(plan, state)) return reconcile(plan, state);
  if (state.blocked !== undefined || isHeld(plan, state)) return { kind: 'wait', until: undefined };
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
    case 'recovering':
      return recover(plan, state);
    case 'gating':
      return gate(plan, state);
    case 'scaling-up':
      return scaleUp(plan, state);
    case 'stepping':
      return plan.skipAnalysis ? promote(plan, state) : step(plan, state);
    case 'analysing':
      return plan.skipAnalysis ? promote(plan, state) : analyse(plan, state, now);
    case 'restarting':
      return restart(plan, state);
    case 'putting-back':
      return putBack(plan, state);
    case 'holding':
      return hold(plan, state);
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
    case 'concluding':
      return conclude(plan, state);
    case 'reverting':
      return revert(plan, state);
    case 'over':
      return { kind: 'end', outcome: 'unchanged' };
  }
}

/**
 * The state in which a move is made. The story of the next one is another, even when this one is cut
 * short; only a move that fails and is tried again tells its story under the same key.
 */
export function making(state: ReleaseState, move: Move): ReleaseState {
  if (!('report' in move)) return state;
  // What is told between a move that is stuck and its next try leaves that its key.
  if (move.kind === 'tell' && state.blocked !== undefined) return state;
  const reports = state.reports + 1;
  // The activity that asks webhooks tells of a closed one itself.
  return move.kind === 'awaitGate' ? { ...state, reports, announced: true } : { ...state, reports };
}

/** Where the traffic is at a position. */
export function routesAt({ weight, mirrored: isMirrored }: Position): Routes {
  return isMirrored ? mirrored : toCanary(weight);
}

/** The primary's share after the next step of the promotion, in percent. */
export function nextPrimaryWeight(plan: Plan, weight: number): number {
  const back = isSteppedBack(plan) ? plan.stepWeightPromotion : 100;
  return Math.min(100, 100 - weight + back);
}

function isSteppedBack({ stepWeightPromotion, skipAnalysis, strategy }: Plan): boolean {
  return stepWeightPromotion > 0 && !skipAnalysis && stepsOf(strategy).routed;
}

/** A pause or `spec.suspend` holds a release only where holding is safe. */
function isHeld({ suspended }: Plan, { stage, paused }: ReleaseState): boolean {
  return (
    (suspended || paused !== undefined) &&
    (stage === 'gating' ||
      stage === 'scaling-up' ||
      stage === 'stepping' ||
      stage === 'analysing' ||
      stage === 'copying' ||
      stage === 'shifting-back')
  );
}

/** Whether the manifest was edited since the generated objects were made from it. */
function isOutOfLine({ generation }: Plan, { stage, reconciled }: ReleaseState): boolean {
  return (
    generation !== reconciled &&
    stage !== 'preparing' &&
    stage !== 'awaiting-first-primary' &&
    stage !== 'initialising' &&
    stage !== 'recovering' &&
    stage !== 'reverting'
  );
}

function reconcile(plan: Plan, state: ReleaseState): Move {
  const { cookies, adopted } = state;
  const status = { ...adopted, observedGeneration: plan.generation };
  const after = adopted === undefined ? [] : [texts.adopted(plan.names)];
  return {
    kind: 'reconcile',
    routes: routesAt(state),
    cookies,
    report: report(state, { status, ...(after.length === 0 ? {} : { after }) }),
  };
}

function initialise({ names, generation }: Plan, state: ReleaseState): Move {
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
        observedGeneration: generation,
      },
      after: [texts.initialised(names)],
    }),
  };
}

function recover({ names }: Plan, state: ReleaseState): Move {
  return {
    kind: 'recover',
    primaryBefore: state.primaryBefore,
    report: report(state, {
      before: [texts.recovering(names)],
      status: { canaryWeight: 0 },
    }),
  };
}

/** Webhooks are asked by an activity that polls; a person is waited for by the workflow. */
function gate(plan: Plan, state: ReleaseState): Move {
  const { intervalMs } = plan;
  return state.gate === undefined
    ? {
        kind: 'awaitGate',
        everyMs: intervalMs,
        // One key for one wait, however often it is interrupted and taken up again.
        report: { key: 'confirm-rollout', status: { phase: 'Waiting' } },
      }
    : waitForGate(plan, state, { phase: 'Waiting' }, undefined);
}

/** Tells once that a person is waited for, then waits. */
function waitForGate(
  { names }: Plan,
  state: ReleaseState,
  status: StatusPatch,
  until: number | undefined,
): Move {
  const { gate: closed, announced } = state;
  if (closed === undefined || announced) {
    const ends = [until, closed?.deadline].filter((end) => end !== undefined);
    return { kind: 'wait', until: ends.length === 0 ? undefined : Math.min(...ends) };
  }
  const before = [texts.waiting[closed.before](names, closed.name)];
  return { kind: 'tell', report: report(state, { before, status }) };
}

function scaleUp({ names }: Plan, state: ReleaseState): Move {
  return {
    kind: 'scaleUp',
    report: report(state, {
      before: [texts.scalingUp(names)],
      status: { ...started, lastAppliedSpec: state.revision },
    }),
  };
}

function analyse(plan: Plan, state: ReleaseState, now: number): Move {
  if (state.gate !== undefined && (!state.announced || now < state.due)) {
    const status = state.gate.before === 'promotion' ? { phase: 'WaitingPromotion' as const } : {};
    return waitForGate(plan, state, status, state.due);
  }
  return now < state.due ? { kind: 'wait', until: state.due } : check(plan, state);
}

/** A check; when it passes and nobody has to be asked first, the activity makes the step at once. */
function check(plan: Plan, state: ReleaseState): Move {
  const { revision, failedChecks, cookies, opened, closed: told } = state;
  const next = nextStep(plan, state);
  const isClosed = closedBefore(plan, state, next) !== undefined;
  const gates = isClosed ? [] : hooksBefore(plan, state, next);
  return {
    kind: 'check',
    revision,
    routes: routesAt(state),
    cookies,
    hooks: !opened ? 'pre-rollout' : isAtStart(state) ? 'none' : 'rollout',
    failedChecks,
    then: {
      gates,
      ...(told === undefined ? {} : { told }),
      ...(isClosed || next === undefined
        ? {}
        : { step: shift(plan, state, next, { key: `${String(state.reports)}/step` }) }),
    },
    report: report(state, opened ? {} : { before: opening(plan) }),
  };
}

function opening({ names, warnings }: Plan): EventText[] {
  return [texts.starting(names), ...warnings.map(texts.warning)];
}

function isAtStart({ weight, iterations, mirrored: isMirrored }: Position): boolean {
  return weight === start.weight && iterations === start.iterations && !isMirrored;
}

/** A step that a person agreed to, so it is not part of a check. */
function step(plan: Plan, state: ReleaseState): Move {
  const next = nextStep(plan, state);
  if (next === undefined) return promote(plan, state);
  const { revision } = state;
  return { kind: 'route', revision, ...shift(plan, state, next, report(state, {})) };
}

/** What a step does to the traffic and what is told of it. */
function shift(plan: Plan, state: ReleaseState, next: Step, { key }: Report): Shift {
  const cookies = stepCookies(plan, state, next.routes);
  const phase = state.phase === 'WaitingPromotion' ? state.phase : 'Progressing';
  return {
    routes: next.routes,
    cookies,
    report: {
      key,
      status: { phase, ...next.shows, ...cookieStatus(plan, cookies) },
      after: next.events,
    },
  };
}

/** The cookies a release has after its next step. */
export function stepCookies(
  plan: Plan,
  state: ReleaseState,
  routes: Routes,
): ReleaseState['cookies'] {
  return cookiesWith(
    plan,
    state,
    routes,
    `${plan.names.canary}/${state.revision}/${state.startedAt}`,
  );
}

function promote({ names }: Plan, state: ReleaseState): Move {
  return {
    kind: 'promote',
    revision: state.revision,
    report: report(state, { before: [texts.copying(names)], status: { phase: 'Promoting' } }),
  };
}

function restart(plan: Plan, state: ReleaseState): Move {
  const { next = state.revision, revision } = state;
  const { names } = plan;
  const text = next === revision ? texts.retrying(names) : texts.restarting(names);
  const cookies = stepCookies(plan, state, allToPrimary);
  return {
    kind: 'route',
    routes: allToPrimary,
    cookies,
    report: report(state, {
      before: [text],
      status: { ...started, lastAppliedSpec: next, ...cookieStatus(plan, cookies) },
    }),
  };
}

function putBack({ names, onNewRevision }: Plan, state: ReleaseState): Move {
  const { revision, next = '' } = state;
  const told = onNewRevision === 'queue' ? texts.queued : texts.refused;
  return {
    kind: 'putBack',
    revision,
    report: report(state, { before: [told(names, next, revision)] }),
  };
}

function hold({ names }: Plan, state: ReleaseState): Move {
  if (state.announced) return { kind: 'wait', until: undefined };
  const before = [texts.holding(names, state.cause?.message ?? '')];
  return { kind: 'tell', report: report(state, { before }) };
}

function shiftBack(plan: Plan, state: ReleaseState): Move {
  const primary = nextPrimaryWeight(plan, state.weight);
  const text = isSteppedBack(plan)
    ? texts.advancedPrimary(plan.names, primary)
    : texts.allToPrimary();
  const routes = { primary, canary: 100 - primary };
  const cookies = stepCookies(plan, state, routes);
  return {
    kind: 'route',
    routes,
    cookies,
    report: report(state, {
      status: {
        phase: primary === 100 ? 'Finalising' : 'Promoting',
        canaryWeight: 100 - primary,
        ...cookieStatus(plan, cookies),
      },
      after: stepsOf(plan.strategy).routed ? [text] : [],
    }),
  };
}

function conclude(plan: Plan, state: ReleaseState): Move {
  const after = state.ended === 'promoted' ? [promotedText(plan)] : [];
  return { kind: 'conclude', report: report(state, { after }) };
}

function revert({ names }: Plan, state: ReleaseState): Move {
  return {
    kind: 'revert',
    report: report(state, {
      before: [texts.terminating(names)],
      status: { phase: 'Terminating', canaryWeight: 0, iterations: 0 },
      after: [texts.terminated(names)],
    }),
  };
}
