import { ApplicationFailure, Context } from '@temporalio/activity';

import { hooksOf, hookTexts } from '../domain/hooks.js';
import { readCanary } from './canaries.js';
import type { MoveInput } from './contract.js';
import type { Deps } from './deps.js';
import { recordEvents, tell } from './reporting.js';
import { askHook } from './webhooks.js';

/** After so many attempts the hooks that still fail are given up. */
const maxAttempts = 5;

/** The pause before the next attempt, in milliseconds: 2, 4, 8, 16 s. */
function pauseMs(attempt: number): number {
  return 1_000 * 2 ** attempt;
}

/**
 * The `conclude` activity: calls the hooks that follow the end of a release, each of them whatever
 * becomes of the others. Those that fail are called again by later attempts, the others are not:
 * which ones are done is remembered in the heartbeat.
 */
export async function conclude(
  deps: Deps,
  { canary: ref, report }: MoveInput<'conclude'>,
  remember: (done: readonly number[]) => void,
): Promise<void> {
  const { cancellationSignal: signal, info } = Context.current();
  const { attempt, workflowExecution } = info;
  const { canary } = await readCanary(deps, ref);
  const { phase = '' } = canary.status;
  const done = new Set(info.heartbeatDetails as readonly number[] | undefined);
  const failures: string[] = [];
  const isLast = attempt >= maxAttempts;
  for (const { hook, index } of hooksOf(canary, 'post-rollout')) {
    if (done.has(index)) continue;
    signal.throwIfAborted();
    const key = `${workflowExecution?.runId ?? ''}/${report.key}/${index}`;
    const answer = await askHook(hook, { canary, phase, key, signal });
    if (!answer.ok) failures.push(`${hook.name} failed ${answer.error}`);
    if (answer.ok || isLast) {
      const event = answer.ok
        ? hookTexts.passed('post-rollout', hook.name)
        : hookTexts.notConcluded(hook.name, answer.error);
      await recordEvents(deps, ref, { key: `${report.key}/hook/${index}`, events: [event] });
      remember([...done.add(index)]);
    }
  }
  if (failures.length > 0 && !isLast) throw tryAgain(failures, attempt);
  await tell(deps, { canary: ref, report });
}

/** Told on the Canary like every error of an activity. */
function tryAgain(failures: readonly string[], attempt: number): ApplicationFailure {
  return ApplicationFailure.create({
    message: `post-rollout hooks are called again: ${failures.join('; ')}`,
    type: 'HooksFailed',
    nextRetryDelay: pauseMs(attempt),
  });
}
