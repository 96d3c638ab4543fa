import type { Settings } from '../../activities/deps.js';
import type { Canary } from '../../domain/canary.js';
import { parseCanary } from '../../domain/manifest.js';
import type { KubeObject } from '../../domain/objects.js';

/** Parts of a manifest laid over the usual one. */
export interface CanaryParts {
  readonly spec?: object;
  readonly service?: object;
  readonly analysis?: object;
}

/** A Canary manifest: `podinfo` in `test` on port 80, weights 10 to 50. */
export function aManifest({ spec, service, analysis }: CanaryParts = {}): KubeObject {
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name: 'podinfo', namespace: 'test', uid: 'a-uid', generation: 1 },
    spec: {
      provider: 'contour',
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'podinfo' },
      service: { port: 80, ...service },
      analysis: { interval: '10s', threshold: 3, stepWeight: 10, maxWeight: 50, ...analysis },
      ...spec,
    },
  };
}

/** The Canary of {@link aManifest}; throws if the parts make it invalid. */
export function aCanary(parts: CanaryParts = {}): Canary {
  const parsed = parseCanary(aManifest(parts), { provider: 'contour', minIntervalMs: 1_000 });
  if (!parsed.ok) throw new Error(parsed.problems.join('; '));
  return parsed.canary;
}

/** The worker's configuration in tests. */
export const someSettings: Settings = {
  defaults: { provider: 'contour', minIntervalMs: 1_000 },
  metricsServer: 'http://prometheus.monitoring:9090',
  selectorLabels: ['app', 'name', 'app.kubernetes.io/name'],
  includeLabelPrefixes: [],
  configTracking: true,
  ingressClass: '',
  ingressAnnotationsPrefix: 'nginx.ingress.kubernetes.io',
  eventWebhook: '',
  settleMs: 0,
};
