import { istio } from '../../../activities/routers/istio.js';
import type { KubeObject } from '../../../domain/objects.js';
import { mirrored, toCanary } from '../../../domain/routes.js';
import { aCanary, type CanaryParts } from '../a-canary.js';
import { at, testRouter } from './laws.js';

const router = istio({ version: 'v1beta1' });
const istioCanary = ({ spec, ...parts }: CanaryParts = {}) =>
  aCanary({ ...parts, spec: { provider: 'istio', ...spec } });

const service = {
  name: 'cart',
  port: 9898,
  hosts: ['cart.example.com'],
  gateways: ['istio-system/public', 'mesh'],
  timeout: '15s',
  retries: { attempts: 3, perTryTimeout: '5s', retryOn: 'gateway-error,connect-failure' },
  match: [
    {
      name: 'api',
      uri: { prefix: '/api' },
      method: { regex: 'GET|HEAD' },
      headers: { tenant: { exact: 'a' }, 'x-any': {} },
      withoutHeaders: { 'x-bot': {} },
      queryParams: { q: { exact: 'x' } },
      sourceLabels: { app: 'shop' },
      port: 80,
      ignoreUriCase: true,
    },
    { uri: { exact: '/b' } },
  ],
  headers: {
    request: { add: { 'x-a': '1' }, remove: ['x-b'] },
    response: { set: { 'x-served': 'yes' } },
  },
  rewrite: { uri: '/', authority: 'inner', type: 'ReplacePrefixMatch' },
  corsPolicy: { allowOrigins: [{ regex: '.*[.]example[.]com' }], maxAge: '24h' },
  trafficPolicy: { tls: { mode: 'ISTIO_MUTUAL' }, loadBalancer: { simple: 'LEAST_REQUEST' } },
  apex: { labels: { team: 'shop' }, annotations: { note: 'apex' } },
};
const full = istioCanary({ service });
const someRequests = {
  iterations: 3,
  match: [{ headers: { 'x-canary': { exact: 'yes' } } }, { sourceLabels: { tier: 'beta' } }],
};
const tcp = istioCanary({
  service: { port: 6379, appProtocol: 'TCP', match: [{ port: 6379, name: 'redis' }, {}] },
});

type Rule = Record<string, unknown>;
interface VirtualService extends KubeObject {
  readonly spec: { readonly http?: readonly Rule[]; readonly [field: string]: unknown };
}

const rendered = (canary = full, weight = 30, live: readonly KubeObject[] = []) =>
  router.render(canary, at(weight), live);
const virtualService = (objects: readonly KubeObject[]) =>
  objects.find(({ kind }) => kind === 'VirtualService') as VirtualService;
const rulesOf = (canary = full, weight = 30) =>
  virtualService(rendered(canary, weight)).spec.http ?? [];
const withSpec = (object: KubeObject, change: object): KubeObject => ({
  ...object,
  spec: { ...(object.spec as object), ...change },
});
const withRules = (live: readonly KubeObject[], change: (rule: Rule) => Rule) =>
  live.map((object) =>
    object.kind === 'VirtualService'
      ? withSpec(object, { http: (object as VirtualService).spec.http?.map(change) })
      : object,
  );

const disturb = (object: KubeObject): KubeObject => {
  if (object.kind === 'DestinationRule') {
    return withSpec(object, { host: 'elsewhere', trafficPolicy: { tls: { mode: 'DISABLE' } } });
  }
  const [changed] = withRules([object], (rule) => ({ ...rule, timeout: '1h', match: [] }));
  return withSpec(changed!, { hosts: ['other'], gateways: ['other'] });
};

const apiVersion = 'networking.istio.io/v1beta1';
const foreign = (name: string): KubeObject[] => [
  ...[`${name}-canary`, `${name}-primary`].map((host) => ({
    apiVersion,
    kind: 'DestinationRule',
    metadata: { name: host, namespace: 'test', labels: { team: 'other' } },
    spec: { host, subsets: [{ name: 'v1', labels: { version: 'v1' } }] },
  })),
  {
    apiVersion,
    kind: 'VirtualService',
    metadata: { name, namespace: 'test', annotations: { note: 'theirs' } },
    spec: {
      hosts: ['shop.example.com'],
      exportTo: ['.'],
      http: [{ fault: { delay: {} }, route: [{ destination: { host: 'web' } }] }],
    },
  },
];
const ofPodinfo = { router, foreign: foreign('podinfo'), disturb };

describe('plain', () => testRouter({ ...ofPodinfo, canary: istioCanary() }));
describe('with everything', () =>
  testRouter({ router, canary: full, foreign: foreign('cart'), disturb }));
describe('for some requests only', () =>
  testRouter({ ...ofPodinfo, canary: istioCanary({ analysis: someRequests }) }));
describe('for another VirtualService to delegate to', () =>
  testRouter({ ...ofPodinfo, canary: istioCanary({ service: { delegation: true } }) }));
describe('of plain TCP', () =>
  testRouter({
    ...ofPodinfo,
    canary: tcp,
    can: { mirror: false, affinity: false, matchRequests: false },
  }));
describe('of a newer version', () =>
  testRouter({
    ...ofPodinfo,
    router: istio({ version: 'v1' }),
    canary: istioCanary(),
    foreign: foreign('podinfo').map((object) => ({
      ...object,
      apiVersion: 'networking.istio.io/v1',
    })),
  }));

const destinations = (primary: number, canary: number, port?: number) =>
  [
    ['podinfo-primary', primary],
    ['podinfo-canary', canary],
  ].map(([host, weight]) => ({
    destination: { host, ...(port === undefined ? {} : { port: { number: port } }) },
    weight,
  }));

it('writes plain objects', () => {
  const metadata = {
    namespace: 'test',
    annotations: {
      'kustomize.toolkit.fluxcd.io/reconcile': 'disabled',
      'helm.toolkit.fluxcd.io/driftDetection': 'disabled',
    },
    ownerReferences: [expect.objectContaining({ kind: 'Canary', name: 'podinfo' })],
  };
  const rule = (host: string) => ({
    apiVersion,
    kind: 'DestinationRule',
    metadata: { ...metadata, name: host },
    spec: { host },
  });

  expect(rendered(istioCanary(), 0)).toEqual([
    rule('podinfo-canary'),
    rule('podinfo-primary'),
    {
      apiVersion,
      kind: 'VirtualService',
      metadata: { ...metadata, name: 'podinfo' },
      spec: {
        hosts: ['podinfo'],
        gateways: ['mesh'],
        http: [{ route: destinations(100, 0) }],
      },
    },
  ]);
});

it('writes everything the manifest can ask for', () => {
  const [canaryRule, primaryRule, route] = rendered();

  expect(route?.metadata).toMatchObject({
    labels: { team: 'shop' },
    annotations: { note: 'apex' },
  });
  expect(route?.spec).toEqual({
    hosts: ['cart.example.com', 'cart'],
    gateways: ['istio-system/public', 'mesh'],
    http: [
      {
        match: service.match,
        rewrite: { uri: '/', authority: 'inner' },
        timeout: '15s',
        retries: service.retries,
        corsPolicy: service.corsPolicy,
        headers: service.headers,
        route: [
          { destination: { host: 'cart-primary' }, weight: 70 },
          { destination: { host: 'cart-canary' }, weight: 30 },
        ],
      },
    ],
  });
  expect(canaryRule?.metadata.labels).toBeUndefined();
  expect([canaryRule?.spec, primaryRule?.spec]).toEqual([
    { host: 'cart-canary', trafficPolicy: service.trafficPolicy },
    { host: 'cart-primary', trafficPolicy: service.trafficPolicy },
  ]);
});

it.each([
  [[], ['podinfo']],
  [['a.b'], ['a.b', 'podinfo']],
  [
    ['podinfo', 'a.b'],
    ['podinfo', 'a.b'],
  ],
  [['*'], ['*']],
])('answers for the hosts %j as %j', (hosts, expected) => {
  expect(virtualService(rendered(istioCanary({ service: { hosts } }))).spec['hosts']).toEqual(
    expected,
  );
});

it.each<[string, object, number | undefined]>([
  ['outside of the mesh', { portDiscovery: true, gateways: ['public'] }, 80],
  ['to whoever delegates', { portDiscovery: true, delegation: true }, 80],
  ['inside of the mesh', { portDiscovery: true, gateways: ['mesh', 'public'] }, undefined],
  ['inside of the mesh by default', { portDiscovery: true }, undefined],
  ['where there is no other', { gateways: ['public'] }, undefined],
])('names the port %s: %j', (_, parts, port) => {
  expect(rulesOf(istioCanary({ service: parts }), 0)[0]?.['route']).toEqual(
    destinations(100, 0, port),
  );
});

it('leaves the names to whoever delegates', () => {
  const canary = istioCanary({ service: { delegation: true } });

  expect(Object.keys(virtualService(rendered(canary)).spec)).toEqual(['http']);
  expect(Object.keys(virtualService(rendered(canary, 0, rendered(istioCanary()))).spec)).toEqual([
    'http',
  ]);
});

it('splits connections of plain TCP', () => {
  expect(virtualService(rendered(tcp)).spec).toEqual({
    hosts: ['podinfo'],
    gateways: ['mesh'],
    tcp: [{ match: [{ port: 6379 }, {}], route: destinations(70, 30) }],
  });
});

it('keeps what others set on its rules, destinations and objects', () => {
  const live = withRules(rendered(), (rule) => ({
    ...rule,
    name: 'main',
    fault: { delay: { fixedDelay: '1s' } },
    route: (rule['route'] as object[]).map((destination) => ({ ...destination, note: 'x' })),
  })).map((object) => withSpec(object, { exportTo: ['.'], subsets: [] }));

  const moved = rendered(full, 60, live);

  expect(moved.map(({ spec }) => spec)).toEqual(
    Array(3).fill(expect.objectContaining({ exportTo: ['.'], subsets: [] })),
  );
  expect(virtualService(moved).spec.http).toMatchObject([
    {
      name: 'main',
      fault: { delay: { fixedDelay: '1s' } },
      route: [
        { weight: 40, note: 'x' },
        { weight: 60, note: 'x' },
      ],
    },
  ]);
});

it('drops what the manifest no longer has', () => {
  const bare = istioCanary({ service: { name: 'cart', port: 9898 } });
  const specs = (objects: readonly KubeObject[]) => objects.map(({ spec }) => spec);

  expect(specs(rendered(bare, 30, rendered()))).toEqual(specs(rendered(bare, 30)));
});

it('leaves everybody else on the primary during the analysis of some requests', () => {
  const canary = istioCanary({ service: { match: service.match }, analysis: someRequests });
  const [api, b] = service.match;

  expect(rulesOf(canary)).toEqual([
    {
      match: [
        { ...api, headers: { ...api!.headers, 'x-canary': { exact: 'yes' } } },
        { ...b, headers: { 'x-canary': { exact: 'yes' } } },
        { ...api, sourceLabels: { app: 'shop', tier: 'beta' } },
        { ...b, sourceLabels: { tier: 'beta' } },
      ],
      route: destinations(70, 30),
    },
    { match: service.match, route: destinations(100, 0).slice(0, 1) },
  ]);
});

it('takes the requests of the analysis as they are where the service has all', () => {
  expect(rulesOf(istioCanary({ analysis: someRequests }), 100)).toEqual([
    { match: someRequests.match, route: destinations(0, 100) },
    { route: destinations(100, 0).slice(0, 1) },
  ]);
});

it.each([
  [undefined, {}],
  [0, {}],
  [10, { mirrorPercentage: { value: 10 } }],
])('copies requests with a mirrorWeight of %s', (mirrorWeight, share) => {
  const canary = istioCanary({ analysis: { mirror: true, mirrorWeight } });
  const split = { routes: mirrored, cookies: {} };

  expect(virtualService(router.render(canary, split, [])).spec.http).toEqual([
    { route: destinations(100, 0), mirror: { host: 'podinfo-canary' }, ...share },
  ]);
});

it('takes copies others get for no mirroring of its own', () => {
  const live = withRules(rendered(full, 0), (rule) => ({ ...rule, mirror: { host: 'shadow' } }));

  expect(router.parse(full, live)).toEqual(toCanary(0));
});

it.each<[string, CanaryParts, string]>([
  [
    'hosts of a route that is delegated to',
    { service: { delegation: true, hosts: ['a.b'] } },
    'spec.service.delegation: does not go with hosts and gateways',
  ],
  [
    'gateways of a route that is delegated to',
    { service: { delegation: true, gateways: ['public'] } },
    'spec.service.delegation: does not go with hosts and gateways',
  ],
  [
    'the end of a header',
    { analysis: { iterations: 3, match: [{ headers: { a: { suffix: 'x' } } }] } },
    'headers a is matched by suffix, which is not supported by istio (supported: exact, prefix, regex)',
  ],
  ['a path of nothing', { service: { match: [{ uri: {} }] } }, 'uri is matched by nothing'],
  [
    'a part nobody knows',
    { service: { match: [{ cookies: { a: 'b' } }] } },
    'a match on cookies is not supported by istio (supported: uri, ',
  ],
  [
    'paths of plain TCP',
    { service: { appProtocol: 'tcp', match: [{ uri: { prefix: '/' } }] } },
    'a match on uri is not supported by istio for TCP (supported: port, ',
  ],
])('refuses %s', (_, parts, message) => {
  expect(() => rendered(istioCanary(parts))).toThrow(message);
});

it.each<[string, object]>([
  ['match', { match: [{ headers: { a: { exact: 'b' } } }] }],
  ['mirror', { iterations: 3, mirror: true }],
  ['sessionAffinity', { sessionAffinity: { cookieName: 'a' } }],
])('refuses %s of plain TCP before anything moves', (field, analysis) => {
  expect(() => istioCanary({ service: { appProtocol: 'tcp' }, analysis })).toThrow(
    `spec.analysis.${field}: provider istio (appProtocol tcp) cannot `,
  );
});

describe('what it reads', () => {
  const found = (...weights: (number | undefined)[]) =>
    router.parse(
      full,
      withRules(rendered(), (rule) => ({
        ...rule,
        route: (rule['route'] as { weight?: number }[]).map(({ weight: _, ...destination }, i) =>
          weights[i] === undefined ? destination : { ...destination, weight: weights[i] },
        ),
      })),
    );

  it('takes a missing weight beside another one for none', () => {
    expect(found(100)).toEqual(toCanary(0));
    expect(found(undefined, 100)).toEqual(toCanary(100));
  });

  it('is nothing where the weights are none of its', () => {
    expect(found()).toBeUndefined();
    expect(found(50, 20)).toBeUndefined();
    expect(router.parse(tcp, rendered(istioCanary(), 30))).toBeUndefined();
    expect(router.parse(full, foreign('cart'))).toBeUndefined();
  });

  it('is the last rule of both services, as Flagger writes those for cookies', () => {
    const live = rendered(istioCanary(), 30);
    const { http = [] } = virtualService(live).spec;
    const withCookies = [{ match: [{}], route: destinations(0, 100) }, ...http];

    expect(
      router.parse(istioCanary(), [withSpec(virtualService(live), { http: withCookies })]),
    ).toEqual(toCanary(30));
  });
});

describe('the VirtualService that Flagger had taken over', () => {
  const takenOver = (before: object): KubeObject => {
    const { spec } = virtualService(rendered());
    const annotations = { 'flagger.kubernetes.io/original-configuration': JSON.stringify(before) };
    const metadata = { name: 'cart', namespace: 'test', annotations };
    return { apiVersion, kind: 'VirtualService', metadata, spec };
  };
  const before = { hosts: ['a.b'], http: [{ route: [{ destination: { host: 'cart' } }] }] };

  it('is given back as it was', () => {
    const live = rendered(full, 0, [takenOver(before)]);

    expect(router.finalize(full, live)).toEqual([{ ...virtualService(live), spec: before }]);
  });

  it('stays as it is where Flagger saved no more than its own routes', () => {
    const { spec } = virtualService(rendered());

    expect(router.finalize(full, [takenOver(spec)])).toEqual([]);
  });
});

it('awaits no report, and needs nothing', () => {
  expect(router.acceptance(full, rendered())).toEqual({ kind: 'unreported' });
  expect(router.needs(full)).toEqual([]);
});
