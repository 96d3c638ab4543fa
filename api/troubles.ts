import type { WorkflowExecutionDescription } from '@temporalio/client';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import type proto from '@temporalio/proto';

/** Something that keeps a release from going on: it fails and is repeated, or it is missing. */
export type Trouble =
  | {
      readonly kind: 'activity';
      readonly activity: string;
      /** Attempts that failed. */
      readonly failures: number;
      readonly message: string;
      /** When the next attempt is made, epoch milliseconds; absent while one is under way. */
      readonly nextAttempt?: number;
    }
  /** No worker answers questions, so none makes moves either. */
  | { readonly kind: 'no-worker'; readonly taskQueue: string }
  /** The workflow's own code fails, which only another version of the worker ends. */
  | { readonly kind: 'workflow-task'; readonly failures: number };

type Description = Pick<WorkflowExecutionDescription, 'raw' | 'taskQueue'>;
type PendingActivity = proto.temporal.api.workflow.v1.IPendingActivityInfo;

/** What Temporal itself knows of things that go wrong in an open run. */
export function troublesOf({ raw, taskQueue }: Description, isAnswered: boolean): Trouble[] {
  const attempt = raw.pendingWorkflowTask?.attempt ?? 1;
  return [
    ...(isAnswered ? [] : [{ kind: 'no-worker' as const, taskQueue }]),
    ...(attempt > 1 ? [{ kind: 'workflow-task' as const, failures: attempt - 1 }] : []),
    ...(raw.pendingActivities ?? []).flatMap(failing),
  ];
}

function failing(activity: PendingActivity): Trouble[] {
  const { activityType, attempt, lastFailure, nextAttemptScheduleTime } = activity;
  if (!lastFailure) return [];
  const nextAttempt = optionalTsToMs(nextAttemptScheduleTime);
  return [
    {
      kind: 'activity',
      activity: activityType?.name ?? '',
      failures: (attempt ?? 1) - 1,
      message: textOf(lastFailure),
      ...(nextAttempt === undefined ? {} : { nextAttempt }),
    },
  ];
}

/** A failure's texts, from the outermost to its innermost cause. */
function textOf({ message, cause }: proto.temporal.api.failure.v1.IFailure): string {
  return [message, cause ? textOf(cause) : ''].filter(Boolean).join(': ');
}
