import { contour } from '../../../activities/routers/contour.js';
import type { KubeObject } from '../../../domain/objects.js';
import { toCanary } from '../../../domain/routes.js';
import { aCanary } from '../a-canary.js';
import { at, testRouter } from './laws.js';

const router = contour({ ingressClass: '' });
const full = aCanary({
  service: {
    name: 'cart',
    port: 9898,
    timeout: '15s',
    retries: { attempts: 3, perTryTimeout: '5s', retryOn: '5xx, connect-failure' },
    match: [{ uri: { prefix: '/api' } }],
    apex: { labels: { team: 'shop' }, annotations: { note: 'apex' } },
  },
});

interface Proxy extends KubeObject {
  spec: { routes: Record<string, unknown>[]; [field: string]: unknown };
}

const rendered = (canary = full, weight = 30, live: KubeObject[] = []): Proxy =>
  router.render(canary, at(weight), live)[0] as Proxy;
const withRoutes = (object: KubeObject, change: (route: Record<string, unknown>) => object) => ({
  ...object,
  spec: {
    ...(object.spec as Proxy['spec']),
    routes: (object.spec as Proxy['spec']).routes.map(change),
  },
});
const disturb = (object: KubeObject) =>
  withRoutes(object, (route) => ({ ...route, conditions: [{ prefix: '/other' }] }));

const foreign = (name: string): KubeObject => ({
  apiVersion: 'projectcontour.io/v1',
  kind: 'HTTPProxy',
  metadata: { name, namespace: 'test', labels: { team: 'other' }, annotations: { note: 'theirs' } },
  spec: { virtualhost: { fqdn: 'a.b' }, routes: [{ services: [{ name: 'web', port: 80 }] }] },
});
const shared = { router, canary: full, foreign: foreign('cart'), disturb };
const ofSome = aCanary({
  analysis: { iterations: 3, match: [{ headers: { 'x-canary': { exact: 'yes' } } }] },
});

describe('plain', () => testRouter({ ...shared, canary: aCanary(), foreign: foreign('podinfo') }));
describe('with everything', () => testRouter(shared));
describe('with a class', () =>
  testRouter({ ...shared, router: contour({ ingressClass: 'inner' }) }));
describe('for some requests only', () =>
  testRouter({ ...shared, canary: ofSome, foreign: foreign('podinfo') }));

it('leaves out a zero that Flagger left out, until there was another weight', () => {
  const withoutZeros = withRoutes(rendered(full, 0), (route) => ({
    ...route,
    services: (route['services'] as { weight?: number }[]).map(({ weight, ...service }) =>
      weight === 0 ? service : { ...service, weight },
    ),
  }));

  expect(withoutZeros).not.toEqual(rendered(full, 0));
  expect(rendered(full, 0, [withoutZeros])).toEqual(withoutZeros);
  expect(router.parse(full, [withoutZeros])).toEqual(toCanary(0));
  expect(rendered(full, 30, [withoutZeros])).toEqual(rendered(full, 30));
  expect(rendered(full, 0, [rendered(full, 30, [withoutZeros])])).toEqual(rendered(full, 0));
});

it('writes the proxy', () => {
  const service = (name: string, weight: number) => ({
    name,
    port: 9898,
    weight,
    requestHeadersPolicy: {
      set: [{ name: 'l5d-dst-override', value: `${name}.test.svc.cluster.local:9898` }],
    },
  });

  expect(rendered()).toEqual({
    apiVersion: 'projectcontour.io/v1',
    kind: 'HTTPProxy',
    metadata: {
      name: 'cart',
      namespace: 'test',
      labels: { team: 'shop' },
      annotations: {
        note: 'apex',
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
      routes: [
        {
          conditions: [{ prefix: '/api' }],
          timeoutPolicy: { response: '15s', idle: '5m' },
          retryPolicy: { count: 3, perTryTimeout: '5s', retryOn: ['5xx', 'connect-failure'] },
          services: [service('cart-primary', 70), service('cart-canary', 30)],
        },
      ],
    },
  });
});

it('writes a weight of zero', () => {
  expect(rendered(full, 0).spec.routes[0]).toMatchObject({
    services: [{ weight: 100 }, { weight: 0 }],
  });
  expect(rendered(full, 100).spec.routes[0]).toMatchObject({
    services: [{ weight: 0 }, { weight: 100 }],
  });
});

it('writes no empty condition of retries, and the count the API server would fill in', () => {
  const { routes } = rendered(aCanary({ service: { retries: { perTryTimeout: '1s' } } })).spec;

  expect(routes[0]?.['retryPolicy']).toEqual({ count: 1, perTryTimeout: '1s' });
});

it('writes the class if there is one', () => {
  const [proxy] = contour({ ingressClass: 'inner' }).render(full, at(0), []);

  expect(proxy?.spec).toMatchObject({ ingressClassName: 'inner' });
});

it('drops timeouts and retries the manifest no longer has', () => {
  const live = rendered();
  const canary = aCanary({
    service: { name: 'cart', port: 9898, match: [{ uri: { prefix: '/api' } }] },
  });

  expect(Object.keys(rendered(canary, 30, [live]).spec.routes[0] ?? {})).toEqual([
    'conditions',
    'services',
  ]);
});

it('keeps what others set on its route and its services', () => {
  const live = withRoutes(rendered(), (route) => ({
    ...route,
    enableWebsockets: true,
    services: (route['services'] as object[]).map((service) => ({ ...service, protocol: 'h2c' })),
  }));

  const [route] = rendered(full, 60, [live]).spec.routes;

  expect(route).toMatchObject({
    enableWebsockets: true,
    services: [
      { weight: 40, protocol: 'h2c' },
      { weight: 60, protocol: 'h2c' },
    ],
  });
});

it('keeps the virtual host and the includes of a proxy it adopts', () => {
  const live = { ...rendered(), spec: { virtualhost: { fqdn: 'a.b' }, includes: [{ name: 'x' }] } };

  expect(rendered(full, 0, [live]).spec).toMatchObject(live.spec);
});

it('leaves everybody else on the primary during the analysis of some requests', () => {
  const canary = aCanary({
    service: { match: [{ uri: { prefix: '/api' } }] },
    analysis: {
      iterations: 3,
      match: [
        { headers: { 'x-b': { exact: 'yes' }, 'x-a': { suffix: 'no' } } },
        { headers: { cookie: { regex: '.*canary.*' } }, queryParams: { v: { exact: '2' } } },
      ],
    },
  });

  const { routes } = rendered(canary, 30).spec;

  expect(routes.map(({ conditions }) => conditions)).toEqual([
    [
      { prefix: '/api' },
      { header: { name: 'x-a', contains: 'no' } },
      { header: { name: 'x-b', exact: 'yes' } },
    ],
    [
      { prefix: '/api' },
      { header: { name: 'cookie', regex: '.*canary.*' } },
      { queryParameter: { name: 'v', exact: '2' } },
    ],
    [{ prefix: '/api' }],
  ]);
  expect(
    routes.map(({ services }) => (services as { weight: number }[]).map(({ weight }) => weight)),
  ).toEqual([
    [70, 30],
    [70, 30],
    [100, 0],
  ]);
});

it('tests some requests at rest with two equal routes, as Flagger writes them', () => {
  const [matching, others] = rendered(ofSome, 0).spec.routes;

  expect(others).toEqual({ ...matching, conditions: [{ prefix: '/' }] });
  expect(matching).toMatchObject({
    conditions: [{ prefix: '/' }, { header: { name: 'x-canary', exact: 'yes' } }],
    services: [
      { name: 'podinfo-primary', weight: 100 },
      { name: 'podinfo-canary', weight: 0 },
    ],
  });
});

it('reads the weight of the matching requests, however many routes there are', () => {
  const one = rendered(ofSome, 100);
  const two = aCanary({
    analysis: {
      iterations: 3,
      match: [{ headers: { a: { exact: '1' } } }, { headers: { b: { exact: '1' } } }],
    },
    service: { match: [{ uri: { prefix: '/a' } }, { uri: { prefix: '/b' } }] },
  });

  expect(router.parse(two, [one])).toEqual(toCanary(100));
  expect(router.parse(ofSome, [rendered(two, 100)])).toEqual(toCanary(100));
  expect(router.parse(aCanary(), [one])).toBeUndefined();
  expect(router.parse(ofSome, [rendered(aCanary(), 30)])).toEqual(toCanary(30));
});

it('narrows the requests of the service by those of the analysis', () => {
  const canary = aCanary({
    service: { match: [{ headers: { tenant: { exact: 'a' }, Cookie: { exact: 'gone' } } }] },
    analysis: { iterations: 3, match: [{ headers: { cookie: { exact: 'b' } } }] },
  });

  expect(rendered(canary).spec.routes.map(({ conditions }) => conditions)).toEqual([
    [
      { prefix: '/' },
      { header: { name: 'cookie', exact: 'b' } },
      { header: { name: 'tenant', exact: 'a' } },
    ],
    [
      { prefix: '/' },
      { header: { name: 'Cookie', exact: 'gone' } },
      { header: { name: 'tenant', exact: 'a' } },
    ],
  ]);
});

it('refuses an analysis of some requests that would be all of them', () => {
  const canary = aCanary({ analysis: { iterations: 3, match: [{ headers: {} }] } });

  expect(() => rendered(canary)).toThrow(
    'spec.analysis.match: an entry that matches nothing takes in everything',
  );
});

it.each<[string, object, string]>([
  [
    'a method',
    { method: { exact: 'GET' } },
    'a match on method is not supported by contour (supported: uri, headers, queryParams)',
  ],
  ['an authority', { authority: { exact: 'a' } }, 'a match on authority'],
  ['an empty header match', { headers: { a: {} } }, 'header a is matched by nothing'],
  [
    'a suffix of the path',
    { uri: { suffix: 'x' } },
    'uri is matched by suffix, which is not supported by contour (supported: prefix, exact, regex)',
  ],
])('refuses to match %s', (_, match, message) => {
  expect(() => rendered(aCanary({ service: { match: [match] } }))).toThrow(message);
});

it('refuses to narrow the analysis to source labels', () => {
  const canary = aCanary({ analysis: { iterations: 3, match: [{ sourceLabels: { app: 'a' } }] } });

  expect(() => rendered(canary)).toThrow('a match on sourceLabels is not supported');
});

it.each<[string, object[]]>([
  [
    'do not add up',
    [
      { name: 'cart-primary', weight: 90 },
      { name: 'cart-canary', weight: 80 },
    ],
  ],
  ['are gone', [{ name: 'cart-primary' }, { name: 'cart-canary' }]],
  ['belong to one service only', [{ name: 'cart-primary', weight: 100 }]],
  [
    'belong to other services',
    [
      { name: 'x', weight: 50 },
      { name: 'y', weight: 50 },
    ],
  ],
])('reads no routes from weights that %s', (_, services) => {
  expect(
    router.parse(full, [withRoutes(rendered(), (route) => ({ ...route, services }))]),
  ).toBeUndefined();
});

describe('acceptance', () => {
  const proxy = (conditions: object[]) => ({
    ...rendered(),
    metadata: { ...rendered().metadata, generation: 3 },
    status: { conditions },
  });
  const valid = (fields: object) =>
    proxy([{ type: 'Valid', status: 'True', observedGeneration: 3, ...fields }]);
  const refusal = { type: 'SpecError', message: 'no such service' };

  it.each<[string, KubeObject[], object]>([
    ['unreported without an object', [], { kind: 'unreported' }],
    ['unreported without a condition', [proxy([])], { kind: 'unreported' }],
    ['given when valid', [valid({})], { kind: 'accepted' }],
    ['pending for an older generation', [valid({ observedGeneration: 2 })], { kind: 'pending' }],
    [
      'given while no root includes it',
      [valid({ status: 'False', errors: [{ type: 'Orphaned' }] })],
      { kind: 'accepted' },
    ],
    [
      'refused with the errors',
      [valid({ status: 'False', errors: [refusal, { type: 'Orphaned' }, { type: 'Bad' }] })],
      { kind: 'refused', reason: 'no such service; Bad' },
    ],
    [
      'refused with the message',
      [valid({ status: 'False', message: 'broken' })],
      { kind: 'refused', reason: 'broken' },
    ],
  ])('is %s', (_, live, expected) => {
    expect(router.acceptance(full, live)).toEqual(expected);
  });
});
