import { skipper } from '../../../activities/routers/skipper.js';
import type { KubeObject } from '../../../domain/objects.js';
import { toCanary } from '../../../domain/routes.js';
import { aCanary } from '../a-canary.js';
import { anIngress, pathTo } from './an-ingress.js';
import { at, testRouter } from './laws.js';

const router = skipper();
const canary = aCanary({
  spec: { provider: 'skipper', ingressRef: { name: 'shop' } },
  service: { name: 'cart' },
});
const weights = 'zalando.org/backend-weights';
const predicate = 'zalando.org/skipper-predicate';
const filter = 'zalando.org/skipper-filter';
const paths = [pathTo('cart', '/'), pathTo('help', '/help'), pathTo('cart', '/cart')];
const source = anIngress('shop', { annotations: { note: 'theirs' }, paths });
const foreign = anIngress('shop-canary', {
  annotations: { note: 'another', [filter]: 'consecutiveBreaker(15)' },
  paths: [pathTo('old', '/')],
});
const disturb = (object: KubeObject) =>
  object.metadata.name === 'shop-canary'
    ? {
        ...object,
        spec: anIngress('x', {
          paths: [pathTo('cart-primary', '/'), pathTo('cart-canary', '/gone')],
        }).spec,
      }
    : object;
const render = (live: KubeObject[], weight = 30): KubeObject =>
  router.render(canary, at(weight), live)[0]!;
const withAnnotations = (object: KubeObject, more: Record<string, string>): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...more } },
});

describe('beside the Ingress of the user', () =>
  testRouter({ router, canary, seed: [source], foreign, disturb }));
describe('with predicates and weights of the user', () =>
  testRouter({
    router,
    canary,
    seed: [
      withAnnotations(source, {
        [predicate]: 'QueryParam("version", "^a$") && Method("GET")',
        [weights]: '{"help": 30, "faq": 70}',
      }),
    ],
    foreign,
    disturb,
  }));

it('writes a copy of the Ingress with both services', () => {
  expect(render([source])).toEqual({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name: 'shop-canary',
      namespace: 'test',
      labels: { app: 'shop' },
      annotations: {
        note: 'theirs',
        [weights]: '{"cart-canary":30,"cart-primary":70}',
        [predicate]: 'Weight(100)',
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
          http: {
            paths: [
              pathTo('cart-primary', '/'),
              pathTo('help', '/help'),
              pathTo('cart-primary', '/cart'),
              pathTo('cart-canary', '/'),
              pathTo('cart-canary', '/cart'),
            ],
          },
        },
      ],
    },
  });
});

it.each([
  [0, 'False() && Path("/a")', '{"help":3,"cart-canary":0,"cart-primary":100}'],
  [1, 'Weight(100) && Path("/a")', '{"help":3,"cart-canary":1,"cart-primary":99}'],
  [100, 'Weight(100) && Path("/a")', '{"help":3,"cart-canary":100,"cart-primary":0}'],
])('puts a canary of %i in front of what the user asks for', (weight, asked, shares) => {
  const user = withAnnotations(source, { [predicate]: 'Path("/a")', [weights]: '{"help":3}' });

  expect(render([user], weight).metadata.annotations).toMatchObject({
    [predicate]: asked,
    [weights]: shares,
  });
});

it('follows what Skipper reads of the Ingress, and keeps what others read of the copy', () => {
  const copy = withAnnotations(render([withAnnotations(source, { [filter]: 'status(418)' })]), {
    note: 'changed',
  });

  expect(copy.metadata.annotations).toMatchObject({ [filter]: 'status(418)' });
  expect(render([source, copy]).metadata.annotations).toEqual({
    ...render([source]).metadata.annotations,
    note: 'changed',
  });
});

it.each<[string, Record<string, string>, number | undefined]>([
  ['before Flagger first had a weight', { [weights]: '{"cart-primary":100,"cart-canary":0}' }, 0],
  ['switched off with a weight left', { [predicate]: 'False()' }, undefined],
  ['that does not outrank', { [predicate]: 'Path("/a")' }, undefined],
  ['without the predicate', { [predicate]: '' }, undefined],
  ['with a missing weight', { [weights]: '{"cart-canary":30}' }, undefined],
  [
    'with weights that do not add up',
    { [weights]: '{"cart-canary":30,"cart-primary":30}' },
    undefined,
  ],
  ['with a text for weights', { [weights]: 'many' }, undefined],
  ['with null for weights', { [weights]: 'null' }, undefined],
])('reads a copy %s', (_, change, weight) => {
  expect(router.parse(canary, [withAnnotations(render([source]), change)])).toEqual(
    weight === undefined ? undefined : toCanary(weight),
  );
});

it('reads no routes from a copy that leads elsewhere', () => {
  expect(router.parse(canary, [foreign])).toBeUndefined();
});

describe('refuses', () => {
  it.each<[string, KubeObject[], string]>([
    ['a missing Ingress', [], 'spec.ingressRef: Ingress shop.test not found'],
    [
      'an Ingress without the service',
      [anIngress('shop', { paths: [pathTo('help', '/')] })],
      'spec.ingressRef: Ingress shop.test has no path with service cart',
    ],
    [
      'weights that the release would lose',
      [withAnnotations(source, { [weights]: '{"cart":80,"help":20}' })],
      'spec.ingressRef: Ingress shop.test has a weight for cart in its zalando.org/backend-weights, which the release would lose (supported: weights of other services)',
    ],
  ])('%s', (_, live, message) => {
    expect(() => render(live)).toThrow(message);
  });

  it.each<[object, string]>([
    [{ ingressRef: undefined }, 'spec.ingressRef: is required by provider skipper'],
    [
      { analysis: { iterations: 3, match: [{ headers: { a: { exact: 'b' } } }] } },
      'spec.analysis.match: provider skipper cannot tell requests apart',
    ],
  ])('the manifest %j', (spec, message) => {
    expect(() =>
      aCanary({ spec: { provider: 'skipper', ingressRef: { name: 'shop' }, ...spec } }),
    ).toThrow(message);
  });
});
