import type { WorkflowExecutionDescription } from '@temporalio/client';
import type { QueryDefinition } from '@temporalio/common';

import type { PlannedStep, Why } from '../domain/explain.js';
import { taskQueueOf, type ReleaseState } from '../domain/release.js';
import { planQuery, stateQuery, whyQuery } from '../workflows/messages.js';
import { searchAttributes } from '../workflows/search-attributes.js';
import { idOf, soon, type CanaryName, type ClusterClient } from './connection.js';
import { isRunning, type Ending } from './endings.js';
import { isUnanswered } from './errors.js';
import { lastDecision } from './runs.js';
import { SluiceError } from './sluice-error.js';
import { troublesOf, type Trouble } from './troubles.js';

/** The open run of a canary's releases, or the last one that decided something. Times are epoch milliseconds. */
export interface Status {
  readonly canary: CanaryName;
  readonly workflowId: string;
  readonly runId: string;
  readonly running: boolean;
  readonly startedAt: number;
  /** Empty when the run has not found out yet. */
  readonly revision: string;
  /** Absent in the first moments of a run, and when no worker can be asked. */
  readonly state?: ReleaseState;
  readonly why?: Why;
  /** Set when the run is over. */
  readonly ending?: Ending;
  /** What keeps the release from going on, apart from what it waits for as planned. */
  readonly troubles: readonly Trouble[];
}

type Run = WorkflowExecutionDescription;

/** How long a release may take to answer a question, milliseconds. */
const answerTimeoutMs = 4_000;

/** What is known of the newest run or, when none is open, of the last that decided something. */
export async function statusOf(reach: ClusterClient, canary: CanaryName): Promise<Status> {
  const run = await newestRun(reach, canary);
  return isRunning(run) ? openStatus(reach, canary, run) : closedStatus(reach, canary, run);
}

/** Everything the newest run remembers; undefined in its first moments. */
export async function stateOf(
  reach: ClusterClient,
  canary: CanaryName,
): Promise<ReleaseState | undefined> {
  return demand(reach, canary, stateQuery);
}

/** The steps of the newest run, done and to do. */
export async function planOf(
  reach: ClusterClient,
  canary: CanaryName,
): Promise<readonly PlannedStep[]> {
  return demand(reach, canary, planQuery);
}

/** The revision of the newest run, also when no worker can be asked; undefined when it has none yet. */
export async function revisionNow(
  reach: ClusterClient,
  canary: CanaryName,
): Promise<string | undefined> {
  const run = await newestRun(reach, canary);
  const asked = isRunning(run) ? await ask(reach, run, stateQuery) : undefined;
  const revision = asked?.answer?.revision ?? writtenRevision(run);
  return revision === '' ? undefined : revision;
}

/** The newest run; throws a `SluiceError` of kind `not-found` when there is none. */
export async function newestRun(reach: ClusterClient, canary: CanaryName): Promise<Run> {
  try {
    return await soon(reach.client, () =>
      reach.client.workflow.getHandle(idOf(reach, canary)).describe(),
    );
  } catch (error) {
    if (!(error instanceof SluiceError) || error.kind !== 'not-found') throw error;
    const { namespace, name } = canary;
    const message = `no release of ${namespace}/${name} is known (cluster ${reach.cluster})`;
    throw new SluiceError('not-found', message, { cause: error });
  }
}

/** The sentence for a cluster whose workers are down. */
export function noWorkerText({ cluster }: ClusterClient): string {
  return `no worker of cluster ${cluster} answers (task queue ${taskQueueOf(cluster)})`;
}

async function openStatus(reach: ClusterClient, canary: CanaryName, run: Run): Promise<Status> {
  const asked = await ask(reach, run, stateQuery);
  const why = asked === undefined ? undefined : await ask(reach, run, whyQuery);
  const state = asked?.answer;
  return {
    canary,
    workflowId: run.workflowId,
    runId: run.runId,
    running: true,
    startedAt: run.startTime.getTime(),
    revision: state?.revision ?? writtenRevision(run),
    ...(state === undefined ? {} : { state }),
    ...(why?.answer === undefined ? {} : { why: why.answer }),
    troubles: troublesOf(run, asked !== undefined),
  };
}

async function closedStatus(reach: ClusterClient, canary: CanaryName, run: Run): Promise<Status> {
  const ending = await lastDecision(reach, canary, run.runId);
  const { runId, revision, startedAt } = ending;
  const asked = await ask(reach, { ...run, runId }, stateQuery);
  const state = asked?.answer;
  return {
    canary,
    workflowId: run.workflowId,
    runId,
    running: false,
    startedAt,
    revision,
    ...(state === undefined ? {} : { state }),
    ending,
    troubles: [],
  };
}

/** Asks the newest run; throws when no worker answers. */
async function demand<T>(
  reach: ClusterClient,
  canary: CanaryName,
  query: QueryDefinition<T>,
): Promise<T> {
  const asked = await ask(reach, await newestRun(reach, canary), query);
  if (asked === undefined) throw new SluiceError('no-answer', noWorkerText(reach));
  return asked.answer;
}

/** Asks a run; undefined when nobody answers, which is not the same as an answer of undefined. */
async function ask<T>(
  { client }: ClusterClient,
  { workflowId, runId }: Run,
  query: QueryDefinition<T>,
): Promise<{ readonly answer: T } | undefined> {
  const handle = client.workflow.getHandle(workflowId, runId);
  try {
    return { answer: await soon(client, () => handle.query(query), answerTimeoutMs) };
  } catch (error) {
    if (isUnanswered(error)) return undefined;
    throw error;
  }
}

function writtenRevision({ typedSearchAttributes }: Run): string {
  return typedSearchAttributes.get(searchAttributes.revision) ?? '';
}
