import type { HookType } from '../../domain/canary.js';
import type { KubeObject } from '../../domain/objects.js';
import type { HookReply } from '../activities/hook-server.js';

/** What an app is like; every part has a default that suits a short test. */
export interface AppOptions {
  /** `contour` by default; `kubernetes` has no routes. */
  readonly provider?: string;
  /** Kind of the target, `Deployment` by default. */
  readonly kind?: 'Deployment' | 'DaemonSet';
  /** Tag of the first image, `1` by default; see {@link imageOf}. */
  readonly tag?: string;
  /** Pods of a Deployment, 1 by default. */
  readonly replicas?: number;
  /** What is created in the namespace before the target, such as ConfigMaps and scalers. */
  readonly beside?: readonly KubeObject[];
  /** Webhooks of the analysis, in order; their URLs are made here. */
  readonly hooks?: readonly AppHook[];
  /** Merged over `spec`, `spec.service` and `spec.analysis` of the Canary. */
  readonly spec?: object;
  readonly service?: object;
  readonly analysis?: object;
  /** Merged over `metadata`, `spec`, the template's `metadata` and its `spec` of the target. */
  readonly target?: {
    readonly metadata?: object;
    readonly spec?: object;
    readonly podMetadata?: object;
    readonly podSpec?: object;
  };
}

/** A webhook as the manifest has it, without its URL, and what it answers. */
export interface AppHook {
  readonly name: string;
  readonly type?: HookType;
  /** One after the other, the last for good; 200 by default. */
  readonly answers?: readonly HookReply[];
  readonly timeout?: string;
  readonly retries?: number;
  readonly disableTLS?: boolean;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The image of a tag. With a tag that ends in `-broken` pods start, but never become ready. */
export function imageOf(tag: string): string {
  return tag.endsWith('-broken') ? `conformance/missing:${tag}` : `conformance/app:${tag}`;
}

/** The target of a Canary. */
export function targetOf(
  namespace: string,
  name: string,
  { kind = 'Deployment', tag = '1', replicas = 1, target = {} }: AppOptions,
): KubeObject {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace, labels, ...target.metadata },
    spec: {
      selector: { matchLabels: labels },
      ...(kind === 'Deployment' ? { replicas, ...surging } : {}),
      template: {
        metadata: { labels, ...target.podMetadata },
        spec: {
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 1,
          containers: [{ name: 'app', image: imageOf(tag) }],
          ...target.podSpec,
        },
      },
      ...target.spec,
    },
  };
}

const surging = { strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } };

/** The Canary of an app: one step to half of the traffic, a check every second, two may fail. */
export function canaryOf(
  namespace: string,
  name: string,
  options: AppOptions & { readonly urlOf: (hook: string) => string },
): KubeObject {
  const { kind = 'Deployment', provider = 'contour', hooks = [] } = options;
  const { urlOf, spec, service, analysis } = options;
  const gateway = { hosts: [`${name}.example.com`], gatewayRefs: [{ name: gatewayName }] };
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name, namespace },
    spec: {
      provider,
      targetRef: { apiVersion: 'apps/v1', kind, name },
      progressDeadlineSeconds: 60,
      service: {
        port: 80,
        targetPort: 8080,
        ...(provider.startsWith('gatewayapi') ? gateway : {}),
        ...service,
      },
      analysis: {
        interval: '1s',
        threshold: 2,
        ...(hasSteps(analysis) ? {} : { stepWeight: 50, maxWeight: 50 }),
        webhooks: hooks.map(({ answers: _answers, ...hook }) => ({
          ...hook,
          url: urlOf(hook.name),
        })),
        ...analysis,
      },
      ...spec,
    },
  };
}

/** The schema allows only one of them. */
function hasSteps(analysis: object = {}): boolean {
  return ['iterations', 'stepWeight', 'stepWeights'].some((field) => field in analysis);
}

const gatewayName = 'edge';

/** The Gateway the HTTPRoutes of all apps need to exist; nobody serves it. */
export function gatewayOf(namespace: string): KubeObject {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: gatewayName, namespace },
    spec: {
      gatewayClassName: 'nobody',
      listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }],
    },
  };
}
