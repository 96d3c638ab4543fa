import { Context } from '@temporalio/activity';

import { namesOf } from '../domain/names.js';
import { deadlineExceeded, type Readiness } from '../domain/readiness.js';
import type { CanaryRef, PodsResult, Role } from '../domain/release.js';
import { readCanary } from './canaries.js';
import type { MoveInput } from './contract.js';
import type { Deps } from './deps.js';
import { recordEvents } from './reporting.js';
import { workloadOf } from './workloads/index.js';
import type { Workload } from './workloads/workload.js';

/** Pods that start this quickly, in milliseconds, are not worth a warning. */
const quickMs = 2_000;

/** Reads the workload again this often, in milliseconds, lest a watch that has died is believed. */
const doubtMs = 15_000;

/**
 * Waits for the pods of one role until they are ready, hopeless, or the deadline has passed; tells
 * of it with one Warning at most, once it takes longer than pods usually do.
 */
export async function awaitPods(
  deps: Deps,
  { canary: ref, role, deadline }: MoveInput<'awaitPods'>,
): Promise<PodsResult> {
  const canary = await readCanary(deps, ref);
  const { primaryWorkload, targetWorkload } = namesOf(canary);
  const name = role === 'primary' ? primaryWorkload : targetWorkload;
  const late = `${deadlineExceeded(name)}`;
  return waitForPods(deps, { ref, role, workload: workloadOf(deps, canary), deadline, late });
}
