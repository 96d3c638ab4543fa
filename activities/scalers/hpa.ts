import { minReplicasOfHpa, primaryHpa } from '../../domain/scalers/hpa.js';
import type { ScalerKind } from './copied-scaler.js';

/** HorizontalPodAutoscalers: they leave a workload without pods alone, and need no pause. */
export const hpa: ScalerKind = {
  // Older versions of the API lose metrics, and are not served any more.
  apiVersion: () => 'autoscaling/v2',
  primary: primaryHpa,
  minReplicas: minReplicasOfHpa,
};
