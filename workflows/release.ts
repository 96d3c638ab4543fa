import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import {
  ActivityFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  patched,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';

import { afterCancellation, afterDeleting, afterDeletion, afterFailure } from '../domain/after.js';
import { alerted } from '../domain/alerts.js';
import { begin, beginReverting, isBeforePromotion } from '../domain/begin.js';
import { details, endOf, planOf, why } from '../domain/explain.js';
import { settle } from '../domain/gates.js';
import type { Move } from '../domain/moves.js';
import { nextMove } from '../domain/next-move.js';
import type { Cause, Plan, ReleaseState, Survey } from '../domain/release.js';
import { supersede, unblocked, type Turn } from '../domain/turn.js';
import { followOrders, openDesk, type Desk } from './desk.js';
import { makeMove } from './make-move.js';
import type { ReleaseInput, ReleaseResult } from './messages.js';
import { reads, writes } from './proxies.js';
import { searchAttributesWriter } from './search-attributes.js';

/**
 * History length at which a release goes on in a fresh run. A worker that takes a release over has
 * to replay all of it within the ten seconds a workflow task may take, on a busy machine too.
 */
const defaultMaxEvents = 1_000;

/** A release under way: what its loop and its message handlers share. */
interface Run {
  readonly input: ReleaseInput;
  readonly desk: Desk;
  plan: Plan;
  state: ReleaseState;
  /** The manifest's generation and the target's revision as last seen. */
  generation: number;
  seen: string;
}

/**
 * One release of one canary: carries one revision from its detection to promotion or rollback.
 *
 * Look, decide, act, tell, wait; the deciding is `domain`'s, the acting the activities'. Started
 * with an id that is the canary's (see `releaseId`), so that no two run at once.
 */
export async function release(input: ReleaseInput): Promise<ReleaseResult> {
  let run: Run | undefined;
  const desk = openDesk(
    {
      state: () => run?.state,
      release: () => run,
      why: () => (run === undefined ? undefined : why(run.plan, run.state)),
      plan: () => (run === undefined ? [] : planOf(run.plan, run.state)),
    },
    ({ images }) => writes.setImages({ canary: input.canary, images }),
  );
  // Cancelling is one more message: everything is put back before the run closes.
  CancellationScope.current().cancelRequested.catch(() => {
    desk.cancelled = true;
  });
  return CancellationScope.nonCancellable(async () => {
    if (input.trigger.kind === 'request' && input.carried === undefined) {
      await condition(() => desk.requestsAnswered > 0, '1 minute');
    }
    const survey = await reads.survey({ canary: input.canary });
    if (survey.kind === 'gone' || survey.kind === 'invalid') {
      return endAtOnce(input, desk, survey);
    }
    const { plan } = survey;
    const state =
      survey.kind === 'deleting'
        ? beginReverting(survey, Date.now())
        : begin(survey, input.trigger, input.carried, Date.now());
    const seen = survey.kind === 'deleting' ? state.revision : survey.revision;
    run = { input, desk, plan, state, generation: plan.generation, seen };
    return carryOut(run);
  });
}

async function carryOut(run: Run): Promise<ReleaseResult> {
  const { desk, input } = run;
  const writeSearchAttributes = searchAttributesWriter();
  for (;;) {
    await lookAgain(run);
    run.state = followOrders(desk, run.plan, run.state, Date.now());
    if (desk.cancelled) run.state = afterCancellation(turnOf(run));
    run.state = settle(turnOf(run));
    writeSearchAttributes(run.state);
    setCurrentDetails(details(run.plan, run.state));

    const move = withAlerts(run, nextMove(run.plan, run.state, Date.now()));
    if (move.kind === 'end') return conclude(run);
    if (move.kind === 'wait' && isHistoryLong(input)) return goOnInFreshRun(run);
    try {
      run.state = await makeMove({ canary: input.canary, ...run }, move);
      if (move.kind === 'putBack') run.seen = move.revision;
    } catch (error) {
      run.state = afterError(run, move.kind, error);
    }
  }
}

/** What runs did before there were alerts, they did without. */
function withAlerts({ plan, state }: Run, move: Move): Move {
  const told = alerted(plan, state, move);
  return told !== move && patched('2026-11-21-alerts') ? told : move;
}

/** Reads the cluster again when a message says that it has changed. */
async function lookAgain(run: Run): Promise<void> {
  const { change } = run.desk;
  run.desk.change = undefined;
  if (change === undefined || run.state.outcome !== undefined) return;
  const { revision, generation = run.generation } = change;
  if (revision === run.seen && generation === run.generation) return;
  const survey = await reads.survey({ canary: run.input.canary });
  switch (survey.kind) {
    case 'gone':
      run.state = afterDeletion(turnOf(run));
      return;
    case 'deleting':
      run.generation = survey.plan.generation;
      run.state = afterDeleting(turnOf(run));
      return;
    case 'invalid':
      // An edit that makes no sense must not decide over a release under way: it goes on as planned.
      await tellProblems(run.input, survey.problems, `look-${String(generation)}`);
      run.generation = generation;
      return;
    case 'ready':
      run.plan = survey.plan;
      run.state = unblocked(run.state);
      run.generation = survey.plan.generation;
      run.seen = survey.revision;
      if (survey.revision !== run.state.revision && isBeforePromotion(run.state.stage)) {
        run.state = supersede(turnOf(run), survey.revision);
      }
  }
}

/** Ends a run that found nothing it could release. */
async function endAtOnce(
  input: ReleaseInput,
  desk: Desk,
  survey: Extract<Survey, { kind: 'gone' | 'invalid' }>,
): Promise<ReleaseResult> {
  for (const entry of desk.orders.splice(0)) entry.answer = { refused: 'there is no release' };
  await condition(allHandlersFinished);
  if (survey.kind === 'gone') return { outcome: 'gone', revision: '' };
  await tellProblems(input, survey.problems, 'invalid');
  const message = survey.problems.join('; ');
  setCurrentDetails(`**Cannot start**: ${message}`);
  throw ApplicationFailure.nonRetryable(message, 'InvalidSpec', { problems: survey.problems });
}

async function tellProblems(
  { canary }: ReleaseInput,
  problems: readonly string[],
  key: string,
): Promise<void> {
  const before = problems.map((message) => ({ type: 'Warning' as const, message }));
  await writes.tell({ canary, report: { key, before } });
}

/** What an activity's failure means, once Temporal has given up repeating it. */
function afterError(run: Run, failed: Move['kind'], error: unknown): ReleaseState {
  if (!(error instanceof ActivityFailure)) throw error;
  const { cause } = error;
  const type = cause instanceof ApplicationFailure ? cause.type : undefined;
  if (type === 'Gone') return afterDeletion(turnOf(run));
  const message = cause?.message ?? error.message;
  const known: Cause = { type: 'InvalidSpec', message };
  return afterFailure(turnOf(run), known, failed);
}

/** Closes the run in the colour its outcome deserves, or goes over into the next release. */
async function conclude(run: Run): Promise<ReleaseResult> {
  const { desk, state, input } = run;
  while (!allHandlersFinished()) {
    await condition(() => allHandlersFinished() || desk.orders.length > 0);
    followOrders(desk, run.plan, state, Date.now());
  }
  const { outcome = 'unchanged', revision, cause } = state;
  await releaseQueued(run);
  const seen = desk.change?.revision ?? run.seen;
  switch (outcome) {
    case 'superseded':
      return continueWith(run, seen);
    case 'promoted':
    case 'initialised':
      if (seen === revision) return { outcome, revision };
      return continueAsNew<typeof release>({ canary: input.canary, trigger: { kind: 'change' } });
    case 'unchanged':
    case 'gone':
    case 'reverted':
      return { outcome, revision };
    case 'rolled-back':
    case 'promotion-failed':
    case 'failed':
      if (cause?.type === 'Cancelled') throw new CancelledFailure(endOf(state));
      throw ApplicationFailure.nonRetryable(endOf(state), cause?.type, { revision, ...cause });
  }
}

/** Gives the target the revision that had to wait; the watch, or this run, releases it. */
async function releaseQueued(run: Run): Promise<void> {
  const { queued, revision } = run.state;
  if (queued === undefined || queued === revision) return;
  const { canary } = run.input;
  await writes.putBack({ canary, revision: queued, report: { key: 'queued' } });
  run.seen = queued;
}

/** Goes over into the release of the revision that took over. */
async function continueWith({ input, state }: Run, seen: string): Promise<never> {
  const { canary } = input;
  const trigger = { kind: 'change' } as const;
  // A release that was not let in yet has nothing to hand over.
  if (state.phase !== 'Progressing') return continueAsNew<typeof release>({ canary, trigger });
  const carried = { kind: 'superseding', revision: state.next ?? seen } as const;
  return continueAsNew<typeof release>({ canary, trigger, carried });
}

function isHistoryLong({ maxEvents = defaultMaxEvents }: ReleaseInput): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  return continueAsNewSuggested || historyLength > maxEvents;
}

async function goOnInFreshRun(run: Run): Promise<ReleaseResult> {
  await condition(allHandlersFinished);
  const carried = { kind: 'continued', state: run.state } as const;
  return continueAsNew<typeof release>({ ...run.input, carried });
}

function turnOf({ plan, state }: Run): Turn {
  return { plan, state, now: Date.now() };
}
