import { Context } from '@temporalio/activity';

import type { Canary } from '../domain/canary.js';
import type { Deps } from './deps.js';
import { scalerOf } from './scalers/index.js';
import { workloadOf } from './workloads/index.js';

/**
 * Stops the pods of the target, from which the traffic has been taken. Proxies hear of new routes
 * a moment late and requests take their time, so the pods are given some to settle.
 */
export async function retireTarget(deps: Deps, canary: Canary): Promise<void> {
  const workload = workloadOf(deps, canary);
  const isAtZero = await workload.isAtZero();
  if (!isAtZero) await Context.current().sleep(deps.settings.settleMs);
  // Before the pods go: a scaler at work would start them again, and a paused one stops them itself.
  await scalerOf(deps, canary)?.pauseTarget();
  if (!isAtZero) await workload.scaleToZero();
}
