import {
  WithStartWorkflowOperation,
  WorkflowUpdateStage,
  type WorkflowStartOptions,
} from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { randomUUID } from 'node:crypto';

import {
  releaseId,
  taskQueueOf,
  type Order,
  type ReleaseRequest,
  type Trigger,
} from '../domain/release.js';
import type { OrderName } from '../domain/steering.js';
import { orderUpdates, releaseUpdate, type Receipt } from '../workflows/messages.js';
import { searchAttributes } from '../workflows/search-attributes.js';
import {
  pause,
  soon,
  type CanaryName,
  type ClusterClient,
  type ReleaseWorkflow,
} from './connection.js';
import { isFailure, isRunning, type Ending } from './endings.js';
import { isTooLate } from './errors.js';
import { newestRun, noWorkerText, stateOf } from './questions.js';
import { lastDecision } from './runs.js';
import { SluiceError } from './sluice-error.js';

/** How a request is sent. */
export interface SendOptions {
  /** A request with the id of an earlier one is not followed again, but gets the same answer. */
  readonly requestId?: string;
  /** How long an answer is waited for. */
  readonly timeoutMs?: number;
}

/** A request that was accepted: by which run, and for which revision. */
export interface Accepted extends Receipt {
  readonly runId: string;
}

/** An order; without a revision it is meant for the one in release now. */
export type OrderRequest = Omit<Order, 'revision'> & { readonly revision?: string };

type StartOptions = WorkflowStartOptions<ReleaseWorkflow>;

const answerTimeoutMs = 30_000;
const attempts = 3;

/** Sets images of the target and releases them, in the open run or a new one. */
export async function requestRelease(
  reach: ClusterClient,
  canary: CanaryName,
  request: ReleaseRequest,
  options: SendOptions = {},
): Promise<Accepted> {
  return send(reach, options, async (updateId) => {
    const update = await reach.client.workflow.startUpdateWithStart(releaseUpdate, {
      args: [request],
      updateId,
      waitForStage: WorkflowUpdateStage.ACCEPTED,
      startWorkflowOperation: new WithStartWorkflowOperation<ReleaseWorkflow>('release', {
        ...startOptions(reach, canary, { kind: 'request' }, Object.values(request.images)),
        workflowIdConflictPolicy: 'USE_EXISTING',
      }),
    });
    return { ...(await update.result()), runId: update.workflowRunId ?? '' };
  });
}

/**
 * Gives an order to the open run. `retry` starts a run when none is open and the last release did not
 * end well. Throws a `SluiceError` of kind `refused` with the release's sentence.
 */
export async function giveOrder(
  reach: ClusterClient,
  canary: CanaryName,
  name: OrderName,
  request: OrderRequest,
  options: SendOptions = {},
): Promise<Accepted> {
  const run = await newestRun(reach, canary);
  if (!isRunning(run)) {
    const last = await lastDecision(reach, canary, run.runId);
    if (name === 'retry') return retryAfter(reach, canary, request, last);
    throw new SluiceError('refused', `nothing to ${name}: no release is running (${last.message})`);
  }
  const revision = request.revision ?? (await currentRevision(reach, canary));
  const handle = reach.client.workflow.getHandle(run.workflowId);
  return send(reach, options, async (updateId) => {
    const update = await handle.startUpdate(orderUpdates[name], {
      args: [{ ...request, revision }],
      updateId,
      waitForStage: WorkflowUpdateStage.ACCEPTED,
    });
    return { ...(await update.result()), runId: update.workflowRunId ?? run.runId };
  });
}

/** The revision in release; a run that has only just begun is given time to find out. */
async function currentRevision(reach: ClusterClient, canary: CanaryName): Promise<string> {
  const deadline = Date.now() + answerTimeoutMs;
  while (Date.now() < deadline) {
    const state = await stateOf(reach, canary);
    if (state !== undefined) return state.revision;
    await pause(100);
  }
  throw new SluiceError('no-answer', 'the release has not found its revision yet; name one');
}

/** Starts a run that releases again what did not end well. */
async function retryAfter(
  reach: ClusterClient,
  canary: CanaryName,
  { actor, reason, revision = '' }: OrderRequest,
  last: Ending,
): Promise<Accepted> {
  if (!isFailure(last.outcome) || last.outcome === 'gone') {
    throw new SluiceError('refused', `nothing to retry: ${last.message}`);
  }
  if (revision !== '' && revision !== last.revision) {
    const message = `retry is meant for revision ${revision}, but the last release was of ${last.revision}`;
    throw new SluiceError('refused', message);
  }
  const order = { actor, revision: last.revision, ...(reason === undefined ? {} : { reason }) };
  try {
    const handle = await soon(reach.client, () =>
      reach.client.workflow.start<ReleaseWorkflow>('release', {
        ...startOptions(reach, canary, { kind: 'retry', ...order }, [`revision ${last.revision}`]),
        workflowIdConflictPolicy: 'FAIL',
      }),
    );
    const message = 'retry: accepted, a new run has started';
    return { revision: last.revision, message, runId: handle.firstExecutionRunId };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return giveOrder(reach, canary, 'retry', order);
  }
}

/** Sends an update, again if it met a run that was just closing, and explains what goes wrong. */
async function send(
  { client, cluster }: ClusterClient,
  { requestId = randomUUID(), timeoutMs = answerTimeoutMs }: SendOptions,
  update: (updateId: string) => Promise<Accepted>,
): Promise<Accepted> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await soon(client, () => update(requestId), timeoutMs);
    } catch (error) {
      if (attempt < attempts && isTooLate(error)) {
        await pause(200 * attempt);
        continue;
      }
      if (!(error instanceof SluiceError) || error.kind !== 'no-answer') throw error;
      const message = `${noWorkerText({ client, cluster })}; it may still follow the request later`;
      throw new SluiceError('no-answer', message, { cause: error });
    }
  }
}

function startOptions(
  { cluster }: ClusterClient,
  canary: CanaryName,
  trigger: Trigger,
  what: readonly string[],
): StartOptions {
  const ref = { cluster, ...canary };
  return {
    workflowId: releaseId(ref),
    taskQueue: taskQueueOf(cluster),
    args: [{ canary: ref, trigger }],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: `${canary.namespace}/${canary.name} → ${what.join(', ')}`,
    typedSearchAttributes: [
      { key: searchAttributes.cluster, value: cluster },
      { key: searchAttributes.namespace, value: canary.namespace },
      { key: searchAttributes.canary, value: canary.name },
    ],
  };
}
