import { MockActivityEnvironment } from '@temporalio/testing';
import { CancelledFailure } from '@temporalio/common';
import { Context } from '@temporalio/activity';

import { countingActivities, type ActivityCounters } from '../../worker/activity-counters.js';

const canary = { cluster: 'default', namespace: 'demo', name: 'web' };

/** What is counted of one attempt of an activity. */
async function counted(
  info: Partial<Context['info']>,
  attempt: () => Promise<unknown>,
): Promise<readonly unknown[][]> {
  const calls: unknown[][] = [];
  const counters: ActivityCounters = {
    activityBegan: (activity, delay) => calls.push(['began', activity, delay > 0]),
    activityFailed: (activity) => calls.push(['failed', activity]),
    deliveryEnded: (of, outcome) => calls.push(['delivery', of.name, outcome]),
  };
  const environment = new MockActivityEnvironment(info);
  const run = environment.run(() => {
    const { execute } = countingActivities(counters, Context.current());
    return execute!({ args: [{ canary }], headers: {} }, attempt);
  });
  await run.catch(() => undefined);
  return calls;
}

/** As by the clock of a machine that is ahead: nothing is late by it, however slow this test. */
const later = Date.now() + 3_600_000;
const check = { activityType: 'check', currentAttemptScheduledTimestampMs: later };
const deliver = { activityType: 'deliver', currentAttemptScheduledTimestampMs: later };
const retryPolicy = { maximumAttempts: 3 };
const fails = (error: Error) => () => Promise.reject(error);

it.each<[string, Partial<Context['info']>, () => Promise<unknown>, unknown[][]]>([
  ['one that succeeds', check, () => Promise.resolve(), [['began', 'check', false]]],
  [
    'one that lay in the queue for long',
    { ...check, currentAttemptScheduledTimestampMs: later - 7_200_000 },
    () => Promise.resolve(),
    [['began', 'check', true]],
  ],
  [
    'one that fails',
    check,
    fails(new Error('no')),
    [
      ['began', 'check', false],
      ['failed', 'check'],
    ],
  ],
  [
    'one that is cancelled',
    check,
    fails(new CancelledFailure('enough')),
    [['began', 'check', false]],
  ],
  [
    'a delivery',
    deliver,
    () => Promise.resolve({ outcome: 'delivered', attempts: 1 }),
    [
      ['began', 'deliver', false],
      ['delivery', 'web', 'delivered'],
    ],
  ],
  [
    'a delivery to nobody',
    deliver,
    () => Promise.resolve({ outcome: 'dropped', attempts: 1 }),
    [
      ['began', 'deliver', false],
      ['delivery', 'web', 'dropped'],
    ],
  ],
  [
    'a delivery that is repeated',
    { ...deliver, attempt: 2, retryPolicy },
    fails(new Error('no')),
    [
      ['began', 'deliver', false],
      ['failed', 'deliver'],
    ],
  ],
  [
    'a delivery that is given up',
    { ...deliver, attempt: 3, retryPolicy },
    fails(new Error('no')),
    [
      ['began', 'deliver', false],
      ['failed', 'deliver'],
      ['delivery', 'web', 'given-up'],
    ],
  ],
  [
    'a delivery without a limit',
    { ...deliver, attempt: 30, retryPolicy: { maximumAttempts: 0 } },
    fails(new Error('no')),
    [
      ['began', 'deliver', false],
      ['failed', 'deliver'],
    ],
  ],
])('counts %s', async (_, info, attempt, calls) => {
  expect(await counted(info, attempt)).toEqual(calls);
});

it.each([
  ['its error', fails(new Error('no')), /^no$/],
  ['its cancellation', fails(new CancelledFailure('enough')), /^enough$/],
])('an attempt keeps %s', async (_, attempt, message) => {
  const ignore = (): undefined => undefined;
  const counters = { activityBegan: ignore, activityFailed: ignore, deliveryEnded: ignore };
  const run = new MockActivityEnvironment(check).run(() =>
    countingActivities(counters, Context.current()).execute!({ args: [], headers: {} }, attempt),
  );
  await expect(run).rejects.toThrow(message);
});
