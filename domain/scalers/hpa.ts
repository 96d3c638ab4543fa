import type { AutoscalerRef, Canary } from '../canary.js';
import { atLeastOne, boundsOf, primaryScaler, type ScalerObject } from './primary-scaler.js';

/** The HorizontalPodAutoscaler of the primary, made of the target's. */
export function primaryHpa(
  canary: Canary,
  ref: AutoscalerRef,
  { target, live }: { readonly target: ScalerObject; readonly live: ScalerObject | undefined },
): ScalerObject {
  const spec = boundsOf(ref, { min: 'minReplicas', max: 'maxReplicas' });
  return primaryScaler(canary, { target, live, spec });
}

/** The pods a target is started with. */
export function minReplicasOfHpa(hpa: ScalerObject | undefined): number {
  return atLeastOne(hpa?.spec['minReplicas']);
}
