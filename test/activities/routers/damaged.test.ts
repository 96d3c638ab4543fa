import { routersOf } from '../../../activities/routers/index.js';
import type { KubeObject } from '../../../domain/objects.js';
import { toCanary } from '../../../domain/routes.js';
import { canaryFrom, subjects, type Routed } from '../../routers/cases.js';
import { someSettings } from '../a-canary.js';
import { at } from './laws.js';

/** What people, and older versions of a product, may have left of an object. */
const damages: readonly (readonly [string, (object: KubeObject) => KubeObject])[] = [
  ['no spec', ({ spec: _, ...object }) => object],
  ['an empty spec', (object) => ({ ...object, spec: {} })],
  [
    'nothing in its lists',
    ({ spec, ...object }) => ({
      ...object,
      spec: JSON.parse(JSON.stringify(spec), (_, value: unknown) =>
        Array.isArray(value) ? [] : value,
      ),
    }),
  ],
];

// The target of Knative is nobody's to mend.
const providers = (Object.keys(subjects) as Routed[]).filter((provider) => provider !== 'knative');

describe.each(providers)('%s', (provider) => {
  const router = routersOf(someSettings)[provider]!;
  const { seeds = [], canaries } = subjects[provider];
  const canary = canaryFrom(provider, Object.values(canaries)[0] ?? {});
  const whole = router.render(canary, at(30), seeds);

  it.each(damages)('mends objects with %s', (_, damage) => {
    const live = [...seeds, ...whole.map(damage)];

    expect(router.parse(canary, live)).not.toEqual(toCanary(30));
    expect(router.render(canary, at(30), live).map(specOf)).toEqual(whole.map(specOf));
  });

  it('copes with objects without labels and annotations', () => {
    const bare = [...seeds, ...whole].map(({ metadata, ...object }) => {
      const { labels: _, annotations: __, ...others } = metadata;
      return { ...object, metadata: others };
    });

    expect(router.render(canary, at(30), bare).map(specOf)).toEqual(whole.map(specOf));
  });
});

function specOf({ kind, metadata: { name }, spec }: KubeObject): unknown {
  return [kind, name, spec];
}
