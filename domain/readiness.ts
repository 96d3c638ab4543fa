import type { DaemonSet, Deployment, DeploymentStatus, ObjectRef } from './objects.js';
import type { Role } from './release.js';

/** Whether the pods of a workload are ready; `hopeless` when waiting longer cannot help. */
export type Readiness =
  | { readonly ready: true }
  | { readonly ready: false; readonly hopeless: boolean; readonly reason: string };

/**
 * Judges a Deployment as it is now: rolled out completely, with at least `thresholdPercent` of its
 * pods available, and with one pod at least unless it is scaled to zero.
 *
 * Hopeless is only what the Deployment's own controller has given up, and it has said so of this
 * very generation. The age of its Available condition is no sign: that stays as it is from one
 * bad revision to the next, so the next would be failed before its pods had a chance to start.
 */
export function deploymentReadiness(deployment: Deployment, thresholdPercent: number): Readiness {
  const { metadata, status = {} } = deployment;
  if ((metadata.generation ?? 0) > (status.observedGeneration ?? 0)) {
    return waiting('observed deployment generation less than desired generation');
  }
  if (hasGivenUp(status)) {
    return { ready: false, hopeless: true, reason: deploymentOverdue(metadata.name) };
  }
  const missing = missingPods(deployment, thresholdPercent);
  return missing === undefined ? { ready: true } : waiting(missing);
}

/**
 * Judges a DaemonSet as it is now: a new pod on each of its nodes, and at least
 * `thresholdPercent` of them available; one at least, unless it is to have none. Its controller
 * never gives up, so it is never hopeless.
 */
export function daemonSetReadiness(
  { metadata, status = {} }: DaemonSet,
  thresholdPercent: number,
): Readiness {
  if ((metadata.generation ?? 0) > (status.observedGeneration ?? 0)) {
    return waiting('observed daemonset generation less than desired generation');
  }
  const { desiredNumberScheduled: desired = 0, updatedNumberScheduled: updated = 0 } = status;
  const { numberAvailable: available = 0 } = status;
  const wanted = availableWanted(desired, thresholdPercent);
  if (updated < desired) return waiting(`${updated} out of ${desired} new pods have been updated`);
  return available < wanted
    ? waiting(
        `${available} of ${wanted} (readyThreshold ${thresholdPercent}%) updated pods are available`,
      )
    : { ready: true };
}

/** The reason a Deployment gives whose pods did not come in time. */
export function deploymentOverdue(deployment: string): string {
  return `deployment "${deployment}" exceeded its progress deadline`;
}

/** The reason given for what has no deadline of its own, and exceeded that of the Canary. */
export function deadlineExceeded(deadlineMs: number): string {
  return `exceeded its progressDeadlineSeconds: ${deadlineMs / 1_000}`;
}

/** The sentence that says whose pods are not ready, and why; the words, spelling included, are Flagger's. */
export function notReady(
  role: Role,
  { kind, name, namespace }: Pick<ObjectRef, 'kind' | 'name' | 'namespace'>,
  { hopeless, reason }: Omit<Extract<Readiness, { ready: false }>, 'ready'>,
): string {
  const workload = `${name}.${namespace}`;
  switch (kind) {
    case 'Deployment':
      return role === 'primary'
        ? `${workload} not ready: ${reason}`
        : `canary deployment ${workload} not ready: ${reason}`;
    case 'DaemonSet':
      return role === 'primary'
        ? `primary daemonset ${workload} not ready: ${reason}`
        : `canary damonset ${workload} not ready with retryable ${!hopeless}: ${reason}`;
    default:
      return `${role} ${kind.toLowerCase()} ${workload} not ready: ${reason}`;
  }
}

/**
 * Whether a Deployment keeps at least one pod serving through a rolling update of its own. Not so
 * with the strategy Recreate, or when as many pods may be unavailable as there are.
 */
export function deploymentServesThroughRollout({ spec, status = {} }: Deployment): boolean {
  if (!status.availableReplicas) return false;
  const { replicas = 1, strategy } = spec as { replicas?: number; strategy?: Strategy };
  if (strategy?.type === 'Recreate') return false;
  const unavailable = strategy?.rollingUpdate?.maxUnavailable ?? '25%';
  return shareOf(unavailable, replicas, Math.floor) < replicas;
}

/**
 * The same for a DaemonSet, which by default replaces one pod at a time: on a single node that is
 * all it has, unless the new pod may come before the old one goes.
 */
export function daemonSetServesThroughRollout({ spec, status = {} }: DaemonSet): boolean {
  const { desiredNumberScheduled: desired = 0, numberAvailable = 0 } = status;
  const { rollingUpdate = {} } = (spec['updateStrategy'] ?? {}) as Strategy;
  const { maxUnavailable = 1, maxSurge = 0 } = rollingUpdate;
  if (numberAvailable === 0) return false;
  return Number.parseFloat(String(maxSurge)) > 0
    ? true
    : shareOf(maxUnavailable, desired, Math.ceil) < desired;
}

interface Strategy {
  readonly type?: string;
  readonly rollingUpdate?: {
    readonly maxUnavailable?: number | string;
    readonly maxSurge?: number | string;
  };
}

/** A number of pods, given as such or in percent of all. */
function shareOf(share: number | string, all: number, round: (pods: number) => number): number {
  return typeof share === 'number' ? share : round((all * Number.parseFloat(share)) / 100);
}

function waiting(what: string): Readiness {
  return { ready: false, hopeless: false, reason: `waiting for rollout to finish: ${what}` };
}

function hasGivenUp({ conditions = [] }: DeploymentStatus): boolean {
  return conditions.some(
    ({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded',
  );
}

function missingPods(
  { spec: { replicas = 1 }, status = {} }: Deployment,
  thresholdPercent: number,
): string | undefined {
  const { updatedReplicas: updated = 0, availableReplicas: available = 0 } = status;
  const old = (status.replicas ?? 0) - updated;
  const wanted = availableWanted(updated, thresholdPercent);
  if (updated < replicas) return `${updated} out of ${replicas} new replicas have been updated`;
  if (old > 0) return `${old} old replicas are pending termination`;
  return available < wanted
    ? `${available} of ${wanted} (readyThreshold ${thresholdPercent}%) updated replicas are available`
    : undefined;
}

/** Half of one pod is one pod: rounding down to none would let traffic onto no pods at all. */
function availableWanted(updated: number, thresholdPercent: number): number {
  if (updated === 0 || thresholdPercent === 0) return 0;
  return Math.max(1, Math.trunc((updated * thresholdPercent) / 100));
}
