import { Context, log } from '@temporalio/activity';

import type { Readiness } from '../domain/readiness.js';
import type { PodsResult, Role } from '../domain/release.js';
import { readCanary } from './canaries.js';
import type { MoveInput } from './contract.js';
import type { Deps } from './deps.js';
import { recordEvents } from './reporting.js';
import { workloadOf } from './workloads/index.js';
import type { Workload } from './workloads/workload.js';

/** Pods that start within this time, in milliseconds, are not worth a warning. */
const quickMs = 2_000;

/**
 * How long a workload must stay hopeless to be believed, in milliseconds. A Deployment that goes
 * back to pods it had before shows the verdict on the last ones until the first pod has started.
 */
const certainMs = 2_000;

/** How often the API server is asked all the same, in milliseconds, lest a dead watch is trusted. */
const doubtMs = 15_000;

/** The longest time Node's timers know, in milliseconds: 24.8 days. */
const longestTimer = 2 ** 31 - 1;

/**
 * Waits for the pods of one role until they are ready, or hopeless, or the deadline has passed;
 * tells of a long wait with one Warning.
 */
export async function awaitPods(deps: Deps, input: MoveInput<'awaitPods'>): Promise<PodsResult> {
  const { canary, role, deadline } = input;
  const workload = workloadOf(deps, (await readCanary(deps, canary)).canary);
  const wait = { role, deadline, slow: (reason: string) => warn(deps, input, reason) };
  return podsReady(workload, wait);
}

/** One wait for pods. Times are epoch milliseconds. */
export interface PodsWait {
  readonly role: Role;
  readonly deadline: number;
  /** Called once if it takes long, with what is waited for. */
  readonly slow?: (reason: string) => Promise<void>;
}

/** Returns with the very event that decides whether the pods become ready. */
export async function podsReady(
  workload: Workload,
  { role, deadline, slow }: PodsWait,
): Promise<PodsResult> {
  let reason = '';
  let hopeless: NodeJS.Timeout | undefined;
  let decide: (result: PodsResult) => void;
  const decided = new Promise<PodsResult>((resolve) => (decide = resolve));

  const judged = (readiness: Readiness): void => {
    if (readiness.ready) {
      decide({ ready: true });
      return;
    }
    ({ reason } = readiness);
    if (!readiness.hopeless) {
      clearTimeout(hopeless);
      hopeless = undefined;
      return;
    }
    hopeless ??= setTimeout(() => {
      decide({ ready: false, reason });
    }, certainMs);
  };
  const giveUp = (): void => {
    decide({ ready: false, reason: workload.overdue(role) });
  };
  const stop = await workload.follow(role, judged);
  const timers = [
    setTimeout(() => void slow?.(reason), quickMs),
    setInterval(() => void workload.readiness(role).then(judged, ignore), doubtMs),
    setTimeout(giveUp, Math.min(deadline - Date.now(), longestTimer)),
  ];
  try {
    return await Promise.race([decided, Context.current().cancelled]);
  } finally {
    stop();
    [...timers, hopeless].forEach(clearTimeout);
  }
}

/** The key is the deadline's, so that a wait taken up again after an interruption is the same. */
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
