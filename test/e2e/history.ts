import type { Client } from '@temporalio/client';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';

import type { Routes } from '../../domain/routes.js';

/** One activity of a run, as its history has it. */
export interface ActivityRecord {
  readonly type: string;
  readonly input: {
    readonly routes?: Routes;
    readonly then?: { readonly step?: { readonly routes: Routes } };
    readonly role?: string;
  };
  /** The attempt that ended it; undefined while it has not ended. */
  readonly attempts?: number;
}

/** Every activity a run scheduled, in order. */
export async function activitiesOf(
  client: Client,
  workflowId: string,
  runId: string,
): Promise<ActivityRecord[]> {
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const attempts = new Map<string, number>();
  for (const { activityTaskStartedEventAttributes: started } of events ?? []) {
    if (started) attempts.set(String(started.scheduledEventId), started.attempt ?? 1);
  }
  const records: ActivityRecord[] = [];
  for (const { eventId, activityTaskScheduledEventAttributes: scheduled } of events ?? []) {
    if (!scheduled) continue;
    const { loadedDataConverter } = client.options;
    const [input] = await decodeArrayFromPayloads(loadedDataConverter, scheduled.input?.payloads);
    const attempt = attempts.get(String(eventId));
    records.push({
      type: scheduled.activityType?.name ?? '',
      input: input as ActivityRecord['input'],
      ...(attempt === undefined ? {} : { attempts: attempt }),
    });
  }
  return records;
}

/** The canary weights a run checked at, one for each check it scheduled. */
export function checkedWeights(activities: readonly ActivityRecord[]): number[] {
  return activities.flatMap(({ type, input }) =>
    type === 'check' ? [input.routes?.canary ?? NaN] : [],
  );
}

/** The canary weights a run was to set: each with the check before it, or by an activity of its own. */
export function steppedWeights(activities: readonly ActivityRecord[]): number[] {
  return activities.flatMap(({ type, input }) => {
    const routes = type === 'check' ? input.then?.step?.routes : input.routes;
    return (type === 'check' || type === 'route') && routes !== undefined ? [routes.canary] : [];
  });
}
