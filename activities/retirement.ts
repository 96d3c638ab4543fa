import { Context } from '@temporalio/activity';

import type { Deps } from './deps.js';
import type { Workload } from './workloads/workload.js';

/**
 * Stops the pods of the target, from which the traffic has been taken. Proxies hear of new routes
 * a moment late and requests take their time, so the pods are given some to settle.
 */
export async function retireTarget({ settings }: Deps, workload: Workload): Promise<void> {
  if (await workload.isAtZero()) return;
  await Context.current().sleep(settings.settleMs);
  await workload.scaleToZero();
}
