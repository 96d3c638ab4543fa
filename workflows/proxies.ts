import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';

import type { Activities, Courier } from '../activities/contract.js';

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

/** Waits last as long as pods, or people behind a webhook, take, without writing history. */
export const waits = proxyActivities<Pick<Activities, 'awaitPods' | 'awaitGate'>>({
  startToCloseTimeout: '30 days',
  heartbeatTimeout,
  retry: { initialInterval: '200 ms', maximumInterval: '10 seconds' },
});

/** A cancelled write is waited for, so that a rollback never races one that is still under way. */
const untilDone = {
  heartbeatTimeout,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '200 ms', maximumInterval: '10 seconds' },
} as const;

/** Writes: idempotent, repeated until they succeed. */
export const writes = proxyActivities<
  Omit<Activities, 'survey' | 'awaitPods' | 'awaitGate' | 'check' | 'conclude'>
>({
  startToCloseTimeout: '1 minute',
  ...untilDone,
});

/** Checks are writes too, but take as long as people's webhooks and all their retries do. */
export const checks = proxyActivities<Pick<Activities, 'check'>>({
  startToCloseTimeout: '1 hour',
  ...untilDone,
});

/**
 * Calls of people's webhooks behind the end of a release: tried again for some minutes, because
 * they may matter, but not for ever, because nobody waits for them.
 */
export const hooks = proxyActivities<Pick<Activities, 'conclude'>>({
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout,
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds', maximumAttempts: 6 },
});

/** Deliveries behind the back of releases; how often one is tried is decided with each. */
export const courier = proxyActivities<Courier>({
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout,
});
