import type { Canary } from '../../domain/canary.js';
import type { Deployment } from '../../domain/objects.js';
import { numberAnnotation } from '../../domain/primary.js';
import {
  deploymentOverdue,
  deploymentReadiness,
  deploymentServesThroughRollout,
} from '../../domain/readiness.js';
import type { Deps } from '../deps.js';
import { replicaSets } from './history.js';
import { podWorkload, type PodKind } from './pod-workload.js';
import type { Workload } from './workload.js';

/** Deployments as targets. */
export function deploymentWorkload(deps: Deps, canary: Canary): Workload {
  return podWorkload(deps, canary, deployments);
}

const deployments: PodKind<Deployment> = {
  problemOf: () => undefined,
  isAtZero: ({ spec }) => spec.replicas === 0,
  toZero: (live) => withReplicas(live, 0),
  toPods: withReplicas,
  readinessOf: deploymentReadiness,
  overdue: (_canary, name) => deploymentOverdue(name),
  servesThroughRollout: deploymentServesThroughRollout,
  stateOf: ({ metadata }) => metadata.annotations?.[numberAnnotation],
  history: replicaSets,
};

function withReplicas(deployment: Deployment, replicas: number): Deployment {
  return { ...deployment, spec: { ...deployment.spec, replicas } };
}
