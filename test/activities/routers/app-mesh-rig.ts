import { appMesh } from '../../../activities/routers/app-mesh.js';
import type { Canary } from '../../../domain/canary.js';
import type { KubeObject } from '../../../domain/objects.js';
import { aCanary, type CanaryParts } from '../a-canary.js';
import { at } from './laws.js';

const selectorLabels = ['app', 'name'];

/** The router of each provider. */
export const routers = {
  appmesh: appMesh({ version: 'v1beta1', selectorLabels }),
  'appmesh:v1beta2': appMesh({ version: 'v1beta2', selectorLabels }),
};

/** One of the providers that are App Mesh. */
export type Provider = keyof typeof routers;

/** A target whose selector label has another value than its name. */
export const target: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'podinfo', namespace: 'test' },
  spec: {
    selector: { matchLabels: { name: 'pod-info', tier: 'web' } },
    template: {
      spec: { containers: [{ name: 'web', ports: [{ name: 'main', containerPort: 9797 }] }] },
    },
  },
};

/** A manifest with all that App Mesh looks at. */
export const full: CanaryParts = {
  service: {
    name: 'cart',
    port: 80,
    targetPort: 9898,
    timeout: '30s',
    retries: { attempts: 3, perTryTimeout: '1s', retryOn: 'gateway-error, connection-error' },
    match: [{ uri: { prefix: '/api' } }],
    hosts: ['a.example.com', 'b.example.com'],
    backends: ['backend.test', 'arn:aws:appmesh:eu:1:mesh/m/virtualService/x'],
    apex: { labels: { team: 'shop' }, annotations: { note: 'apex' } },
  },
};

/** An object as it was rendered. */
export interface Live extends KubeObject {
  spec: Record<string, unknown>;
}

/** A Canary of one of the providers. */
export function canaryOf(
  provider: Provider,
  { spec, service, ...parts }: CanaryParts = {},
): Canary {
  return aCanary({
    ...parts,
    service: { meshName: 'global', ...service },
    spec: { provider, ...spec },
  });
}

/** The objects of a Canary beside what is there, at a weight of 30 if nothing is said. */
export function rendered(
  provider: Provider,
  parts: CanaryParts = {},
  { weight = 30, live = [target] }: { weight?: number; live?: readonly KubeObject[] } = {},
): Live[] {
  return routers[provider].render(canaryOf(provider, parts), at(weight), live) as Live[];
}

/** The object of a kind and name. */
export function named(objects: readonly Live[], kind: string, name: string): Live {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined)
    throw new Error(`${kind} ${name} is not among ${objects.map(titleOf).join(', ')}`);
  return found;
}

/** The kind and the name of an object. */
export function titleOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.name}`;
}
