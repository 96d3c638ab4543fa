import type { Client } from '@temporalio/client';

import type { Outbox } from '../activities/deps.js';
import { deliveriesId, type Delivery } from '../domain/deliveries.js';
import { taskQueueOf } from '../domain/release.js';
import {
  deliverSignal,
  type DeliveriesInput,
  type DeliveriesWorkflow,
} from '../workflows/delivery-messages.js';
import { searchAttributes } from '../workflows/search-attributes.js';

const deadlineMs = 10_000;

/**
 * The outbox kept by Temporal: one workflow per canary, which is there as long as it has work.
 *
 * @param options for tests
 */
export function outboxOf(
  { workflow, connection }: Pick<Client, 'workflow' | 'connection'>,
  options: Pick<DeliveriesInput, 'attempts' | 'lingerMs' | 'maxEvents'> = {},
): Outbox {
  return {
    async add(canary, added) {
      await connection.withDeadline(Date.now() + deadlineMs, () =>
        workflow.signalWithStart<DeliveriesWorkflow, [readonly Delivery[]]>('deliveries', {
          workflowId: deliveriesId(canary),
          taskQueue: taskQueueOf(canary.cluster),
          args: [{ canary, ...options }],
          signal: deliverSignal,
          signalArgs: [added],
          workflowIdConflictPolicy: 'USE_EXISTING',
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          staticSummary: `what is told of ${canary.namespace}/${canary.name}`,
          typedSearchAttributes: [
            { key: searchAttributes.cluster, value: canary.cluster },
            { key: searchAttributes.namespace, value: canary.namespace },
            { key: searchAttributes.canary, value: canary.name },
          ],
        }),
      );
    },
  };
}
