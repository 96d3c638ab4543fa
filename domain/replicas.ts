import { withoutKeys } from './entries.js';
import type { Deployment, KubeObject, PodWorkload } from './objects.js';
import type { Role } from './release.js';
import { toCanary, type Routes } from './routes.js';

/**
 * Where a primary keeps how many pods it is meant to have, as long as a release has moved some of
 * them to the canary.
 */
export const totalAnnotation = 'sluice.dev/replicas';

/** How many pods each workload has to have for the traffic to be split so. */
export function podsFor(total: number, { canary: weight }: Routes): Record<Role, number> {
  if (weight === 0) return { primary: total, canary: 0 };
  if (weight === 100) return { primary: 0, canary: total };
  // A share is one pod at least, so with few pods there is one more than was meant.
  const canary = Math.max(1, Math.round((total * weight) / 100));
  return { primary: Math.max(1, total - canary), canary };
}

/** How many pods a primary is meant to have when it has the whole traffic. */
export function intendedReplicas(primary: PodWorkload): number {
  return keptTotal(primary) ?? Math.max(1, primary.spec.replicas ?? 1);
}

/** Whether pods of a primary have been moved to the canary. */
export function isLending({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[totalAnnotation] !== undefined;
}

/** A Deployment with so many pods. */
export function withReplicas(deployment: Deployment, replicas: number): Deployment {
  return { ...deployment, spec: { ...deployment.spec, replicas } };
}

/** The primary of a release in progress, with so many pods. */
export function lendingPrimary(primary: Deployment, replicas: number): Deployment {
  const { metadata } = primary;
  const kept = { [totalAnnotation]: String(intendedReplicas(primary)) };
  const annotations = { ...metadata.annotations, ...kept };
  return withReplicas({ ...primary, metadata: { ...metadata, annotations } }, replicas);
}

/** The primary with all the pods it is meant to have. One that has lent none stays as it is. */
export function restoredPrimary(primary: Deployment): Deployment {
  if (!isLending(primary)) return primary;
  const { metadata } = primary;
  const annotations = withoutKeys(metadata.annotations, (key) => key === totalAnnotation);
  return withReplicas(
    { ...primary, metadata: { ...metadata, annotations } },
    intendedReplicas(primary),
  );
}

/**
 * The split that so many pods stand for: the first of the weights that gives them, since several
 * weights can give the same.
 */
export function routesOfPods(
  total: number,
  pods: Readonly<Record<Role, number>>,
  weights: readonly number[],
): Routes | undefined {
  return weights.map(toCanary).find((routes) => {
    const wanted = podsFor(total, routes);
    return wanted.primary === pods.primary && wanted.canary === pods.canary;
  });
}

function keptTotal({ metadata }: KubeObject): number | undefined {
  const total = Number(metadata.annotations?.[totalAnnotation]);
  return Number.isInteger(total) && total > 0 ? total : undefined;
}
