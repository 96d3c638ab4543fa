import { Context, log } from '@temporalio/activity';

import type { Readiness } from '../domain/readiness.js';
import type { PodsResult } from '../domain/release.js';
import { readCanary } from './canaries.js';
import type { MoveInput } from './contract.js';
import type { Deps } from './deps.js';
import { recordEvents } from './reporting.js';
import { workloadOf } from './workloads/index.js';

/** Pods that start within this time, in milliseconds, are not worth a warning. */
const quickMs = 2_000;

/** How often the API server is asked all the same, in milliseconds, lest a dead watch is trusted. */
const doubtMs = 15_000;

/** The longest time Node's timers know, in milliseconds: 24.8 days. */
const longestTimer = 2 ** 31 - 1;

/**
 * Waits for the pods of one role until they are ready, or hopeless, or the deadline has passed.
 * Returns with the very event that decides it; tells of a long wait with one Warning.
 */
export async function awaitPods(deps: Deps, input: MoveInput<'awaitPods'>): Promise<PodsResult> {
  const { canary, role, deadline } = input;
  const workload = workloadOf(deps, await readCanary(deps, canary));
  let reason = '';
  let decide: (result: PodsResult) => void;
  const decided = new Promise<PodsResult>((resolve) => (decide = resolve));

  const judged = (readiness: Readiness): void => {
    if (readiness.ready) {
      decide({ ready: true });
      return;
    }
    ({ reason } = readiness);
    if (readiness.hopeless) decide({ ready: false, reason });
  };
  const stop = await workload.follow(role, judged);
  const timers = [
    setTimeout(() => void warn(deps, input, reason), quickMs),
    setInterval(() => void workload.readiness(role).then(judged, ignore), doubtMs),
    setTimeout(
      () => {
        decide({ ready: false, reason: workload.overdue(role) });
      },
      Math.min(deadline - Date.now(), longestTimer),
    ),
  ];
  try {
    return await Promise.race([decided, Context.current().cancelled]);
  } finally {
    stop();
    timers.forEach(clearTimeout);
  }
}

/** A deadline is a wait's own: taken up again after an interruption it is the same wait. */
async function warn(
  deps: Deps,
  { canary, role, deadline }: MoveInput<'awaitPods'>,
  message: string,
): Promise<void> {
  try {
    const events = [{ type: 'Warning', message }] as const;
    await recordEvents(deps, canary, { key: `pods/${role}/${deadline}`, events });
  } catch (error) {
    log.warn('event of a wait for pods not written', { error });
  }
}

function ignore(): void {
  // The next look is near, and the watch is the one that counts.
}
