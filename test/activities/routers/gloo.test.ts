import { gloo } from '../../../activities/routers/gloo.js';
import type { KubeObject } from '../../../domain/objects.js';
import { toCanary } from '../../../domain/routes.js';
import { aCanary } from '../a-canary.js';
import { at, testRouter } from './laws.js';

const router = gloo();
const canaryOf = (spec: object = {}, analysis: object = {}) =>
  aCanary({
    spec: { provider: 'gloo', ...spec },
    service: { name: 'cart', port: 9898, apex: { labels: { team: 'shop' } } },
    analysis,
  });
const canary = canaryOf();
const modelled = canaryOf({ upstreamRef: { name: 'model', namespace: 'gloo-system' } });
const insiders = { headers: { 'x-canary': { exact: 'insider' }, 'x-b': { regex: '^b.*' } } };
const ofSome = canaryOf({}, { iterations: 3, match: [insiders] });

const object = (apiVersion: string, kind: string, name: string, spec: object): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, namespace: 'test' },
  spec,
});
const service = (name: string, app: string) => object('v1', 'Service', name, { selector: { app } });
const services = [service('cart-primary', 'cart-primary'), service('cart-canary', 'cart')];
const upstream = (name: string, spec: object) => object('gloo.solo.io/v1', 'Upstream', name, spec);
const table = (routes: object[]) => object('gateway.solo.io/v1', 'RouteTable', 'cart', { routes });
const model: KubeObject = {
  ...upstream('model', {}),
  metadata: { name: 'model', namespace: 'gloo-system', labels: { app: 'model' } },
  spec: {
    kube: { serviceName: 'model' },
    loadBalancerConfig: { leastRequest: {} },
    useHttp2: true,
    discoveryMetadata: {},
  },
};
const primaryName = 'test-cart-primaryupstream-9898';
const canaryName = 'test-cart-canaryupstream-9898';
const to = (name: string, weight: number, more: object = {}): object => ({
  destination: { upstream: { name, namespace: 'test' } },
  weight,
  ...more,
});
const foreign = [
  upstream(primaryName, { static: { hosts: [{ addr: 'a.b' }] } }),
  upstream(canaryName, { static: { hosts: [{ addr: 'c.d' }] } }),
  table([{ matchers: [{ prefix: '/' }], routeAction: { single: { upstream: { name: 'old' } } } }]),
];
const disturb = (live: KubeObject): KubeObject => {
  if (live.kind === 'RouteTable') {
    const { routes } = live.spec as { routes: object[] };
    const changed = routes.map((route) => ({ ...route, inheritablePathMatchers: false }));
    return { ...live, spec: { ...(live.spec as object), routes: changed } };
  }
  const isOurs = live.kind === 'Upstream' && live.metadata.name !== 'model';
  if (!isOurs) return live;
  const { kube } = live.spec as { kube: object };
  return { ...live, spec: { ...(live.spec as object), kube: { ...kube, servicePort: 1 } } };
};
const render = (weight: number, live: KubeObject[] = [], of = canary): readonly KubeObject[] =>
  router.render(of, at(weight), [...services, ...live]);
const routesIn = (weight: number, live: KubeObject[] = [], of = canary): unknown =>
  (render(weight, live, of).at(-1)?.spec as { routes: unknown }).routes;

describe('plain', () => testRouter({ router, canary, seed: services, foreign, disturb }));
describe('with the settings of an upstream', () =>
  testRouter({ router, canary: modelled, seed: [...services, model], foreign, disturb }));
describe('for some requests only', () =>
  testRouter({ router, canary: ofSome, seed: services, foreign, disturb }));

it('writes an upstream for each service, and the table', () => {
  const ownerReferences = [
    {
      apiVersion: 'flagger.app/v1beta1',
      kind: 'Canary',
      name: 'podinfo',
      uid: 'a-uid',
      controller: true,
      blockOwnerDeletion: true,
    },
  ];
  const annotations = {
    'kustomize.toolkit.fluxcd.io/reconcile': 'disabled',
    'helm.toolkit.fluxcd.io/driftDetection': 'disabled',
  };
  const metadata = (name: string) => ({ name, namespace: 'test', annotations, ownerReferences });
  const kube = (serviceName: string, app: string) => ({
    serviceName,
    serviceNamespace: 'test',
    servicePort: 9898,
    selector: { app },
  });

  expect(render(30)).toEqual([
    {
      apiVersion: 'gloo.solo.io/v1',
      kind: 'Upstream',
      metadata: metadata(primaryName),
      spec: { kube: kube('cart-primary', 'cart-primary') },
    },
    {
      apiVersion: 'gloo.solo.io/v1',
      kind: 'Upstream',
      metadata: metadata(canaryName),
      spec: { kube: kube('cart-canary', 'cart') },
    },
    {
      apiVersion: 'gateway.solo.io/v1',
      kind: 'RouteTable',
      metadata: { ...metadata('cart'), labels: { team: 'shop' } },
      spec: {
        routes: [
          {
            inheritablePathMatchers: true,
            routeAction: { multi: { destinations: [to(primaryName, 70), to(canaryName, 30)] } },
          },
        ],
      },
    },
  ]);
});

it('writes a weight of zero, and reads an absent one as zero', () => {
  const { destination } = to(canaryName, 0) as { destination: object };
  const flaggers = table([
    { routeAction: { multi: { destinations: [to(primaryName, 100), { destination }] } } },
  ]);

  expect(routesIn(0)).toMatchObject([
    { routeAction: { multi: { destinations: [{ weight: 100 }, { weight: 0 }] } } },
  ]);
  expect(router.parse(canary, [flaggers])).toEqual(toCanary(0));
});

it('leaves everybody else at the primary during the analysis of some requests', () => {
  const two = canaryOf(
    {},
    { iterations: 3, match: [insiders, { queryParams: { v: { exact: '2' }, w: { regex: '.' } } }] },
  );

  expect(routesIn(100, [], two)).toEqual([
    {
      matchers: [
        {
          headers: [
            { name: 'x-b', value: '^b.*', regex: true },
            { name: 'x-canary', value: 'insider' },
          ],
        },
        {
          queryParameters: [
            { name: 'v', value: '2' },
            { name: 'w', value: '.', regex: true },
          ],
        },
      ],
      inheritablePathMatchers: true,
      routeAction: { multi: { destinations: [to(primaryName, 0), to(canaryName, 100)] } },
    },
    {
      inheritablePathMatchers: true,
      routeAction: { multi: { destinations: [to(primaryName, 100)] } },
    },
  ]);
});

it('keeps what others set on its routes and destinations', () => {
  const options = { timeout: '5s' };
  const live = table([
    {
      options,
      routeAction: {
        multi: { destinations: [to(primaryName, 100, { options: { a: 1 } }), to(canaryName, 0)] },
      },
    },
  ]);

  expect(routesIn(40, [live])).toEqual([
    {
      options,
      inheritablePathMatchers: true,
      routeAction: {
        multi: { destinations: [to(primaryName, 60, { options: { a: 1 } }), to(canaryName, 40)] },
      },
    },
  ]);
});

describe('settings of upstreams', () => {
  const own = (spec: object) => upstream(primaryName, { kube: { serviceSpec: {} }, ...spec });

  it('are those of the named upstream, and go when it loses them', () => {
    const [primary] = render(0, [model, own({ sslConfig: {}, failover: {} })], modelled);

    expect(primary?.spec).toEqual({
      failover: {},
      kube: {
        serviceSpec: {},
        serviceName: 'cart-primary',
        serviceNamespace: 'test',
        servicePort: 9898,
        selector: { app: 'cart-primary' },
      },
      loadBalancerConfig: { leastRequest: {} },
      useHttp2: true,
    });
  });

  it('are anybody’s where no upstream is named', () => {
    expect(render(0, [own({ sslConfig: {} })])[0]?.spec).toMatchObject({ sslConfig: {} });
  });

  it('come from the namespace of the canary where none is named', () => {
    const here = canaryOf({ upstreamRef: { name: 'model', namespace: '' } });

    expect(() => render(0, [model], here)).toThrow(
      'spec.upstreamRef: Upstream model.test not found',
    );
    expect(here.upstreamRef).toEqual({ name: 'model', namespace: 'test' });
  });
});

describe('refuses', () => {
  it.each<[string, object, string]>([
    [
      'the end of a header',
      { headers: { a: { suffix: 'x' } } },
      'spec.analysis.match: header a is matched by suffix, which is not supported by gloo (supported: exact, regex)',
    ],
    [
      'an empty parameter',
      { queryParams: { a: { exact: '' } } },
      'spec.analysis.match: query parameter a is matched by an empty text, which would match any',
    ],
    [
      'source labels',
      { ...insiders, sourceLabels: { app: 'a' } },
      'a match on sourceLabels is not supported by gloo (supported: headers, queryParams)',
    ],
    ['nothing', {}, 'spec.analysis.match: an entry that matches nothing takes in everything'],
  ])('to match %s', (_, match, message) => {
    const some = canaryOf({}, { iterations: 3, match: [match] });

    expect(() => render(0, [], some)).toThrow(message);
  });

  it('to lead to services that are not there', () => {
    expect(() => router.render(canary, at(0), services.slice(0, 1))).toThrow(
      'spec.service: Service cart-canary.test not found',
    );
  });
});

it.each<[string, object[]]>([
  ['do not add up', [to(primaryName, 90), to(canaryName, 80)]],
  ['are of the primary only', [to(primaryName, 100)]],
  ['are of other upstreams', [to('x', 50), to('y', 50)]],
])('reads no routes from weights that %s', (_, destinations) => {
  expect(router.parse(canary, [table([{ routeAction: { multi: { destinations } } }])])).toBe(
    undefined,
  );
});

describe('acceptance', () => {
  const reported = (status: object): KubeObject[] => [{ ...table([]), status }];
  const by = (...states: object[]) =>
    reported({ statuses: Object.fromEntries(states.map((state, i) => [`gloo-${i}`, state])) });

  it.each<[string, KubeObject[], object]>([
    ['unreported without a table', [], { kind: 'unreported' }],
    ['unreported without a status', reported({}), { kind: 'unreported' }],
    ['given', by({ state: 'Accepted' }), { kind: 'accepted' }],
    ['given with a warning', by({ state: 'Warning', reason: 'odd' }), { kind: 'accepted' }],
    ['given by an older version', reported({ state: 1 }), { kind: 'accepted' }],
    ['pending', by({ state: 'Accepted' }, { state: 'Pending' }), { kind: 'pending' }],
    [
      'refused',
      by({ state: 'Pending' }, { state: 'Rejected', reason: 'no such upstream' }),
      { kind: 'refused', reason: 'no such upstream' },
    ],
    [
      'refused by an older version',
      reported({ state: 2, reason: 'bad' }),
      { kind: 'refused', reason: 'bad' },
    ],
  ])('is %s', (_, live, expected) => {
    expect(router.acceptance(canary, live)).toEqual(expected);
  });
});
