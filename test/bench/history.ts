import type { Client, WorkflowHandle } from '@temporalio/client';

import type { Activities } from '../../activities/contract.js';

type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;
type HistoryEvent = NonNullable<History['events']>[number];

/** One activity of a run; moments are epoch milliseconds. */
export interface Deed {
  readonly name: keyof Activities;
  readonly scheduled: number;
  readonly started: number;
  readonly completed: number;
}

/** One check that a timer brought about. */
export interface Tick {
  /** When the timer was due, in epoch milliseconds. */
  readonly due: number;
  /** Between the moment the timer was due and the start of the check, in milliseconds. */
  readonly lateMs: number;
  /** History events from the timer to the decision that follows the check. */
  readonly eventsOfCheck: number;
  /** History events from this timer to the next; undefined behind the last check. */
  readonly events: number | undefined;
}

/** What the history of one run tells of time. */
export interface Account {
  readonly deeds: readonly Deed[];
  readonly ticks: readonly Tick[];
  readonly started: number;
  readonly closed: number | undefined;
}

/** Reads the history of a run, by default of the newest. */
export async function accountOf(client: Client, id: string, runId?: string): Promise<Account> {
  const { events } = await client.workflow.getHandle(id, runId).fetchHistory();
  return accountFor(events ?? []);
}

function accountFor(events: readonly HistoryEvent[]): Account {
  const last = events.at(-1);
  return {
    deeds: deedsOf(events),
    ticks: ticksOf(events),
    started: momentOf(events[0]),
    closed: isClosing(last) ? momentOf(last) : undefined,
  };
}

function deedsOf(events: readonly HistoryEvent[]): Deed[] {
  return events.flatMap((event) => {
    const attributes = event.activityTaskCompletedEventAttributes;
    if (!attributes) return [];
    const scheduled = events[Number(attributes.scheduledEventId) - 1];
    const started = events[Number(attributes.startedEventId) - 1];
    const name = nameOf(scheduled) as keyof Activities;
    return {
      name,
      scheduled: momentOf(scheduled),
      started: momentOf(started),
      completed: momentOf(event),
    };
  });
}

function ticksOf(events: readonly HistoryEvent[]): Tick[] {
  return events.flatMap((event, fired) => {
    const timer = Number(event.timerFiredEventAttributes?.startedEventId ?? 0) - 1;
    const check = after(events, fired, (later) => nameOf(later) !== undefined);
    if (timer < 0 || check === -1 || nameOf(events[check]) !== 'check') return [];
    const started = after(
      events,
      check,
      ({ activityTaskStartedEventAttributes: it }) => Number(it?.scheduledEventId) === check + 1,
    );
    const decided = after(events, started, (later) => !!later.workflowTaskCompletedEventAttributes);
    if (started === -1 || decided === -1) return [];
    const next = after(events, decided, (later) => !!later.timerStartedEventAttributes);
    return {
      due: dueOf(events[timer]),
      lateMs: momentOf(events[started]) - dueOf(events[timer]),
      eventsOfCheck: decided - timer + 1,
      events: next === -1 ? undefined : next - timer,
    };
  });
}

function after(
  events: readonly HistoryEvent[],
  place: number,
  is: (event: HistoryEvent) => boolean,
): number {
  return place === -1 ? -1 : events.findIndex((event, at) => at > place && is(event));
}

function nameOf(event: HistoryEvent | undefined): string | undefined {
  return event?.activityTaskScheduledEventAttributes?.activityType?.name ?? undefined;
}

function dueOf(timer: HistoryEvent | undefined): number {
  return momentOf(timer) + millisecondsOf(timer?.timerStartedEventAttributes?.startToFireTimeout);
}

function momentOf(event: HistoryEvent | undefined): number {
  return millisecondsOf(event?.eventTime);
}

function millisecondsOf(time: HistoryEvent['eventTime']): number {
  return Number(time?.seconds ?? 0) * 1_000 + (time?.nanos ?? 0) / 1e6;
}

function isClosing(event: HistoryEvent | undefined): boolean {
  return !!(
    event?.workflowExecutionCompletedEventAttributes ??
    event?.workflowExecutionFailedEventAttributes ??
    event?.workflowExecutionContinuedAsNewEventAttributes
  );
}
