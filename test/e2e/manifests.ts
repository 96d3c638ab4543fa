import type { KubeObject } from '../../domain/objects.js';

/** What an app is like; every part has a default that suits a short test. */
export interface AppOptions {
  /** `contour` by default. */
  readonly provider?: 'contour' | 'gatewayapi:v1';
  /** Image tag; see sandbox/images.json for what `-errors`, `-slow` ... do. 1.0.0 by default. */
  readonly tag?: string;
  /** Environment of the app's container (sandbox/apps/demo-app.js says what there is). */
  readonly env?: Readonly<Record<string, string>>;
  /** 1 by default. */
  readonly replicas?: number;
  /** Merged over `spec` and `spec.analysis` of the Canary. */
  readonly spec?: object;
  readonly analysis?: object;
}

/** The app's Deployment `web`. */
export function deploymentOf(
  namespace: string,
  { tag = '1.0.0', env = {}, replicas = 1 }: AppOptions,
): KubeObject {
  const labels = { app: 'web' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace, labels },
    spec: {
      replicas,
      strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      selector: { matchLabels: labels },
      template: {
        metadata: {
          labels,
          annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8080' },
        },
        spec: {
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 10,
          containers: [
            {
              name: 'web',
              image: `sluice/demo:${tag}`,
              env: Object.entries(env).map(([name, value]) => ({ name, value })),
              ports: [{ name: 'http', containerPort: 8080 }],
              readinessProbe: { httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 1 },
            },
          ],
        },
      },
    },
  };
}

/** The virtual host that includes the HTTPProxy `web` of the Canary. */
export function rootOf(namespace: string, host: string): KubeObject {
  return {
    apiVersion: 'projectcontour.io/v1',
    kind: 'HTTPProxy',
    metadata: { name: 'web-root', namespace },
    spec: { virtualhost: { fqdn: host }, includes: [{ name: 'web', namespace }] },
  };
}

/** A Canary `web` that steps by 10 to 50 every 2 s, without metrics. */
export function canaryOf(
  namespace: string,
  host: string,
  { provider = 'contour', spec = {}, analysis = {} }: AppOptions,
): KubeObject {
  const gateway = {
    hosts: [host],
    gatewayRefs: [{ name: 'contour', namespace: 'projectcontour' }],
  };
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name: 'web', namespace },
    spec: {
      provider,
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      progressDeadlineSeconds: 60,
      service: { port: 80, targetPort: 8080, ...(provider === 'contour' ? {} : gateway) },
      analysis: { interval: '2s', threshold: 2, maxWeight: 50, stepWeight: 10, ...analysis },
      ...spec,
    },
  };
}
