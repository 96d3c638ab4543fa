import { ActivityFailure } from '@temporalio/common';
import {
  condition,
  continueAsNew,
  isCancellation,
  patched,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';

import { laneOf, recordOf, type Delivery, type DeliveryRecord } from '../domain/deliveries.js';
import type { CanaryRef } from '../domain/release.js';
import { deliverSignal, journalQuery, type DeliveriesInput } from './delivery-messages.js';
import { courier } from './proxies.js';

/**
 * An activity that hands the same over again does so within this time; and a release whose checks
 * are not further apart has one outbox.
 */
const defaultLingerMs = 120_000;
const defaultMaxEvents = 2_000;
/** As much as a fresh run takes along of what has been done. */
const maxRemembered = 200;

/** Tries of one delivery, over some four minutes. */
const defaultAttempts = 10;
/** An endpoint that has failed for minutes is asked, but not waited for, until it answers again. */
const attemptsWhenBroken = 2;

/**
 * The outbox of one canary: delivers what releases have to tell other people's endpoints, each lane
 * in order, so that a release neither waits for an endpoint nor loses what it had to tell. Ends when
 * it is empty; its result is the journal.
 */
export async function deliveries(input: DeliveriesInput): Promise<readonly DeliveryRecord[]> {
  const { canary, attempts = defaultAttempts } = input;
  const { lingerMs = defaultLingerMs, maxEvents = defaultMaxEvents } = input;
  const waiting: Delivery[] = [...(input.waiting ?? [])];
  const seen = new Set(input.seen ?? []);
  const journal: DeliveryRecord[] = [...(input.journal ?? [])];
  const broken = new Set(input.broken ?? []);
  const lanes = new Map<string, Delivery[]>();
  // An activity that fails hands the same over with each attempt, for as long as that takes.
  let isRepeated = false;

  setHandler(deliverSignal, (added) => {
    for (const delivery of added) {
      if (seen.has(delivery.key)) {
        isRepeated = patched('2026-11-21-linger-on');
        continue;
      }
      seen.add(delivery.key);
      waiting.push(delivery);
    }
  });
  setHandler(journalQuery, () => journal);

  async function work(lane: string, queue: Delivery[]): Promise<void> {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const record = await deliver(canary, next, broken.has(lane) ? attemptsWhenBroken : attempts);
      journal.push(record);
      if (record.outcome === 'given-up') broken.add(lane);
      else broken.delete(lane);
      setCurrentDetails(detailsOf(journal));
    }
    lanes.delete(lane);
  }

  function sort(): void {
    for (const delivery of waiting.splice(0)) {
      const lane = laneOf(delivery);
      const queue = lanes.get(lane);
      if (queue !== undefined) {
        queue.push(delivery);
        continue;
      }
      const begun = [delivery];
      lanes.set(lane, begun);
      void work(lane, begun).catch(ignoreCancellation);
    }
  }

  for (;;) {
    if (isLong(maxEvents)) {
      await condition(() => lanes.size === 0);
      return continueAsNew<typeof deliveries>({
        ...input,
        waiting,
        seen: [...seen].slice(-maxRemembered),
        journal: journal.slice(-maxRemembered),
        broken: [...broken],
      });
    }
    sort();
    isRepeated = false;
    const hasMore = (): boolean => waiting.length > 0;
    if (lanes.size > 0) {
      await condition(() => hasMore() || lanes.size === 0);
      continue;
    }
    const summary = 'until the outbox closes';
    if (!(await condition(() => hasMore() || isRepeated, lingerMs, { summary }))) break;
  }
  return journal;
}

async function deliver(
  canary: CanaryRef,
  delivery: Delivery,
  maximumAttempts: number,
): Promise<DeliveryRecord> {
  const summary = recordOf(delivery, { outcome: 'delivered', attempts: 0, at: 0 });
  try {
    const done = await courier.deliver.executeWithOptions(
      {
        summary: `${summary.hook}: ${summary.event}`,
        retry: { initialInterval: '1 second', maximumInterval: '1 minute', maximumAttempts },
      },
      [{ canary, delivery }],
    );
    return recordOf(delivery, { ...done, at: Date.now() });
  } catch (error) {
    // Whatever it was that failed, the deliveries behind this one must not be held up for ever.
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    const { cause } = error;
    const fault = cause?.message ?? error.message;
    const result = { outcome: 'given-up', attempts: maximumAttempts, at: Date.now() } as const;
    return recordOf(delivery, { ...result, fault });
  }
}

/** Whoever cancels the workflow gives up what is in it. */
function ignoreCancellation(error: unknown): void {
  if (!isCancellation(error)) throw error;
}

function isLong(maxEvents: number): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  return continueAsNewSuggested || historyLength > maxEvents;
}

/** What Temporal's UI shows. */
function detailsOf(journal: readonly DeliveryRecord[]): string {
  return journal
    .slice(-20)
    .map(({ hook, event, outcome, fault }) => {
      const why = fault === undefined ? '' : ` (${fault})`;
      return `- ${outcome} to **${hook}**${why}: ${event}`;
    })
    .join('\n');
}
