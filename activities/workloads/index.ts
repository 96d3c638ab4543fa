import type { Canary, TargetKind } from '../../domain/canary.js';
import type { Deps } from '../deps.js';
import { daemonSetWorkload } from './daemon-set.js';
import { deploymentWorkload } from './deployment.js';
import { knativeWorkload } from './knative-service.js';
import { serviceWorkload } from './service.js';
import type { Workload } from './workload.js';

const workloads = {
  Deployment: deploymentWorkload,
  DaemonSet: daemonSetWorkload,
  Service: serviceWorkload,
  KnativeService: knativeWorkload,
} as const satisfies Record<TargetKind, (deps: Deps, canary: Canary) => Workload>;

/** The workload a Canary targets, by the kind it names. */
export function workloadOf(deps: Deps, canary: Canary): Workload {
  return workloads[canary.target.kind](deps, canary);
}
