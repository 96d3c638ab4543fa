import { smi } from '../../../activities/routers/smi.js';
import type { KubeObject } from '../../../domain/objects.js';
import { toCanary } from '../../../domain/routes.js';
import { aCanary, type CanaryParts } from '../a-canary.js';
import { at, testRouter } from './laws.js';

interface TrafficSplit extends KubeObject {
  spec: { service: string; backends: { service: string; weight: unknown }[] };
}

const versions = [
  ['v1alpha1', 'linkerd'],
  ['v1alpha1', 'smi:v1alpha1'],
  ['v1alpha2', 'osm'],
  ['v1alpha2', 'smi:v1alpha2'],
  ['v1alpha3', 'smi:v1alpha3'],
] as const;

const canaryOf = (provider: string, { spec, ...parts }: CanaryParts = {}) =>
  aCanary({ ...parts, spec: { provider, ...spec } });
const withBackends = (object: KubeObject, backends: object[]): KubeObject => ({
  ...object,
  spec: { ...(object.spec as object), backends },
});
const disturb = (object: KubeObject): KubeObject => ({
  ...object,
  spec: { ...(object.spec as object), service: 'other' },
});

describe.each(versions)('%s of %s', (version, provider) => {
  const router = smi({ version });
  const canary = canaryOf(provider, {
    service: { name: 'cart', apex: { labels: { team: 'shop' } } },
  });
  const foreign: KubeObject = {
    apiVersion: `split.smi-spec.io/${version}`,
    kind: 'TrafficSplit',
    metadata: { name: 'cart', namespace: 'test', annotations: { note: 'theirs' } },
    spec: { service: 'cart', backends: [{ service: 'cart-v1', weight: 100 }] },
  };
  const rendered = (weight: number, live: KubeObject[] = [], of = canary): TrafficSplit =>
    router.render(of, at(weight), live)[0] as TrafficSplit;
  const written = version === 'v1alpha1' ? String : Number;

  testRouter({ router, canary, foreign, disturb });

  it('writes the split', () => {
    expect(rendered(30)).toEqual({
      apiVersion: `split.smi-spec.io/${version}`,
      kind: 'TrafficSplit',
      metadata: {
        name: 'cart',
        namespace: 'test',
        annotations: {
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
        service: 'cart',
        backends: [
          { service: 'cart-canary', weight: written(30) },
          { service: 'cart-primary', weight: written(70) },
        ],
      },
    });
  });

  it('writes weights of zero', () => {
    expect(rendered(0).spec.backends.map(({ weight }) => weight)).toEqual([
      written(0),
      written(100),
    ]);
  });

  it('splits the service that clients know by a name of the mesh', () => {
    const hosts = ['cart.mesh', 'cart.example.com'];

    expect(rendered(0, [], canaryOf(provider, { service: { hosts } })).spec.service).toBe(
      'cart.mesh',
    );
  });

  it('keeps the weights beside a corrected service', () => {
    const live = rendered(37);

    expect(rendered(37, [disturb(live)])).toEqual(live);
    expect(router.parse(canary, [disturb(live)])).toEqual(toCanary(37));
  });

  it.each<[string, object[]]>([
    ['of one service only', [{ service: 'cart-primary', weight: 100 }]],
    [
      'that do not add up',
      [
        { service: 'cart-primary', weight: 90 },
        { service: 'cart-canary', weight: 80 },
      ],
    ],
    ['that are gone', [{ service: 'cart-primary' }, { service: 'cart-canary' }]],
    [
      'in parts of one',
      [
        { service: 'cart-primary', weight: '900m' },
        { service: 'cart-canary', weight: '100m' },
      ],
    ],
    [
      'of other services',
      [
        { service: 'a', weight: 50 },
        { service: 'b', weight: 50 },
      ],
    ],
  ])('reads no routes from weights %s', (_, backends) => {
    expect(router.parse(canary, [withBackends(rendered(0), backends)])).toBeUndefined();
  });

  it('reads weights in whichever form they are written', () => {
    const inText = [
      { service: 'cart-primary', weight: '60' },
      { service: 'cart-canary', weight: '40' },
    ];

    expect(router.parse(canary, [withBackends(rendered(0), inText)])).toEqual(toCanary(40));
  });

  it('has nobody who reports on it', () => {
    expect(router.acceptance(canary, [rendered(0)])).toEqual({ kind: 'unreported' });
  });

  it('refuses to tell requests apart, which would send all of them to the canary', () => {
    const match = [{ headers: { 'x-canary': { exact: 'yes' } } }];

    expect(() => canaryOf(provider, { analysis: { iterations: 3, match } })).toThrow(
      `spec.analysis.match: provider ${provider} cannot tell requests apart`,
    );
  });
});

it('keeps which requests a split is for', () => {
  const router = smi({ version: 'v1alpha3' });
  const canary = canaryOf('smi:v1alpha3');
  const [split] = router.render(canary, at(0), []);
  const matches = [{ kind: 'HTTPRouteGroup', name: 'some' }];
  const live = { ...split!, spec: { ...(split!.spec as object), matches } };

  expect(router.render(canary, at(20), [live])[0]?.spec).toMatchObject({ matches });
});
