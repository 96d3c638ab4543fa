import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';

import type { Activities } from '../activities/contract.js';

/**
 * Activities heartbeat every second, whatever they do, so that a worker that was killed is noticed
 * within this time and another attempt starts.
 */
const heartbeatTimeout = '5 seconds';

/** Reads: may be given up at once and repeated at will. */
export const reads = proxyActivities<Pick<Activities, 'survey'>>({
  startToCloseTimeout: '30 seconds',
  heartbeatTimeout,
  retry: { initialInterval: '200 ms', maximumInterval: '10 seconds' },
});

/** Waiting for pods lasts as long as the progress deadline allows, without writing history. */
export const waits = proxyActivities<Pick<Activities, 'awaitPods'>>({
  startToCloseTimeout: '30 days',
  heartbeatTimeout,
  retry: { initialInterval: '200 ms', maximumInterval: '10 seconds' },
});

/**
 * Writes: idempotent, repeated until they succeed. A cancelled one is waited for, so that a rollback
 * never races a write that is still under way.
 */
export const writes = proxyActivities<Omit<Activities, 'survey' | 'awaitPods'>>({
  startToCloseTimeout: '1 minute',
  heartbeatTimeout,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '200 ms', maximumInterval: '10 seconds' },
});
