import {
  WorkflowContinuedAsNewError,
  WorkflowFailedError,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import proto from '@temporalio/proto';

import type { Cause, Outcome } from '../domain/release.js';
import type { ReleaseInput, ReleaseResult } from '../workflows/messages.js';
import { searchAttributes } from '../workflows/search-attributes.js';
import { idOf, type CanaryName, type ClusterClient, type ReleaseWorkflow } from './connection.js';

/** How a run ended: as a release does, or as only a run can. */
export type RunOutcome =
  | Outcome
  /** Its history had become long; the same release goes on in the next run. */
  | 'continued'
  /** Ended from outside: nothing was put back by this run. */
  | 'terminated';

/** The end of a run, read from its history alone: no worker has to be up. Times are epoch milliseconds. */
export interface Ending {
  readonly runId: string;
  readonly revision: string;
  readonly outcome: RunOutcome;
  /** One sentence. */
  readonly message: string;
  readonly startedAt: number;
  readonly endedAt: number;
  /** Why it did not end well: the deciding check with value and threshold, or who asked and why. */
  readonly cause?: Cause;
  /** The run that follows at once, and the revision that one is for, when this run knew it. */
  readonly next?: { readonly runId: string; readonly revision?: string };
}

/** What closed a run: its result, its failure, or the run it became. */
type Closing =
  | { readonly kind: 'result'; readonly result: ReleaseResult }
  | { readonly kind: 'failure'; readonly error: Error | undefined }
  | {
      readonly kind: 'continued';
      readonly runId: string;
      readonly input: ReleaseInput | undefined;
    };

type Told = Pick<Ending, 'revision' | 'outcome' | 'message' | 'cause' | 'next'>;

/** Whether a release with this outcome did not bring its revision into service. */
export function isFailure(outcome: RunOutcome): boolean {
  switch (outcome) {
    case 'rolled-back':
    case 'promotion-failed':
    case 'failed':
    case 'gone':
    case 'terminated':
      return true;
    case 'promoted':
    case 'initialised':
    case 'unchanged':
    case 'superseded':
    case 'reverted':
    case 'continued':
      return false;
  }
}

/** Waits until a run is closed, however long that takes, and tells how it ended. */
export async function endingOf(
  reach: ClusterClient,
  canary: CanaryName,
  runId: string,
): Promise<Ending> {
  const closing = await closingOf(reach, idOf(reach, canary), runId);
  const description = await reach.client.workflow.getHandle(idOf(reach, canary), runId).describe();
  return {
    runId,
    startedAt: description.startTime.getTime(),
    endedAt: (description.closeTime ?? description.startTime).getTime(),
    ...told(closing, description),
  };
}

/** Whether a run is open. */
export function isRunning({ status }: Pick<WorkflowExecutionDescription, 'status'>): boolean {
  return status.name === 'RUNNING' || status.name === 'PAUSED';
}

/** The outcome a run wrote to its search attributes, if it came that far. */
export function outcomeOf({
  typedSearchAttributes,
}: Pick<WorkflowExecutionDescription, 'typedSearchAttributes'>): Outcome | undefined {
  return typedSearchAttributes.get(searchAttributes.outcome) as Outcome | undefined;
}

async function closingOf(
  reach: ClusterClient,
  workflowId: string,
  runId: string,
): Promise<Closing> {
  const handle = reach.client.workflow.getHandle<ReleaseWorkflow>(workflowId, runId, {
    followRuns: false,
  });
  try {
    return { kind: 'result', result: await handle.result() };
  } catch (error) {
    if (error instanceof WorkflowFailedError) return { kind: 'failure', error: error.cause };
    if (!(error instanceof WorkflowContinuedAsNewError)) throw error;
    const input = await nextInput(reach, workflowId, runId);
    return { kind: 'continued', runId: error.newExecutionRunId, input };
  }
}

/** What the next run was started with, as the last event of this one says. */
async function nextInput(
  { client }: ClusterClient,
  workflowId: string,
  runId: string,
): Promise<ReleaseInput | undefined> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    historyEventFilterType:
      proto.temporal.api.enums.v1.HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
  });
  const event = history?.events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes;
  const { loadedDataConverter } = client.options;
  const [input] = await decodeArrayFromPayloads(loadedDataConverter, event?.input?.payloads);
  return input as ReleaseInput | undefined;
}

function told(closing: Closing, description: WorkflowExecutionDescription): Told {
  const revision = description.typedSearchAttributes.get(searchAttributes.revision) ?? '';
  switch (closing.kind) {
    case 'result':
      return { ...closing.result, message: sentence(closing.result) };
    case 'failure':
      return toldOfFailure(closing.error, revision, description);
    case 'continued':
      return toldOfNext(closing, revision, outcomeOf(description));
  }
}

function toldOfFailure(
  error: Error | undefined,
  revision: string,
  description: WorkflowExecutionDescription,
): Told {
  const outcome = outcomeOf(description) ?? 'failed';
  if (error instanceof CancelledFailure) {
    const message = `revision ${revision} was rolled back: its workflow was cancelled`;
    return { revision, outcome, message, cause: { type: 'Cancelled', message } };
  }
  if (!(error instanceof ApplicationFailure)) {
    const reason = error?.message ?? 'no reason given';
    const message = `the release of revision ${revision} was ended from outside: ${reason}`;
    return { revision, outcome: 'terminated', message };
  }
  const [detail] = (error.details ?? []) as (Partial<Cause & { revision: string }> | undefined)[];
  const { revision: decided = revision, ...facts } = detail ?? {};
  const type = error.type as Cause['type'];
  const cause: Cause = { type, message: error.message, ...facts };
  return { revision: decided, outcome, message: error.message, cause };
}

function toldOfNext(
  { runId, input }: Extract<Closing, { kind: 'continued' }>,
  revision: string,
  outcome: Outcome | undefined,
): Told {
  const carried = input?.carried;
  if (carried?.kind === 'continued') {
    const { state } = carried;
    const message = 'it goes on in a fresh run, as the history had become long';
    return { revision: state.revision, outcome: 'continued', message, next: { runId } };
  }
  const next = carried?.kind === 'superseding' ? { runId, revision: carried.revision } : { runId };
  const result = { outcome: outcome ?? 'superseded', revision };
  return { ...result, message: sentence(result, next.revision), next };
}

function sentence({ outcome, revision }: ReleaseResult, next?: string): string {
  switch (outcome) {
    case 'promoted':
      return `revision ${revision} was promoted`;
    case 'initialised':
      return `the canary was initialised with revision ${revision}`;
    case 'unchanged':
      return `revision ${revision} needs no release`;
    case 'superseded':
      return `revision ${revision} was superseded by ${next ?? 'a newer one'}`;
    case 'gone':
      return 'the Canary was deleted';
    case 'reverted':
      return 'the target was given back what the Canary took';
    case 'rolled-back':
    case 'promotion-failed':
    case 'failed':
      return `the release of revision ${revision} ended as ${outcome}`;
  }
}
