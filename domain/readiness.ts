import type { Deployment, DeploymentStatus } from './objects.js';
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
export function readinessOf(deployment: Deployment, thresholdPercent: number): Readiness {
  const { metadata, status = {} } = deployment;
  if ((metadata.generation ?? 0) > (status.observedGeneration ?? 0)) {
    return waiting('observed deployment generation less than desired generation');
  }
  if (hasGivenUp(status)) {
    return { ready: false, hopeless: true, reason: deadlineExceeded(metadata.name) };
  }
  const missing = missingPods(deployment, thresholdPercent);
  return missing === undefined ? { ready: true } : waiting(missing);
}

/** The reason a Deployment gives whose pods did not come in time. */
export function deadlineExceeded(deployment: string): string {
  return `deployment "${deployment}" exceeded its progress deadline`;
}

/** The sentence that says whose pods are not ready, and why. */
export function notReady(
  role: Role,
  { metadata: { name, namespace = 'default' } }: Pick<Deployment, 'metadata'>,
  reason: string,
): string {
  const workload = `${name}.${namespace}`;
  const subject = role === 'primary' ? workload : `canary deployment ${workload}`;
  return `${subject} not ready: ${reason}`;
}

/**
 * Whether a Deployment keeps at least one pod serving through a rolling update of its own. Not so
 * with the strategy Recreate, or when as many pods may be unavailable as there are.
 */
export function servesThroughRollout({ spec }: Deployment): boolean {
  const { replicas = 1, strategy } = spec as { replicas?: number; strategy?: Strategy };
  if (strategy?.type === 'Recreate') return false;
  const unavailable = strategy?.rollingUpdate?.maxUnavailable ?? '25%';
  const allowed =
    typeof unavailable === 'number'
      ? unavailable
      : Math.floor((replicas * Number.parseFloat(unavailable)) / 100);
  return allowed < replicas;
}

interface Strategy {
  readonly type?: string;
  readonly rollingUpdate?: { readonly maxUnavailable?: number | string };
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
