import {
  WithStartWorkflowOperation,
  WorkflowUpdateStage,
  type WorkflowHandle,
} from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { randomUUID } from 'node:crypto';

import { taskQueueOf, type Order, type ReleaseRequest, type Trigger } from '../domain/release.js';
import type { OrderName } from '../domain/steering.js';
import { orderUpdates, releaseUpdate, type Receipt } from '../workflows/messages.js';
import { searchAttributes } from '../workflows/search-attributes.js';
import {
  addressOf,
  idOf,
  pause,
  type CanaryName,
  type ClusterClient,
  type ReleaseWorkflow,
} from './connection.js';
import { endingOf, isFailure, type Ending } from './endings.js';
import { explain, isTooLate, SluiceError } from './errors.js';
import { isRunning, newestRun, noWorkerText, stateOf } from './questions.js';
import { runsOf } from './runs.js';

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
    throw new SluiceError('refused', `${name} needs a running release; the last one: ${last.message}`);
  }
  const revision = request.revision ?? (await currentRevision(reach, canary));
  const handle: WorkflowHandle = reach.client.workflow.getHandle(run.workflowId, run.runId);
  return send(reach, options, async (updateId) => {
    const order = { ...request, revision };
    const receipt = await handle.executeUpdate(orderUpdates[name], { args: [order], updateId });
    return { ...receipt, runId: run.runId };
  });
}
