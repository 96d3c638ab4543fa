import { gatewayApi } from '../../../activities/routers/gateway-api.js';
import type { KubeObject } from '../../../domain/objects.js';
import { mirrored } from '../../../domain/routes.js';
import { aCanary, type CanaryParts } from '../a-canary.js';
import { at, testRouter } from './laws.js';

const router = gatewayApi({ version: 'v1' });
const gatewayRefs = [{ name: 'contour', namespace: 'projectcontour' }];
const gatewayCanary = ({ service, ...parts }: CanaryParts = {}) =>
  aCanary({ ...parts, spec: { provider: 'gatewayapi:v1' }, service: { gatewayRefs, ...service } });
const full = gatewayCanary({
  service: {
    name: 'cart',
    port: 9898,
    hosts: ['cart.example.com'],
    timeout: '15s',
    backendTimeout: '5s',
    match: [
      {
        uri: { prefix: '/api' },
        method: { exact: 'GET' },
        headers: { b: { exact: '1' }, a: { regex: '.+' } },
        queryParams: { q: { exact: 'x' } },
      },
    ],
    headers: {
      request: { add: { z: '1', a: '2' }, set: { s: '3' }, remove: ['r2', 'r1'] },
      response: { set: { 'x-served': 'yes' } },
    },
    rewrite: { uri: '/', authority: 'inner', type: 'ReplacePrefixMatch' },
    mirror: [{ backendRef: { name: 'shadow', port: 80 } }],
    corsPolicy: {
      allowOrigin: ['*'],
      allowOrigins: [{ exact: 'https://a.b' }],
      allowMethods: ['GET'],
      allowCredentials: true,
      maxAge: '24h',
    },
    apex: { labels: { team: 'shop' } },
  },
});

interface HttpRoute extends KubeObject {
  spec: { rules: Record<string, unknown>[]; [field: string]: unknown };
}

const rendered = (canary = full, weight = 30, live: KubeObject[] = []): HttpRoute =>
  router.render(canary, at(weight), live)[0] as HttpRoute;
const withRules = (object: KubeObject, change: (rule: Record<string, unknown>) => object) => ({
  ...object,
  spec: {
    ...(object.spec as HttpRoute['spec']),
    rules: (object.spec as HttpRoute['spec']).rules.map(change),
  },
});
const disturb = (object: KubeObject) => ({
  ...withRules(object, (rule) => ({ ...rule, matches: [], timeouts: { request: '1h' } })),
});

const foreign = (name: string): KubeObject => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name, namespace: 'test', labels: { team: 'other' } },
  spec: { parentRefs: gatewayRefs, rules: [{ backendRefs: [{ name: 'web', port: 80 }] }] },
});
const shared = {
  router,
  canary: full,
  foreign: foreign('cart'),
  disturb,
};
const ofSome = gatewayCanary({
  analysis: { iterations: 3, match: [{ headers: { 'x-canary': { exact: 'yes' } } }] },
});

describe('plain', () =>
  testRouter({ ...shared, canary: gatewayCanary(), foreign: foreign('podinfo') }));
describe('with everything', () => testRouter(shared));
describe('of an older version', () =>
  testRouter({
    ...shared,
    router: gatewayApi({ version: 'v1beta1' }),
    foreign: { ...foreign('cart'), apiVersion: 'gateway.networking.k8s.io/v1beta1' },
  }));
describe('in a mesh', () =>
  testRouter({
    ...shared,
    canary: gatewayCanary({
      service: { gatewayRefs: [{ group: 'core', kind: 'Service', name: 'podinfo', port: 80 }] },
    }),
    foreign: foreign('podinfo'),
  }));
describe('for some requests only', () =>
  testRouter({ ...shared, canary: ofSome, foreign: foreign('podinfo') }));

it('writes the plain route with every default in it', () => {
  expect(rendered(gatewayCanary(), 0)).toMatchObject({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'podinfo', namespace: 'test' },
  });
  expect(rendered(gatewayCanary(), 0).spec).toEqual({
    parentRefs: [
      {
        group: 'gateway.networking.k8s.io',
        kind: 'Gateway',
        name: 'contour',
        namespace: 'projectcontour',
      },
    ],
    rules: [
      {
        matches: [{ path: { type: 'PathPrefix', value: '/' } }],
        backendRefs: [
          { group: '', kind: 'Service', name: 'podinfo-primary', port: 80, weight: 100 },
          { group: '', kind: 'Service', name: 'podinfo-canary', port: 80, weight: 0 },
        ],
      },
    ],
  });
});

it('writes everything the manifest can ask for', () => {
  const { hostnames, rules } = rendered().spec;

  expect(hostnames).toEqual(['cart.example.com']);
  expect(rules).toEqual([
    {
      matches: [
        {
          path: { type: 'PathPrefix', value: '/api' },
          method: 'GET',
          headers: [
            { type: 'RegularExpression', name: 'a', value: '.+' },
            { type: 'Exact', name: 'b', value: '1' },
          ],
          queryParams: [{ type: 'Exact', name: 'q', value: 'x' }],
        },
      ],
      filters: [
        {
          type: 'RequestHeaderModifier',
          requestHeaderModifier: {
            add: [
              { name: 'a', value: '2' },
              { name: 'z', value: '1' },
            ],
            set: [{ name: 's', value: '3' }],
            remove: ['r2', 'r1'],
          },
        },
        {
          type: 'ResponseHeaderModifier',
          responseHeaderModifier: { set: [{ name: 'x-served', value: 'yes' }] },
        },
        {
          type: 'URLRewrite',
          urlRewrite: {
            hostname: 'inner',
            path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' },
          },
        },
        {
          type: 'RequestMirror',
          requestMirror: { backendRef: { group: '', kind: 'Service', name: 'shadow', port: 80 } },
        },
        {
          type: 'CORS',
          cors: {
            allowOrigins: ['*', 'https://a.b'],
            allowMethods: ['GET'],
            allowCredentials: true,
            maxAge: 86400,
          },
        },
      ],
      timeouts: { request: '15s', backendRequest: '5s' },
      backendRefs: [
        { group: '', kind: 'Service', name: 'cart-primary', port: 9898, weight: 70 },
        { group: '', kind: 'Service', name: 'cart-canary', port: 9898, weight: 30 },
      ],
    },
  ]);
});

it('rewrites the full path unless told otherwise', () => {
  const [rule] = rendered(gatewayCanary({ service: { rewrite: { uri: '/x' } } })).spec.rules;

  expect(rule?.['filters']).toEqual([
    {
      type: 'URLRewrite',
      urlRewrite: { path: { type: 'ReplaceFullPath', replaceFullPath: '/x' } },
    },
  ]);
});

it('drops hosts, filters and timeouts the manifest no longer has', () => {
  const bare = gatewayCanary({ service: { name: 'cart', port: 9898 } });

  expect(rendered(bare, 30, [rendered()]).spec).toEqual(rendered(bare, 30).spec);
});

it('keeps what others set on its rule and its backends', () => {
  const live = withRules(rendered(), (rule) => ({
    ...rule,
    name: 'main',
    backendRefs: (rule['backendRefs'] as object[]).map((ref) => ({
      ...ref,
      namespace: 'elsewhere',
    })),
  }));

  expect(rendered(full, 60, [live]).spec.rules[0]).toMatchObject({
    name: 'main',
    backendRefs: [
      { weight: 40, namespace: 'elsewhere' },
      { weight: 60, namespace: 'elsewhere' },
    ],
  });
});

it('leaves everybody else on the primary during the analysis of some requests', () => {
  const canary = gatewayCanary({
    service: {
      match: [
        { uri: { prefix: '/a' } },
        { uri: { exact: '/b' }, headers: { tenant: { exact: '1' } } },
      ],
    },
    analysis: { iterations: 3, match: [{ headers: { 'x-canary': { exact: 'yes' } } }] },
  });

  const [experiment, rest] = rendered(canary, 30).spec.rules;

  const header = { type: 'Exact', name: 'x-canary', value: 'yes' };
  expect(experiment?.['matches']).toEqual([
    { path: { type: 'PathPrefix', value: '/a' }, headers: [header] },
    {
      path: { type: 'Exact', value: '/b' },
      headers: [{ type: 'Exact', name: 'tenant', value: '1' }, header],
    },
  ]);
  expect(rest?.['matches']).toHaveLength(2);
  expect(rest?.['backendRefs']).toEqual([
    { group: '', kind: 'Service', name: 'podinfo-primary', port: 80, weight: 100 },
  ]);
});

it('mirrors the requests of users only, behind the filters of the manifest', () => {
  const copies = {
    type: 'RequestMirror',
    requestMirror: {
      backendRef: { group: '', kind: 'Service', name: 'podinfo-canary', port: 80 },
    },
  };
  const [own] = rendered(full).spec.rules;
  const [route] = router.render(full, { routes: mirrored, cookies: {} }, []) as HttpRoute[];
  const [matching, others] = (
    router.render(ofSome, { routes: mirrored, cookies: {} }, []) as HttpRoute[]
  )[0]!.spec.rules;

  const { backendRef } = copies.requestMirror;
  expect(route?.spec.rules[0]?.['filters']).toEqual([
    ...(own?.['filters'] as object[]),
    {
      ...copies,
      requestMirror: { backendRef: { ...backendRef, name: 'cart-canary', port: 9898 } },
    },
  ]);
  expect([matching?.['filters'], others?.['filters']]).toEqual([[copies], undefined]);
});

it.each<[string, CanaryParts, string]>([
  [
    'no gateway',
    { service: { gatewayRefs: [] } },
    'spec.service.gatewayRefs: is required by the gatewayapi providers',
  ],
  [
    'a prefix of a header',
    { analysis: { iterations: 3, match: [{ headers: { a: { prefix: 'x' } } }] } },
    'header a is matched by prefix, which is not supported by gatewayapi (supported: exact, regex)',
  ],
  [
    'source labels',
    { analysis: { iterations: 3, match: [{ sourceLabels: { app: 'a' } }] } },
    'a match on sourceLabels is not supported by gatewayapi',
  ],
  [
    'a method by pattern',
    { service: { match: [{ method: { regex: '.' } }] } },
    'method is matched by regex',
  ],
  [
    'to mirror to the canary for good',
    { service: { mirror: [{ backendRef: { name: 'podinfo-canary', port: 80 } }] } },
    'spec.service.mirror: podinfo-canary gets copies of requests by spec.analysis.mirror only',
  ],
  [
    'origins by pattern',
    { service: { corsPolicy: { allowOrigins: [{ regex: '.*' }] } } },
    'spec.service.corsPolicy.allowOrigins: patterns are not supported',
  ],
])('refuses %s', (_, parts, message) => {
  expect(() => rendered(gatewayCanary(parts))).toThrow(message);
});

it('needs the gateways and services it is attached to, of whatever kind others are', () => {
  const refs = [
    ...gatewayRefs,
    { name: 'own' },
    { group: 'core', kind: 'Service', name: 'podinfo' },
    { group: '', kind: 'Service', name: 'web', namespace: 'shop' },
    { group: 'policy.linkerd.io', kind: 'EgressNetwork', name: 'all' },
  ];

  expect(router.needs(gatewayCanary({ service: { gatewayRefs: refs } }))).toEqual([
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      namespace: 'projectcontour',
      name: 'contour',
    },
    { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', namespace: 'test', name: 'own' },
    { apiVersion: 'v1', kind: 'Service', namespace: 'test', name: 'podinfo' },
    { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name: 'web' },
  ]);
});

it('leaves out what the older version has no fields for', () => {
  const older = gatewayApi({ version: 'v1beta1' });
  const [route] = older.render(full, at(30), []) as HttpRoute[];
  const [rule] = rendered().spec.rules;
  const { timeouts: _, filters, ...others } = rule!;

  expect(route?.apiVersion).toBe('gateway.networking.k8s.io/v1beta1');
  expect(route?.spec.rules).toEqual([
    { ...others, filters: (filters as { type: string }[]).filter(({ type }) => type !== 'CORS') },
  ]);
});

describe('acceptance', () => {
  const parentRef = { group: 'gateway.networking.k8s.io', kind: 'Gateway', ...gatewayRefs[0] };
  const route = (parents: object[]) => ({
    ...rendered(),
    metadata: { ...rendered().metadata, generation: 3 },
    status: { parents },
  });
  const parent = (fields: object, ref: object = parentRef) => ({
    parentRef: ref,
    conditions: [{ type: 'Accepted', status: 'True', observedGeneration: 3, ...fields }],
  });

  it.each<[string, KubeObject[], object]>([
    ['unreported without an object', [], { kind: 'unreported' }],
    ['unreported without parents', [route([])], { kind: 'unreported' }],
    [
      'unreported by other parents',
      [route([parent({ status: 'False' }, { ...parentRef, sectionName: 'x' })])],
      { kind: 'unreported' },
    ],
    [
      'unreported without the condition',
      [route([{ parentRef, conditions: [] }])],
      { kind: 'unreported' },
    ],
    ['given', [route([parent({})])], { kind: 'accepted' }],
    [
      'pending for an older generation',
      [route([parent({}), parent({ observedGeneration: 2 })])],
      { kind: 'pending' },
    ],
    [
      'refused with the message',
      [route([parent({ status: 'False', message: 'no listener' })])],
      { kind: 'refused', reason: 'gateway contour: no listener' },
    ],
  ])('is %s', (_, live, expected) => {
    expect(router.acceptance(full, live)).toEqual(expected);
  });
});
