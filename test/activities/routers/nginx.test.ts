import { nginx } from '../../../activities/routers/nginx.js';
import type { KubeObject } from '../../../domain/objects.js';
import { allToCanary, allToPrimary, toCanary } from '../../../domain/routes.js';
import { aCanary, type CanaryParts } from '../a-canary.js';
import { at, testRouter } from './laws.js';
import { anIngress, pathTo } from './an-ingress.js';

const router = nginx({ annotationsPrefix: 'nginx.ingress.kubernetes.io' });
const ours = (entries: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(entries).map(([key, value]) => [`nginx.ingress.kubernetes.io/${key}`, value]),
  );

const canaryOf = ({ spec, ...parts }: CanaryParts = {}) =>
  aCanary({
    ...parts,
    spec: { provider: 'nginx', ingressRef: { name: 'shop' }, ...spec },
    service: { name: 'cart', ...parts.service },
  });
const canary = canaryOf();
const header = { headers: { 'x-canary': { exact: 'insider' } } };
const cookie = { headers: { Cookie: { exact: 'beta' } } };
const testing = (match: object[], analysis: object = {}) =>
  canaryOf({ analysis: { iterations: 3, stepWeight: undefined, match, ...analysis } });
const source = anIngress('shop', {
  annotations: {
    ...ours({ 'rewrite-target': '/', 'canary-weight': '7' }),
    note: 'theirs',
    'kubectl.kubernetes.io/last-applied-configuration': '{"spec":{"old":true}}',
  },
  paths: [pathTo('cart', '/'), pathTo('help', '/help')],
});
const foreign = anIngress('shop-canary', {
  annotations: { note: 'another', ...ours({ canary: 'true', 'canary-by-header': 'x-old' }) },
  paths: [pathTo('old', '/')],
});
const disturb = (object: KubeObject) =>
  object.metadata.name === 'shop-canary'
    ? { ...object, spec: anIngress('x', { paths: [pathTo('cart-canary', '/gone')] }).spec }
    : object;

const render = (live: KubeObject[], weight = 30, of = canary): KubeObject =>
  router.render(of, at(weight), live)[0]!;
const annotationsOf = ({ metadata: { annotations = {} } }: KubeObject) => annotations;

describe('beside the Ingress of the user', () =>
  testRouter({ router, canary, seed: [source], foreign, disturb }));
describe('with another prefix', () =>
  testRouter({
    router: nginx({ annotationsPrefix: 'ingress.example.com' }),
    canary,
    seed: [source],
    foreign,
    disturb,
  }));

it('writes a copy of the Ingress that leads to the canary', () => {
  expect(render([source])).toEqual({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name: 'shop-canary',
      namespace: 'test',
      labels: { app: 'shop' },
      annotations: {
        note: 'theirs',
        ...ours({ 'rewrite-target': '/', canary: 'true', 'canary-weight': '30' }),
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
      ingressClassName: 'nginx',
      rules: [
        {
          host: 'shop.example.com',
          http: { paths: [pathTo('cart-canary', '/'), pathTo('help', '/help')] },
        },
      ],
    },
  });
});

it('follows the Ingress of the user, and keeps what others wrote on the copy', () => {
  const copy = render([source]);
  const edited = {
    ...copy,
    metadata: {
      ...copy.metadata,
      annotations: {
        ...annotationsOf(copy),
        ...ours({ 'affinity-canary-behavior': 'legacy', 'canary-by-cookie': 'stale' }),
        note: 'changed',
      },
    },
  };
  const changed = anIngress('shop', {
    annotations: ours({ 'rewrite-target': '/new' }),
    paths: [pathTo('cart', '/new')],
  });

  const followed = render([edited, changed], 40);

  expect(followed.spec).toMatchObject({
    rules: [{ http: { paths: [pathTo('cart-canary', '/new')] } }],
  });
  expect(annotationsOf(followed)).toEqual({
    note: 'changed',
    ...ours({
      'rewrite-target': '/new',
      'affinity-canary-behavior': 'legacy',
      canary: 'true',
      'canary-weight': '40',
    }),
    'kustomize.toolkit.fluxcd.io/reconcile': 'disabled',
    'helm.toolkit.fluxcd.io/driftDetection': 'disabled',
  });
});

it('copies rules that have no paths', () => {
  const { spec, ...ingress } = source;
  const { rules } = spec as { rules: object[] };
  const withHost = { ...ingress, spec: { rules: [...rules, { host: 'empty.example.com' }] } };

  expect(render([withHost]).spec).toMatchObject({ rules: [{}, { host: 'empty.example.com' }] });
});

describe('a test of some requests', () => {
  it.each<[string, object[], Record<string, string>]>([
    [
      'one value of a header',
      [header],
      { 'canary-by-header': 'x-canary', 'canary-by-header-value': 'insider' },
    ],
    [
      'a pattern of a header',
      [{ headers: { 'x-user': { regex: '^a.*' } } }],
      { 'canary-by-header': 'x-user', 'canary-by-header-pattern': '^a.*' },
    ],
    ['a cookie', [cookie], { 'canary-by-cookie': 'beta' }],
    [
      'a header or a cookie',
      [cookie, header],
      {
        'canary-by-cookie': 'beta',
        'canary-by-header': 'x-canary',
        'canary-by-header-value': 'insider',
      },
    ],
  ])('selects %s, and nobody else', (_, match, expected) => {
    const copy = render([source], 100, testing(match));

    expect(annotationsOf(copy)).toMatchObject(ours({ ...expected, 'canary-weight': '0' }));
    expect(router.parse(testing(match), [copy])).toEqual(allToCanary);
    expect(render([source, copy], 100, testing(match))).toEqual(copy);
  });

  it('selects nobody at rest', () => {
    const some = testing([header, cookie]);
    const copy = render([source, render([source], 100, some)], 0, some);

    expect(annotationsOf(copy)).toEqual(annotationsOf(render([source], 0)));
    expect(router.parse(some, [copy])).toEqual(allToPrimary);
  });

  it.each<[string, object[], string]>([
    [
      'several headers at once',
      [{ headers: { a: { exact: '1' }, b: { exact: '2' } } }],
      'spec.analysis.match: nginx takes requests with any of its headers, so each entry must have one header',
    ],
    ['nothing', [{ headers: {} }], 'each entry must have one header'],
    [
      'two headers',
      [header, { headers: { b: { exact: '2' } } }],
      'spec.analysis.match: nginx looks at one header and one cookie, not at several of a kind',
    ],
    ['two cookies', [cookie, cookie], 'not at several of a kind'],
    [
      'the beginning of a header',
      [{ headers: { a: { prefix: 'x' } } }],
      'spec.analysis.match: header a is matched by prefix, which is not supported by nginx (supported: exact, regex)',
    ],
    [
      'a pattern of cookies',
      [{ headers: { cookie: { regex: '.*beta=always.*' } } }],
      'spec.analysis.match: header cookie is matched by regex, which is not supported by nginx (supported: exact)',
    ],
    [
      'an empty value',
      [{ headers: { a: { exact: '' } } }],
      'spec.analysis.match: header a is matched by an empty text, which would match any',
    ],
    [
      'query parameters',
      [{ ...header, queryParams: { v: { exact: '2' } } }],
      'a match on queryParams is not supported by nginx (supported: headers)',
    ],
    [
      'source labels',
      [{ ...header, sourceLabels: { app: 'a' } }],
      'a match on sourceLabels is not supported by nginx',
    ],
  ])('refuses to select by %s, from the start', (_, match, message) => {
    expect(() => render([source], 0, testing(match))).toThrow(message);
  });

  it('refuses to give the canary a share of the matching requests', () => {
    const weighted = canaryOf({ analysis: { match: [header] } });

    expect(() => render([source], 0, weighted)).toThrow(
      'spec.analysis.match: nginx gives all matching requests to the canary or none, so it needs iterations, not stepWeight',
    );
    expect(() => render([source], 0, testing([header], { stepWeightPromotion: 20 }))).toThrow(
      'spec.analysis.stepWeightPromotion: nginx gives all matching requests back at once, not 20 % of them (allowed with match: 0 or 100)',
    );
    expect(() =>
      render([source], 0, testing([header], { stepWeightPromotion: 100 })),
    ).not.toThrow();
  });
});

it.each<[string, Record<string, string>]>([
  ['no weight that is a number', { 'canary-weight': 'much' }],
  ['a weight above 100', { 'canary-weight': '101' }],
  ['another sum of weights', { 'canary-weight-total': '1000' }],
  ['a canary switched off', { canary: 'false' }],
  ['a header somebody added', { 'canary-by-header': 'x' }],
])('reads no routes from %s', (_, change) => {
  const copy = render([source]);
  const annotations = { ...annotationsOf(copy), ...ours(change) };

  expect(router.parse(canary, [{ ...copy, metadata: { ...copy.metadata, annotations } }])).toBe(
    undefined,
  );
});

it('reads weights and tests as different things', () => {
  const some = testing([header]);

  expect(router.parse(some, [render([source], 30)])).toBeUndefined();
  expect(router.parse(canary, [render([source], 100, some)])).toBeUndefined();
  expect(router.parse(some, [render([source], 0)])).toEqual(toCanary(0));
  expect(router.parse(canary, [foreign])).toBeUndefined();
});

it('finalizes without the Ingress of the user', () => {
  const taken = render([source, foreign]);

  expect(router.finalize(canary, [taken])[0]?.spec).toEqual(foreign.spec);
});

describe('what is missing', () => {
  it.each<[string, KubeObject[], string]>([
    ['there is no Ingress', [], 'spec.ingressRef: Ingress shop.test not found'],
    [
      'the Ingress leads elsewhere',
      [anIngress('shop', { paths: [pathTo('help', '/')] })],
      'spec.ingressRef: Ingress shop.test has no path with service cart',
    ],
    [
      'another canary has the copy',
      [source, render([source], 0, { ...canary, name: 'other' })],
      'spec.ingressRef: Ingress shop-canary.test belongs to canary other',
    ],
  ])('says that %s', (_, live, message) => {
    expect(() => render(live)).toThrow(message);
  });

  it('says which field names the Ingress', () => {
    expect(() => canaryOf({ spec: { ingressRef: undefined } })).toThrow(
      'spec.ingressRef: is required by provider nginx',
    );
  });
});

it('does not wait for reports nobody writes', () => {
  expect(router.needs(canary)).toEqual([]);
  expect(router.acceptance(canary, [render([source])])).toEqual({ kind: 'unreported' });
});
