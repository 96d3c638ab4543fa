import type { Strategy } from '../strategies/strategy.js';
import type { Draft } from './draft.js';
import type { WireAnalysis } from './wire.js';

/** How many checks a release has with provider `kubernetes` when the manifest counts none. */
const defaultIterations = 10;

/**
 * The strategy a manifest means; as in Flagger none says so. Without a router the traffic can only
 * change as a whole, so with provider `kubernetes` all is Blue/Green, unless pods are to move.
 */
export function strategyKindOf({ provider, analysis }: Draft): Strategy['kind'] {
  const { iterations = 0, match = [], shift } = analysis;
  if (shift === 'replicas') return 'replicas';
  if (provider === 'kubernetes') return 'blue-green';
  if (iterations <= 0) return 'weighted';
  return match.length > 0 ? 'ab-testing' : 'blue-green';
}

/** The strategy of a manifest that has no problems. */
export function strategyOf(draft: Draft): Strategy {
  const { provider, analysis } = draft;
  const { iterations = 0 } = analysis;
  const kind = strategyKindOf(draft);
  const routed = provider !== 'kubernetes';
  const mirror = routed && analysis.mirror === true;
  switch (kind) {
    case 'weighted':
      return { kind, weights: weightsOf(analysis), mirror };
    case 'replicas':
      return { kind, weights: weightsOf(analysis) };
    case 'ab-testing':
      return { kind, iterations };
    case 'blue-green':
      return { kind, iterations: iterations < 1 ? defaultIterations : iterations, mirror, routed };
  }
}

/**
 * Every weight the canary takes, in order. Steps may pass maxWeight by less than one step, as in
 * Flagger: step 20 and max 50 give 20, 40, 60.
 */
export function weightsOf({
  stepWeight = 0,
  stepWeights = [],
  maxWeight = 0,
}: WireAnalysis): number[] {
  if (stepWeight <= 0) return stepWeights.map((weight) => Math.min(100, weight));
  const last = stepWeights.at(-1);
  const max =
    last !== undefined ? Math.min(100, last) : maxWeight > 0 ? Math.min(100, maxWeight) : 100;
  const weights = [];
  for (let weight = 0; weight < max;) {
    weight = Math.min(100, weight + stepWeight);
    weights.push(weight);
  }
  return weights;
}

/**
 * What is read otherwise than written, because Flagger does so too: manifests that work there have
 * to work here. The first sentences are Flagger's.
 */
export function warningsOf(draft: Draft): string[] {
  return [...leftOutOf(draft), ...otherStrategyOf(draft)];
}

/** Flagger writes these to the HTTPRoutes of the newer version only. */
const ofNewerRoutes = ['timeout', 'backendTimeout', 'corsPolicy'] as const;

function leftOutOf({ provider, spec: { service = {} } }: Draft): string[] {
  if (provider !== 'gatewayapi:v1beta1') return [];
  return ofNewerRoutes
    .filter((field) => service[field] !== undefined)
    .map((field) => `spec.service.${field} is left out by ${provider}, gatewayapi:v1 knows it`);
}

function otherStrategyOf(draft: Draft): string[] {
  const { spec, provider, analysis } = draft;
  const { iterations = 0, match = [], mirror } = analysis;
  const kind = strategyKindOf(draft);
  if (spec.skipAnalysis === true || kind === 'replicas') return [];
  if (provider !== 'kubernetes') {
    return kind === 'ab-testing' && mirror === true
      ? ['Mirroring is not supported in A/B testing']
      : [];
  }
  return [
    ...(match.length > 0
      ? ['A/B testing is not supported when using the kubernetes provider']
      : []),
    ...(iterations < 1
      ? [
          'Progressive traffic is not supported when using the kubernetes provider',
          `Setting canaryAnalysis.iterations: ${String(defaultIterations)}`,
        ]
      : []),
    ...(mirror === true ? ['Mirroring is not supported when using the kubernetes provider'] : []),
  ];
}
