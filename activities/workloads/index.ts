import type { Canary } from '../../domain/canary.js';
import type { Deps } from '../deps.js';
import { deploymentWorkload } from './deployment.js';
import type { Workload } from './workload.js';

const workloads = {
  Deployment: deploymentWorkload,
} as const satisfies Record<Canary['target']['kind'], (deps: Deps, canary: Canary) => Workload>;

/** The workload a Canary targets, by the kind it names. */
export function workloadOf(deps: Deps, canary: Canary): Workload {
  return workloads[canary.target.kind](deps, canary);
}
