import type { KubeObject } from '../../domain/objects.js';

/** The providers whose gateways, or none, the sandbox has. */
export type AppProvider =
  | 'contour'
  | 'gatewayapi:v1'
  | 'gatewayapi:v1beta1'
  | 'istio'
  | 'kubernetes'
  | 'skipper'
  | 'traefik';

/** What an app is like; every part has a default that suits a short test. */
export interface AppOptions {
  /** `contour` by default. */
  readonly provider?: AppProvider;
  /** Image tag; see sandbox/images.json for what `-errors`, `-slow` ... do. 1.0.0 by default. */
  readonly tag?: string;
  /** Environment of the app's container (sandbox/apps/demo-app.js says what there is). */
  readonly env?: Readonly<Record<string, string>>;
  /** 1 by default. */
  readonly replicas?: number;
  /** A Deployment by default. */
  readonly kind?: 'Deployment' | 'DaemonSet';
  /** The name of a ConfigMap whose entries are in the environment of the app's container too. */
  readonly settings?: string;
  /** Objects that are there before the app is, without their namespace. */
  readonly objects?: readonly KubeObject[];
  /** Labels of the app's pods, and of their selector, beside `app`. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Merged over `spec` and `spec.analysis` of the Canary. */
  readonly spec?: object;
  readonly analysis?: object;
}

/** The app's Deployment, or DaemonSet, `web`. */
export function deploymentOf(namespace: string, options: AppOptions): KubeObject {
  const { tag = '1.0.0', env = {}, replicas = 1, labels: more = {}, settings } = options;
  const { kind = 'Deployment' } = options;
  const labels = { app: 'web', ...more };
  const rollingUpdate = { maxUnavailable: 0, maxSurge: 1 };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: 'web', namespace, labels },
    spec: {
      ...(kind === 'Deployment'
        ? { replicas, strategy: { rollingUpdate } }
        : { updateStrategy: { rollingUpdate } }),
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
              ...(settings && { envFrom: [{ configMapRef: { name: settings } }] }),
              ports: [{ name: 'http', containerPort: 8080 }],
              readinessProbe: { httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 1 },
            },
          ],
        },
      },
    },
  };
}

/** A Canary `web` that steps by 10 to 50 every 2 s, without metrics. */
export function canaryOf(
  namespace: string,
  host: string,
  { provider = 'contour', kind = 'Deployment', spec = {}, analysis = {} }: AppOptions,
): KubeObject {
  const ingressRef = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'web' };
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name: 'web', namespace },
    spec: {
      provider,
      targetRef: { apiVersion: 'apps/v1', kind, name: 'web' },
      progressDeadlineSeconds: 60,
      ...(provider === 'skipper' ? { ingressRef } : {}),
      service: { port: 80, targetPort: 8080, ...reachedBy(provider, host) },
      analysis: { interval: '2s', threshold: 2, maxWeight: 50, stepWeight: 10, ...analysis },
      ...spec,
    },
  };
}

/** What the Canary says of the gateway, where its own object is the route of a host. */
function reachedBy(provider: AppProvider, host: string): object {
  if (provider === 'istio') return { hosts: [host], gateways: ['istio-system/ingressgateway'] };
  if (!isGateway(provider)) return {};
  return { hosts: [host], gatewayRefs: [{ name: 'contour', namespace: 'projectcontour' }] };
}

/** Whether a provider's routes hang on a Gateway. */
export function isGateway(provider: AppProvider): boolean {
  return provider.startsWith('gatewayapi:');
}
