import {
  proxySinks,
  workflowInfo,
  type Sinks,
  type WorkflowInterceptors,
} from '@temporalio/workflow';

/** Where the recorder puts what a workflow asks for. */
export interface RecorderSinks extends Sinks {
  readonly recorder: {
    asked(runId: string, command: string): void;
  };
}

/** Records every activity and timer a workflow asks for, with all arguments, also in a replay. */
export function interceptors(): WorkflowInterceptors {
  const { recorder } = proxySinks<RecorderSinks>();
  const { runId } = workflowInfo();
  return {
    outbound: [
      {
        scheduleActivity(input, next) {
          recorder.asked(runId, `${input.activityType} ${JSON.stringify(input.args)}`);
          return next(input);
        },
        startTimer(input, next) {
          recorder.asked(runId, `timer ${String(input.durationMs)}`);
          return next(input);
        },
      },
    ],
  };
}
