import type { Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';

import type { Courier, Delivered, DeliveryInput } from '../activities/contract.js';
import type { DeliveryOutcome } from '../domain/deliveries.js';
import type { CanaryRef } from '../domain/release.js';

/** What is counted of every attempt of every activity. */
export interface ActivityCounters {
  activityBegan(activity: string, delaySeconds: number): void;
  /** The attempt failed; one that was cancelled has not. */
  activityFailed(activity: string): void;
  deliveryEnded(canary: CanaryRef, outcome: DeliveryOutcome): void;
}

const deliver = 'deliver' satisfies keyof Courier;

/**
 * Counts the attempts of activities as they pass by. Times are the server's and this machine's, so
 * a delay is as exact as their clocks agree.
 */
export function countingActivities(
  counters: ActivityCounters,
  { info }: Pick<Context, 'info'>,
): ActivityInboundCallsInterceptor {
  const { activityType, currentAttemptScheduledTimestampMs: due } = info;

  return {
    async execute(input, next) {
      counters.activityBegan(activityType, Math.max(0, Date.now() - due) / 1_000);
      try {
        const result = await next(input);
        if (activityType === deliver) {
          counters.deliveryEnded(canaryOf(input.args), (result as Delivered).outcome);
        }
        return result;
      } catch (error) {
        if (!(error instanceof CancelledFailure)) counters.activityFailed(activityType);
        if (activityType === deliver && isLastAttempt(info)) {
          counters.deliveryEnded(canaryOf(input.args), 'given-up');
        }
        throw error;
      }
    },
  };
}

function canaryOf([input]: readonly unknown[]): CanaryRef {
  return (input as DeliveryInput).canary;
}

/** An attempt that ends with its worker does not tell of its end, and is not counted. */
function isLastAttempt({ attempt, retryPolicy }: Context['info']): boolean {
  const { maximumAttempts = 0 } = retryPolicy ?? {};
  return maximumAttempts > 0 && attempt >= maximumAttempts;
}
