import { kuma } from '../../../activities/routers/kuma.js';
import type { Canary } from '../../../domain/canary.js';
import type { KubeObject } from '../../../domain/objects.js';
import { toCanary } from '../../../domain/routes.js';
import { aCanary, type CanaryParts } from '../a-canary.js';
import { at, testRouter } from './laws.js';

const router = kuma();
const kumaCanary = ({ spec, ...parts }: CanaryParts = {}) =>
  aCanary({ ...parts, spec: { provider: 'kuma', ...spec } });
const full = kumaCanary({
  service: {
    name: 'cart',
    port: 9898,
    apex: { labels: { team: 'shop' }, annotations: { note: 'apex' } },
  },
});

interface TrafficRoute extends KubeObject {
  readonly mesh?: string;
  readonly spec: { readonly conf: { readonly split: readonly object[] } };
}

const rendered = (canary = full, weight = 30, live: readonly KubeObject[] = []): TrafficRoute =>
  router.render(canary, at(weight), live)[0] as TrafficRoute;
const withConf = (object: KubeObject, conf: object): KubeObject => ({
  ...object,
  spec: {
    ...(object as TrafficRoute).spec,
    conf: { ...(object as TrafficRoute).spec.conf, ...conf },
  },
});
const service = (name: string) => ({ 'kuma.io/service': name });

const disturb = (object: KubeObject): KubeObject => {
  const changed = withConf(object, { http: [{ match: {}, destination: service('x') }] });
  return { ...changed, spec: { ...(changed.spec as object), sources: [], destinations: [] } };
};
const foreign = (name: string): KubeObject => ({
  apiVersion: 'kuma.io/v1alpha1',
  kind: 'TrafficRoute',
  metadata: { name, labels: { team: 'other' } },
  spec: {
    sources: [{ match: service('web_test_svc_80') }],
    destinations: [{ match: service('*') }],
    conf: { destination: service('*'), loadBalancer: { roundRobin: {} } },
  },
});
const shared = { router, disturb, isClusterWide: true };

describe('plain', () =>
  testRouter({ ...shared, canary: kumaCanary(), foreign: foreign('podinfo') }));
describe('with everything', () =>
  testRouter({ ...shared, canary: full, foreign: foreign('cart') }));

it('writes the route', () => {
  expect(rendered()).toEqual({
    apiVersion: 'kuma.io/v1alpha1',
    kind: 'TrafficRoute',
    mesh: 'default',
    metadata: {
      name: 'cart',
      labels: { team: 'shop' },
      annotations: {
        note: 'apex',
        'kustomize.toolkit.fluxcd.io/reconcile': 'disabled',
        'helm.toolkit.fluxcd.io/driftDetection': 'disabled',
        'sluice.dev/canary': 'podinfo.test',
      },
    },
    spec: {
      sources: [{ match: service('*') }],
      destinations: [{ match: service('cart_test_svc_9898') }],
      conf: {
        split: [
          { weight: 70, destination: service('cart-primary_test_svc_9898') },
          { weight: 30, destination: service('cart-canary_test_svc_9898') },
        ],
      },
    },
  });
});

it('is of the mesh the Canary names, and of another one that it is of already', () => {
  const canary: Canary = { ...full, mesh: 'payments' };

  expect(rendered(canary).mesh).toBe('payments');
  expect(rendered(canary, 30, [rendered()]).mesh).toBe('default');
});

it('keeps how others balance the load, and takes what would lead past the split', () => {
  const loadBalancer = { leastRequest: { choiceCount: 4 } };
  const live = withConf(rendered(), { loadBalancer, http: [{}], destination: service('x') });

  expect(rendered(full, 30, [live]).spec.conf).toEqual({
    ...rendered().spec.conf,
    loadBalancer,
  });
});

it.each<[string, readonly object[]]>([
  ['is nothing', []],
  ['leaves out the canary', [{ weight: 100, destination: service('cart-primary_test_svc_9898') }]],
  [
    'is of another namespace',
    [
      { weight: 70, destination: service('cart-primary_other_svc_9898') },
      { weight: 30, destination: service('cart-canary_other_svc_9898') },
    ],
  ],
  [
    'does not add up',
    [
      { weight: 70, destination: service('cart-primary_test_svc_9898') },
      { weight: 70, destination: service('cart-canary_test_svc_9898') },
    ],
  ],
])('reads no routes from a split that %s', (_, split) => {
  expect(router.parse(full, [withConf(rendered(), { split })])).toBeUndefined();
});

it('reads the weights on whatever port they are', () => {
  const moved = kumaCanary({ service: { name: 'cart', port: 80 } });

  expect(router.parse(moved, [rendered()])).toEqual(toCanary(30));
});

describe('a route of the same name', () => {
  const elsewhere: Canary = { ...full, namespace: 'other' };

  it('is not taken from the service of another namespace', () => {
    expect(() => rendered(full, 0, [rendered(elsewhere)])).toThrow(
      'spec.service.name: TrafficRoute cart, which has no namespace, is for cart in other',
    );
  });

  it('is deleted with the Canary it was made for', () => {
    expect(router.leftovers?.(full, [rendered()])).toEqual([
      { apiVersion: 'kuma.io/v1alpha1', kind: 'TrafficRoute', namespace: '', name: 'cart' },
    ]);
  });

  it.each<[string, readonly KubeObject[]]>([
    ['there is none', []],
    ['it was made for another one', [rendered(elsewhere)]],
    ['it was there before', [rendered(full, 0, [foreign('cart')])]],
  ])('is left alone where %s', (_, live) => {
    expect(router.leftovers?.(full, live)).toEqual([]);
  });
});

it('awaits no report, and needs nothing', () => {
  expect(router.acceptance(full, [rendered()])).toEqual({ kind: 'unreported' });
  expect(router.needs(full)).toEqual([]);
});
