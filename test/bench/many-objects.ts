import type { Deployment, KubeObject } from '../../domain/objects.js';

/** Where the canaries of the bench live. */
export const namespace = 'bench';

/** The name of the canary of this number, beginning with 1. */
export function nameOf(number: number): string {
  return `app-${number}`;
}

/** A target that no kubelet ever sees. */
export function deploymentOf(name: string): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          containers: [{ name: 'app', image: imageOf(1), ports: [{ containerPort: 8080 }] }],
        },
      },
    },
  };
}

/** The image of a version of every target. */
export function imageOf(version: number): string {
  return `sluice/bench-app:${version}`;
}

/** An interval of ten seconds, and the built-in success rate. */
export function canaryOf(name: string, weights: readonly number[]): KubeObject {
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name, namespace },
    spec: {
      provider: 'contour',
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      service: { port: 80, targetPort: 8080 },
      analysis: {
        interval: '10s',
        threshold: 5,
        stepWeights: weights,
        metrics: [{ name: 'request-success-rate', interval: '10s', thresholdRange: { min: 99 } }],
      },
    },
  };
}

/** The namespace, and the pod whose counters Prometheus scrapes for so many canaries. */
export function surroundingsFor(count: number): KubeObject[] {
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'envoy-metrics',
        namespace: 'default',
        annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8080' },
      },
      spec: {
        containers: [
          {
            name: 'metrics',
            image: 'sluice/bench-metrics:dev',
            env: [
              { name: 'COUNT', value: String(count) },
              { name: 'TARGET_NAMESPACE', value: namespace },
            ],
          },
        ],
      },
    },
  ];
}
