import type { AutoscalerRef, Canary } from '../../domain/canary.js';
import type { Deps } from '../deps.js';
import { copiedScaler, type ScalerKind } from './copied-scaler.js';
import { hpa } from './hpa.js';
import { scaledObject } from './scaled-object.js';
import type { Scaler } from './scaler.js';

const kinds = {
  HorizontalPodAutoscaler: hpa,
  ScaledObject: scaledObject,
} as const satisfies Record<AutoscalerRef['kind'], ScalerKind>;

/** The scaler of a Canary's target; undefined when the Canary names none. */
export function scalerOf(deps: Deps, canary: Canary): Scaler | undefined {
  const { autoscaler } = canary;
  return autoscaler && copiedScaler(deps, canary, autoscaler, kinds[autoscaler.kind]);
}
