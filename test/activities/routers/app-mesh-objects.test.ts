import type { KubeObject } from '../../../domain/objects.js';
import { toCanary } from '../../../domain/routes.js';
import {
  canaryOf,
  full,
  named,
  rendered,
  routers,
  target,
  titleOf,
  type Live,
} from './app-mesh-rig.js';

const flux = {
  'kustomize.toolkit.fluxcd.io/reconcile': 'disabled',
  'helm.toolkit.fluxcd.io/driftDetection': 'disabled',
};
const apexMeta = { labels: { team: 'shop' }, annotations: { note: 'apex', ...flux } };
const gateway = {
  'gateway.appmesh.k8s.aws/expose': 'true',
  'gateway.appmesh.k8s.aws/domain': 'a.example.com,b.example.com',
  'gateway.appmesh.k8s.aws/timeout': '30s',
  'gateway.appmesh.k8s.aws/retries': '3',
};
/** The objects by their titles, without the metadata all have. */
const contents = (objects: readonly Live[]): unknown =>
  Object.fromEntries<object>(
    objects.map((object) => {
      const { labels, annotations } = object.metadata;
      const content = { ...(labels && { labels }), annotations, spec: object.spec };
      return [titleOf(object), content];
    }),
  );

it('writes the objects of the first API', () => {
  const node = (hostName: string) => ({
    ...apexMeta,
    spec: {
      meshName: 'global',
      listeners: [{ portMapping: { port: 80, protocol: 'http' } }],
      serviceDiscovery: { dns: { hostName } },
      backends: [
        { virtualService: { virtualServiceName: 'backend.test' } },
        {
          virtualService: {
            virtualServiceName: 'arn:aws:appmesh:eu:1:mesh/m/virtualService/x',
          },
        },
      ],
    },
  });
  const service = (name: string, canary: number) => ({
    meshName: 'global',
    virtualRouter: { name, listeners: [{ portMapping: { port: 80, protocol: 'http' } }] },
    routes: [
      {
        name,
        http: {
          match: { prefix: '/api' },
          action: {
            weightedTargets: [
              { virtualNodeName: 'cart-canary', weight: canary },
              { virtualNodeName: 'cart-primary', weight: 100 - canary },
            ],
          },
          retryPolicy: {
            perRetryTimeoutMillis: 1000,
            maxRetries: 3,
            httpRetryEvents: ['gateway-error'],
            tcpRetryEvents: ['connection-error'],
          },
        },
      },
    ],
  });
  const objects = rendered('appmesh', full);

  expect(objects.map(({ apiVersion }) => apiVersion)).toEqual(
    objects.map(() => 'appmesh.k8s.aws/v1beta1'),
  );
  expect(contents(objects)).toEqual({
    'VirtualNode cart': node('cart-primary.test'),
    'VirtualNode cart-primary': node('cart-primary.test'),
    'VirtualNode cart-canary': node('cart-canary.test'),
    'VirtualService cart.test': {
      annotations: { ...gateway, ...flux },
      spec: service('cart', 30),
    },
    'VirtualService cart-canary.test': { annotations: flux, spec: service('cart-canary', 100) },
  });
});

it('writes the objects of the second API', () => {
  const timeout = { perRequest: { unit: 'ms', value: 30_000 } };
  const node = (name: string, value: string) => ({
    ...apexMeta,
    spec: {
      podSelector: { matchLabels: { name: value } },
      listeners: [{ portMapping: { port: 9898, protocol: 'http' }, timeout: { http: timeout } }],
      serviceDiscovery: { dns: { hostname: `${name}.test.svc.cluster.local.` } },
      backends: [
        { virtualService: { virtualServiceRef: { name: 'backend.test' } } },
        {
          virtualService: { virtualServiceARN: 'arn:aws:appmesh:eu:1:mesh/m/virtualService/x' },
        },
      ],
    },
  });
  const router = (name: string, canary: number) => ({
    annotations: flux,
    spec: {
      listeners: [{ portMapping: { port: 9898, protocol: 'http' } }],
      routes: [
        {
          name,
          httpRoute: {
            match: { prefix: '/api' },
            action: {
              weightedTargets: [
                { virtualNodeRef: { name: 'cart-canary' }, weight: canary },
                { virtualNodeRef: { name: 'cart-primary' }, weight: 100 - canary },
              ],
            },
            retryPolicy: {
              perRetryTimeout: { unit: 'ms', value: 1000 },
              maxRetries: 3,
              httpRetryEvents: ['gateway-error'],
              tcpRetryEvents: ['connection-error'],
            },
            timeout,
          },
        },
      ],
    },
  });
  const service = (name: string, annotations: object) => ({
    annotations: { ...annotations, ...flux },
    spec: { provider: { virtualRouter: { virtualRouterRef: { name } } } },
  });

  expect(contents(rendered('appmesh:v1beta2', full))).toEqual({
    'VirtualNode cart-primary': node('cart-primary', 'pod-info-primary'),
    'VirtualNode cart-canary': node('cart-canary', 'pod-info'),
    'VirtualRouter cart': router('cart', 30),
    'VirtualRouter cart-canary': router('cart-canary', 100),
    'VirtualService cart': service('cart', gateway),
    'VirtualService cart-canary': service('cart-canary', {}),
  });
});

it('refuses the first API without a mesh, but the second one finds it out', () => {
  const service = { meshName: '' };

  expect(() => rendered('appmesh', { service })).toThrow(
    'spec.service.meshName: is required by appmesh',
  );
  expect(rendered('appmesh:v1beta2', { service })).toHaveLength(6);
});

it('reads, and gives back, without a mesh all the same', () => {
  const canary = canaryOf('appmesh', { service: { meshName: '' } });
  const live = rendered('appmesh');

  expect(routers.appmesh.parse(canary, live)).toEqual(toCanary(30));
  expect(routers.appmesh.finalize(canary, live)).toEqual([]);
});

it.each([
  [9898, 9898],
  ['9898', 9898],
  ['main', 9797],
  ['unknown', 80],
  [0, 80],
])('listens for target port %j on port %i', (targetPort, port) => {
  const objects = rendered('appmesh:v1beta2', { service: { targetPort } });
  const listeners = [{ portMapping: { port, protocol: 'http' } }];

  expect(named(objects, 'VirtualNode', 'podinfo-canary').spec['listeners']).toEqual(listeners);
  expect(named(objects, 'VirtualRouter', 'podinfo').spec['listeners']).toEqual(listeners);
});

it('leaves the choice of pods to others where it does not know them', () => {
  const podSelector = { matchLabels: { theirs: 'yes' } };
  const live = rendered('appmesh:v1beta2').map((object) =>
    object.kind === 'VirtualNode' ? { ...object, spec: { ...object.spec, podSelector } } : object,
  );
  const of = (live: readonly KubeObject[]) =>
    named(rendered('appmesh:v1beta2', {}, { live }), 'VirtualNode', 'podinfo-canary').spec;

  expect(of([])).not.toHaveProperty('podSelector');
  expect(of(live)).toMatchObject({ podSelector });
  expect(of([target, ...live])).toMatchObject({
    podSelector: { matchLabels: { name: 'pod-info' } },
  });
});

it('refuses a timeout that is none', () => {
  expect(() => rendered('appmesh:v1beta2', { service: { timeout: 'soon' } })).toThrow(
    'spec.service.timeout: "soon" is not a duration above 0, such as 15s or 500ms',
  );
});

describe('acceptance', () => {
  const router = routers['appmesh:v1beta2'];
  const canary = canaryOf('appmesh:v1beta2');
  const reported = (status: object, kind = 'VirtualRouter') =>
    rendered('appmesh:v1beta2').map((object) => ({
      ...object,
      metadata: { ...object.metadata, generation: 3 },
      ...(object.kind === kind ? { status } : {}),
    }));
  const active = (status: string, fields: object = {}) => ({
    observedGeneration: 3,
    conditions: [{ type: 'VirtualRouterActive', status, ...fields }],
  });

  it.each<[string, readonly KubeObject[], object]>([
    ['unreported without objects', [], { kind: 'unreported' }],
    ['unreported without a status', reported({}, 'none'), { kind: 'unreported' }],
    [
      'unreported by a controller that does not say of what it speaks',
      reported({ conditions: active('True').conditions }),
      { kind: 'unreported' },
    ],
    ['given when all that report are active', reported(active('True')), { kind: 'accepted' }],
    [
      'pending for an older generation',
      reported({ ...active('True'), observedGeneration: 2 }),
      { kind: 'pending' },
    ],
    ['pending while nobody knows', reported(active('Unknown')), { kind: 'pending' }],
    [
      'refused with the message',
      reported(active('False', { message: 'no such node' })),
      { kind: 'refused', reason: 'VirtualRouter: no such node' },
    ],
  ])('is %s', (_, live, expected) => {
    expect(router.acceptance(canary, live)).toEqual(expected);
  });
});
