import { refOf, type Kube } from '../../activities/kube.js';
import { applyRoutes, liveRoutes, prepareRoutes, repairRoutes } from '../../activities/routing.js';
import type { KubeObject } from '../../domain/objects.js';
import { toCanary } from '../../domain/routes.js';
import { at } from '../activities/routers/laws.js';
import { canaryFrom, isWeighted, manifests, subjects, type Routed } from './cases.js';
import { label } from './edits.js';
import { openRig, type Rig, type Settled } from './rig.js';

/**
 * Somebody else writes to the routes of a release that is under way, in a real API server: the
 * check puts back what is ours at the weight that is wanted, and has nothing to do the next time.
 */
let rig: Rig;

beforeAll(async () => {
  rig = await openRig('drift');
}, 120_000);
afterAll(() => rig.close());

const weighted = manifests.filter(([, provider, parts]) => isWeighted(canaryFrom(provider, parts)));
const wanted = at(37);

it.each(weighted)('%s: is repaired, and then left alone', async (_, provider, parts) => {
  const settled = await rig.settle(provider, parts);
  const { canary, router } = settled;
  await prepareRoutes(rig.deps, canary);
  await applyRoutes(rig.deps, canary, at(0));
  expect(await applyRoutes(rig.deps, canary, wanted)).toBe(true);
  const before = await writtenIn(settled);
  expect(before).toHaveLength(router.render(canary, wanted, await settled.live()).length);

  // A label is anybody's to set.
  for (const object of before) await rig.kube.replace(label(object));
  expect(await check(settled)).toEqual({ drift: 'none', writes: [] });

  for (const object of await writtenIn(settled)) await rig.kube.replace(edited(provider, object));
  const fields = await check(settled);
  expect(fields).toEqual({ drift: 'fields', writes: before.map(titleOf) });
  await expectRepaired(settled, before);

  // Another writer's whole idea of the routes, at once.
  for (const object of router.render(canary, at(80), await settled.live())) {
    await rig.kube.replace(edited(provider, object));
  }
  expect(await liveRoutes(rig.deps, canary)).not.toEqual(wanted.routes);
  const weights = await check(settled);
  expect(weights).toEqual({ drift: 'weights', writes: before.map(titleOf) });
  await expectRepaired(settled, before);
});

it.each(weighted.filter(([, provider]) => provider !== 'knative'))(
  '%s: is made anew when somebody deletes it',
  async (_, provider, parts) => {
    const settled = await rig.settle(provider, parts);
    await prepareRoutes(rig.deps, settled.canary);
    await applyRoutes(rig.deps, settled.canary, wanted);
    const before = await writtenIn(settled);

    for (const object of before) await rig.kube.remove(refOf(object));

    expect(await check(settled)).toEqual({ drift: 'weights', writes: before.map(titleOf) });
    expect((await writtenIn(settled)).map(contentOf)).toEqual(before.map(contentOf));
    expect(await check(settled)).toEqual({ drift: 'none', writes: [] });
  },
);

/** One check as the activity makes it, and which objects it wrote. */
async function check({ canary }: Settled): Promise<{ drift: string; writes: string[] }> {
  const writes: string[] = [];
  const kube: Kube = {
    ...rig.kube,
    create<T extends KubeObject>(object: T) {
      writes.push(titleOf(object));
      return rig.kube.create(object);
    },
    replace<T extends KubeObject>(object: T) {
      writes.push(titleOf(object));
      return rig.kube.replace(object);
    },
  };
  const { drift } = await repairRoutes({ ...rig.deps, kube }, canary, wanted);
  return { drift, writes: writes.sort() };
}

/** All is as before but for the label, and the next check finds nothing to do. */
async function expectRepaired(settled: Settled, before: readonly KubeObject[]): Promise<void> {
  expect((await writtenIn(settled)).map(contentOf)).toEqual(before.map(label).map(contentOf));
  expect(await liveRoutes(rig.deps, settled.canary)).toEqual(toCanary(37));
  expect(await check(settled)).toEqual({ drift: 'none', writes: [] });
}

/** The objects the router writes, as they are, in the order of their titles. */
async function writtenIn({ router, canary, live }: Settled): Promise<KubeObject[]> {
  const objects = await live();
  const written = router.render(canary, wanted, objects).map(titleOf);
  return objects
    .filter((object) => written.includes(titleOf(object)))
    .sort((a, b) => (titleOf(a) < titleOf(b) ? -1 : 1));
}

function edited(provider: Routed, object: KubeObject): KubeObject {
  return subjects[provider].edits[object.kind]!(object);
}

function contentOf({ metadata: { labels, annotations }, spec }: KubeObject): unknown {
  return { labels, annotations, spec };
}

function titleOf(object: KubeObject): string {
  const { kind, name } = refOf(object);
  return `${kind} ${name}`;
}
