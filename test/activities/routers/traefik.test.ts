import { traefik } from '../../../activities/routers/traefik.js';
import type { KubeObject } from '../../../domain/objects.js';
import { toCanary } from '../../../domain/routes.js';
import { aCanary } from '../a-canary.js';
import { at, testRouter } from './laws.js';

const router = traefik();
const canary = aCanary({
  spec: { provider: 'traefik' },
  service: {
    name: 'cart',
    port: 9898,
    apex: { labels: { team: 'shop' }, annotations: { note: 'apex' } },
  },
});

interface Entry {
  readonly name: string;
  readonly weight?: number;
  readonly [field: string]: unknown;
}

const of = (services: readonly Entry[], weighted: object = {}): KubeObject => ({
  apiVersion: 'traefik.io/v1alpha1',
  kind: 'TraefikService',
  metadata: { name: 'cart', namespace: 'test', labels: { team: 'other' } },
  spec: { weighted: { ...weighted, services } },
});
const servicesIn = ({ spec }: KubeObject) =>
  (spec as { weighted: { services: readonly Entry[] } }).weighted.services;
const render = (weight: number, ...live: KubeObject[]): KubeObject =>
  router.render(canary, at(weight), live)[0]!;
const entry = (name: string, weight: number): Entry => ({
  name,
  namespace: 'test',
  port: 9898,
  weight,
});

describe('with metadata of the manifest', () =>
  testRouter({
    router,
    canary,
    foreign: of([{ name: 'web', port: 80 }], { sticky: { cookie: { name: 'lb' } } }),
    leavesOutZero: true,
    disturb: (object) => ({
      ...object,
      spec: {
        ...(object.spec as object),
        weighted: { services: servicesIn(object).map((service) => ({ ...service, port: 1 })) },
      },
    }),
  }));

it('writes the service', () => {
  expect(render(30)).toEqual({
    apiVersion: 'traefik.io/v1alpha1',
    kind: 'TraefikService',
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
    spec: { weighted: { services: [entry('cart-primary', 70), entry('cart-canary', 30)] } },
  });
});

it('leaves the canary out while it has no weight, and writes the primary’s zero', () => {
  expect(servicesIn(render(0))).toEqual([entry('cart-primary', 100)]);
  expect(servicesIn(render(100))).toEqual([entry('cart-primary', 0), entry('cart-canary', 100)]);
});

it('keeps what others set, and gives the canary what the primary has', () => {
  const sticky = { cookie: { name: 'lb' } };
  const live = of([{ ...entry('cart-primary', 100), scheme: 'https' }], { sticky });

  const moved = render(40, live);
  const itsOwn = of([
    { ...entry('cart-primary', 60), scheme: 'https' },
    { ...entry('cart-canary', 40), scheme: 'h2c' },
  ]);

  expect(moved.spec).toEqual({
    weighted: {
      sticky,
      services: [
        { ...entry('cart-primary', 60), scheme: 'https' },
        { ...entry('cart-canary', 40), scheme: 'https' },
      ],
    },
  });
  expect(servicesIn(render(50, itsOwn)).map(({ scheme }) => scheme)).toEqual(['https', 'h2c']);
});

it.each<[string, KubeObject, number | undefined]>([
  ['the primary alone', of([entry('cart-primary', 100)]), 0],
  ['a primary without a weight', of([{ name: 'cart-primary' }]), undefined],
  [
    'what Flagger writes for all at the canary, of which 1 in 101 stays at the primary',
    of([{ name: 'cart-primary' }, entry('cart-canary', 100)]),
    undefined,
  ],
  [
    'weights reset to 100 each',
    of([entry('cart-primary', 100), entry('cart-canary', 100)]),
    undefined,
  ],
  ['other services', of([entry('web', 100)]), undefined],
  ['no weighted services', { ...of([]), spec: { mirroring: {} } }, undefined],
])('reads %s', (_, live, weight) => {
  expect(router.parse(canary, [live])).toEqual(weight === undefined ? undefined : toCanary(weight));
});

it('refuses to tell requests apart', () => {
  const analysis = { iterations: 3, match: [{ headers: { a: { exact: 'b' } } }] };

  expect(() => aCanary({ spec: { provider: 'traefik' }, analysis })).toThrow(
    'spec.analysis.match: provider traefik cannot tell requests apart',
  );
});
