import type { AutoscalerRef, Canary } from '../canary.js';
import { withoutKeys } from '../entries.js';
import { namesOf } from '../names.js';
import { atLeastOne, boundsOf, primaryScaler, type ScalerObject } from './primary-scaler.js';

/** KEDA's scaler of the primary, made of the target's: it watches the primary where that one watches the target. */
export function primaryScaledObject(
  canary: Canary,
  ref: AutoscalerRef,
  { target, live }: { readonly target: ScalerObject; readonly live: ScalerObject | undefined },
): ScalerObject {
  const { advanced, triggers = [] } = target.spec as ScaledObjectSpec;
  const spec = {
    ...boundsOf(ref, { min: 'minReplicaCount', max: 'maxReplicaCount' }),
    triggers: triggers.map((trigger) => primaryTrigger(canary, ref, trigger)),
    ...(advanced === undefined ? {} : { advanced: primaryAdvanced(advanced) }),
  };
  return primaryScaler(canary, { target, live, spec });
}

/** The pods a target is started with. */
export function minReplicasOfScaledObject(scaledObject: ScalerObject | undefined): number {
  return atLeastOne(scaledObject?.spec['minReplicaCount']);
}

/** The scaler, keeping its workload at zero. */
export function paused(scaledObject: ScalerObject): ScalerObject {
  const { metadata } = scaledObject;
  const annotations = { ...metadata.annotations, [pausedAnnotation]: '0' };
  return { ...scaledObject, metadata: { ...metadata, annotations } };
}

/** The scaler at work again. */
export function resumed(scaledObject: ScalerObject): ScalerObject {
  const { metadata } = scaledObject;
  if (metadata.annotations?.[pausedAnnotation] === undefined) return scaledObject;
  const annotations = withoutKeys(metadata.annotations, (key) => key === pausedAnnotation);
  return { ...scaledObject, metadata: { ...metadata, annotations } };
}

/**
 * A query about the target, asked about the primary. Names inside longer words are other names,
 * such as that of a metric.
 */
export function primaryQuery(query: string, target: string): string {
  const name = target.replaceAll('.', '\\.');
  const pattern = new RegExp(`(?<![A-Za-z0-9_])${name}(-canary|-primary)?(?![A-Za-z0-9_])`, 'g');
  return query.replace(pattern, `${target}-primary`);
}

const pausedAnnotation = 'autoscaling.keda.sh/paused-replicas';

function primaryTrigger(canary: Canary, ref: AutoscalerRef, trigger: Trigger): Trigger {
  const { name = '', metadata = {} } = trigger;
  const { primaryScalerQueries: queries } = ref;
  const isGiven = Object.keys(queries).length > 0;
  const query = isGiven
    ? queries[name]
    : metadata['query'] && primaryQuery(metadata['query'], namesOf(canary).targetWorkload);
  return query === undefined ? trigger : { ...trigger, metadata: { ...metadata, query } };
}

/** Two scalers must not have one HorizontalPodAutoscaler. */
function primaryAdvanced(advanced: Advanced): Advanced {
  const { horizontalPodAutoscalerConfig: config } = advanced;
  if (config?.name === undefined || config.name === '') return advanced;
  return {
    ...advanced,
    horizontalPodAutoscalerConfig: { ...config, name: `${config.name}-primary` },
  };
}

interface ScaledObjectSpec {
  readonly triggers?: readonly Trigger[];
  readonly advanced?: Advanced;
}

interface Trigger {
  readonly name?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

interface Advanced {
  readonly horizontalPodAutoscalerConfig?: { readonly name?: string };
}
