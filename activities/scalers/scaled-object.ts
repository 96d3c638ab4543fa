import {
  minReplicasOfScaledObject,
  paused,
  primaryScaledObject,
  resumed,
} from '../../domain/scalers/scaled-object.js';
import type { ScalerKind } from './copied-scaler.js';

/** KEDA's ScaledObjects: they would start pods of a target at zero, so they are paused there. */
export const scaledObject: ScalerKind = {
  apiVersion: ({ apiVersion }) => apiVersion,
  primary: primaryScaledObject,
  minReplicas: minReplicasOfScaledObject,
  pausing: { paused, resumed },
};
