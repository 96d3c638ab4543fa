import { apisix } from '../../../activities/routers/apisix.js';
import type { KubeObject } from '../../../domain/objects.js';
import { toCanary } from '../../../domain/routes.js';
import { aCanary } from '../a-canary.js';
import { at, testRouter } from './laws.js';

const router = apisix();
const canary = aCanary({
  spec: { provider: 'apisix', routeRef: { name: 'shop' } },
  service: { name: 'cart' },
});

const backend = (serviceName: string, weight?: number): object => ({
  serviceName,
  servicePort: 80,
  resolveGranularity: 'service',
  ...(weight === undefined ? {} : { weight }),
});
const ruleTo = (name: string, ...backends: object[]): object => ({
  name,
  match: { hosts: ['shop.example.com'], paths: [`/${name}*`] },
  timeout: { read: '3s' },
  backends,
});
const route = (name: string, http: object[], more: object = {}): KubeObject => ({
  apiVersion: 'apisix.apache.org/v2',
  kind: 'ApisixRoute',
  metadata: {
    name,
    namespace: 'test',
    labels: { app: 'shop' },
    annotations: {
      note: 'theirs',
      'kubectl.kubernetes.io/last-applied-configuration': '{"spec":{"old":true}}',
    },
  },
  spec: { ingressClassName: 'apisix', http, ...more },
});
const source = route(
  'shop',
  [
    ruleTo('cart', backend('cart')),
    ruleTo('help', backend('help')),
    { ...ruleTo('basket', backend('cart')), priority: 20_000 },
  ],
  { stream: [{ name: 'tcp', protocol: 'TCP' }] },
);
const { annotations: _, ...named } = route('shop-cart-canary', []).metadata;
const foreign = { ...route('shop-cart-canary', [ruleTo('old', backend('old'))]), metadata: named };
const render = (weight: number, ...live: KubeObject[]): KubeObject =>
  router.render(canary, at(weight), live)[0]!;
const rulesIn = ({ spec }: KubeObject) => (spec as { http: Record<string, unknown>[] }).http;

describe('beside the route of the user', () =>
  testRouter({
    router,
    canary,
    seed: [source],
    foreign,
    disturb: (object) =>
      object.metadata.name === 'shop'
        ? object
        : {
            ...object,
            spec: {
              ...(object.spec as object),
              http: rulesIn(object).map((rule) => ({ ...rule, priority: 1 })),
            },
          },
  }));

it('writes a copy of the rules for the service, above those of the user', () => {
  const both = [backend('cart-primary', 70), backend('cart-canary', 30)];

  expect(render(30, source)).toEqual({
    apiVersion: 'apisix.apache.org/v2',
    kind: 'ApisixRoute',
    metadata: {
      name: 'shop-cart-canary',
      namespace: 'test',
      labels: { app: 'shop' },
      annotations: {
        note: 'theirs',
        'kustomize.toolkit.fluxcd.io/reconcile': 'disabled',
        'helm.toolkit.fluxcd.io/driftDetection': 'disabled',
      },
      ownerReferences: [
        {
          apiVersion: 'flagger.app/v1beta1',
          kind: 'Canary',
          name: 'podinfo',
          uid: 'a-uid',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      ingressClassName: 'apisix',
      http: [
        { ...ruleTo('cart', ...both), priority: 10_000 },
        { ...ruleTo('basket', ...both), priority: 20_001 },
      ],
    },
  });
});

it('writes a weight of zero', () => {
  expect(rulesIn(render(0, source))[0]).toMatchObject({
    backends: [{ weight: 100 }, { weight: 0 }],
  });
  expect(rulesIn(render(100, source))[0]).toMatchObject({
    backends: [{ weight: 0 }, { weight: 100 }],
  });
});

it('follows the route of the user', () => {
  const copy = render(30, source);
  const changed = route('shop', [{ ...ruleTo('new', backend('cart')), websocket: true }]);

  expect(rulesIn(render(30, changed, copy))).toEqual([
    {
      ...ruleTo('new', backend('cart-primary', 70), backend('cart-canary', 30)),
      websocket: true,
      priority: 10_000,
    },
  ]);
});

it.each<[string, object[], number | undefined]>([
  ['one rule', [ruleTo('a', backend('cart-primary', 70), backend('cart-canary', 30))], 30],
  [
    'rules that disagree',
    [
      ruleTo('a', backend('cart-primary', 70), backend('cart-canary', 30)),
      ruleTo('b', backend('cart-primary', 100), backend('cart-canary', 0)),
    ],
    undefined,
  ],
  ['absent weights', [ruleTo('a', backend('cart-primary'), backend('cart-canary'))], undefined],
  [
    'a primary without its weight',
    [ruleTo('a', backend('cart-primary'), backend('cart-canary', 0))],
    0,
  ],
  ['one service alone', [ruleTo('a', backend('cart-primary', 100))], undefined],
  ['no rules', [], undefined],
])('reads %s', (_, http, weight) => {
  expect(router.parse(canary, [route('shop-cart-canary', http)])).toEqual(
    weight === undefined ? undefined : toCanary(weight),
  );
});

describe('refuses', () => {
  it.each<[string, KubeObject[], string]>([
    ['a missing route', [], 'spec.routeRef: ApisixRoute shop.test not found'],
    [
      'a route without the service',
      [route('shop', [ruleTo('help', backend('help'))])],
      'spec.routeRef: ApisixRoute shop.test has no rule with backend cart',
    ],
    [
      'a rule with another backend',
      [route('shop', [ruleTo('cart', backend('cart', 90), backend('cart-old', 10))])],
      'spec.routeRef: rule cart of ApisixRoute shop.test has other backends beside cart, and can have no others',
    ],
    [
      'a rule with a backend outside of the cluster',
      [route('shop', [{ ...ruleTo('cart', backend('cart')), upstreams: [{ name: 'far' }] }])],
      'spec.routeRef: rule cart of ApisixRoute shop.test has other backends',
    ],
    [
      'the copy of another canary',
      [source, router.render({ ...canary, name: 'other' }, at(0), [source])[0]!],
      'spec.routeRef: ApisixRoute shop-cart-canary.test belongs to canary other',
    ],
  ])('%s', (_, live, message) => {
    expect(() => render(0, ...live)).toThrow(message);
  });

  it('a manifest that names no route', () => {
    expect(() => aCanary({ spec: { provider: 'apisix' } })).toThrow(
      'spec.routeRef: is required by provider apisix',
    );
  });
});

describe('acceptance', () => {
  const reported = (condition: object): KubeObject[] => {
    const copy = render(30, source);
    const verdict = { type: 'Accepted', status: 'True', observedGeneration: 2, ...condition };
    return [
      source,
      {
        ...copy,
        metadata: { ...copy.metadata, generation: 2 },
        status: { conditions: [{ type: 'Other', status: 'False' }, verdict] },
      },
    ];
  };

  it.each<[string, KubeObject[], object]>([
    ['unreported without a copy', [source], { kind: 'unreported' }],
    ['given', reported({}), { kind: 'accepted' }],
    ['given by an older version', reported({ type: 'ResourcesAvailable' }), { kind: 'accepted' }],
    ['pending for an older generation', reported({ observedGeneration: 1 }), { kind: 'pending' }],
    [
      'refused',
      reported({ status: 'False', reason: 'Invalid', message: 'no such port' }),
      { kind: 'refused', reason: 'no such port' },
    ],
  ])('is %s', (_, live, expected) => {
    expect(router.acceptance(canary, live)).toEqual(expected);
  });
});
