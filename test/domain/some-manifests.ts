import type { Canary } from '../../domain/canary.js';
import { parseCanary, type Parsed } from '../../domain/manifest.js';
import type { KubeObject } from '../../domain/objects.js';

/** The worker's configuration in these tests. */
export const defaults = { provider: 'contour', minIntervalMs: 10_000 };

/** Conditions of A/B testing. */
export const match = [{ headers: { 'x-user': { exact: 'insider' } } }];

/** A scaler as spec.autoscalerRef. */
export const scaler = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  name: 'podinfo',
};

/** A target of one kind, named podinfo. */
export function target(kind: string): object {
  return { apiVersion: kind === 'Service' ? 'v1' : 'apps/v1', kind, name: 'podinfo' };
}

/** A weighted Canary of a Deployment, with some fields of its spec laid over it. */
export function manifest(spec: object): KubeObject {
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name: 'podinfo', namespace: 'test', uid: 'u', generation: 3 },
    spec: {
      targetRef: target('Deployment'),
      service: { port: 80 },
      analysis: { interval: '1m', threshold: 5, stepWeight: 10, maxWeight: 50 },
      ...spec,
    },
  };
}

/** What is read of {@link manifest}. */
export function parse(spec: object): Parsed {
  return parseCanary(manifest(spec), defaults);
}

/** The Canary that is read; throws when there is none. */
export function canaryOf(spec: object): Canary {
  const parsed = parse(spec);
  if (!parsed.ok) throw new Error(parsed.problems.join('; '));
  return parsed.canary;
}

/** The problems that are found. */
export function problemsOf(spec: object): readonly string[] {
  const parsed = parse(spec);
  return parsed.ok ? [] : parsed.problems;
}
