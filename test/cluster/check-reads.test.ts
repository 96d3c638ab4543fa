import type { Deps } from '../../activities/deps.js';
import type { Kube } from '../../activities/kube.js';
import { applyRoutes, repairRoutes } from '../../activities/routing.js';
import type { CanaryStatus } from '../../domain/canary.js';
import type { Shift } from '../../domain/moves.js';
import type { KubeObject } from '../../domain/objects.js';
import { toCanary } from '../../domain/routes.js';
import { vectorOf } from '../providers/prometheus-server.js';
import { openRig, type AnalysisRig } from './analysis-rig.js';

/** What a check reads of the cluster, and what it does where that is no longer so. */
let rig: AnalysisRig;

beforeAll(async () => {
  rig = await openRig(`reads-${String(process.pid)}`);
});
afterAll(() => rig.stop());
beforeEach(async () => {
  await rig.beginTest();
  rig.metrics.answer(200, vectorOf('100'));
});
afterEach(() => rig.endTest());

/** The step from 10 to 20 percent. */
const step: Shift = {
  routes: toCanary(20),
  cookies: {},
  report: {
    key: '7/step',
    status: { phase: 'Progressing', canaryWeight: 20 },
    after: [{ type: 'Normal', message: 'on with 20' }],
  },
};

it('takes the word of the watch, and reads the routes once for the check and the step', async () => {
  const { check, kinds, statusOf, weight } = await watched((status) => status);

  expect(await check()).toMatchObject({ verdict: 'passed' });
  expect(kinds).toEqual(['HTTPProxy']);
  expect(await statusOf()).toMatchObject({ canaryWeight: 20 });
  expect(await weight()).toBe(20);
});

it('reads the manifest when the watch has not seen the revision yet', async () => {
  const { check, kinds } = await watched((status) => ({ ...status, lastAppliedSpec: 'older' }));

  expect(await check()).toMatchObject({ verdict: 'passed' });
  expect(kinds).toEqual(['Canary', 'HTTPProxy']);
});

it('writes the status it means to when that has changed since the watch saw it', async () => {
  const { check, kinds, patch, statusOf } = await watched((status) => status);
  await patch({ failedChecks: 3, iterations: 4 });

  expect(await check()).toMatchObject({ verdict: 'passed' });
  expect(kinds).toEqual(['HTTPProxy', 'Canary']);
  expect(await statusOf()).toMatchObject({ canaryWeight: 20, failedChecks: 3, iterations: 4 });
});

it('does not believe a watch that has the status written already', async () => {
  const { check, kinds, look, patch, route, statusOf } = await watched((status) => status);
  await check();
  await look();
  await patch({ canaryWeight: 10 });
  await route(10);
  kinds.splice(0);

  expect(await check()).toMatchObject({ verdict: 'passed' });
  expect(kinds).toEqual(['HTTPProxy', 'Canary']);
  expect(await statusOf()).toMatchObject({ canaryWeight: 20 });
});

it('is over with the Canary', async () => {
  const { check, remove } = await watched((status) => status);
  await remove();

  await expect(check()).rejects.toMatchObject({ type: 'Gone' });
});

describe('routes that were just seen', () => {
  it('keep what somebody else has written since', async () => {
    const { canary, ref, seen } = await seenAt10();
    await rig.kube.patch(ref, { metadata: { annotations: { other: 'y' } }, spec: { routes: [] } });

    await applyRoutes(rig.deps, canary, to(20), seen);

    expect(await rig.weightOf(canary)).toBe(20);
    expect((await rig.kube.find(ref))?.metadata.annotations).toMatchObject({ other: 'y' });
  });

  it('are made anew if they are gone', async () => {
    const { canary, ref, seen } = await seenAt10();
    await rig.kube.remove(ref);

    await applyRoutes(rig.deps, canary, to(20), seen);

    expect(await rig.weightOf(canary)).toBe(20);
  });

  it('are changed if somebody made them meanwhile', async () => {
    const { canary } = await seenAt10();

    await applyRoutes(rig.deps, canary, to(20), [[]]);

    expect(await rig.weightOf(canary)).toBe(20);
  });
});

const to = (weight: number) => ({ routes: toCanary(weight), cookies: {} });

async function seenAt10() {
  const canary = await rig.aCanary();
  const { seen } = await repairRoutes(rig.deps, canary, to(10));
  const ref = {
    ...{ apiVersion: 'projectcontour.io/v1', kind: 'HTTPProxy' },
    ...{ namespace: rig.namespace, name: canary.service.name },
  };
  return { canary, ref, seen };
}

/** A Canary at 10 percent, seen by a watch that shows its status so. */
async function watched(shown: (status: CanaryStatus) => CanaryStatus) {
  const metrics = [{ name: 'request-success-rate', thresholdRange: { min: 99 } }];
  const canary = await rig.aCanary({ analysis: { metrics } });
  const { revision } = await rig.inputOf(canary);
  const ref = {
    ...{ apiVersion: 'flagger.app/v1beta1', kind: 'Canary' },
    ...{ namespace: rig.namespace, name: canary.name },
  };
  const patch = (status: CanaryStatus): Promise<KubeObject> =>
    rig.kube.patch(ref, { status }, 'status');
  const manifest = await patch({
    ...{ phase: 'Progressing', canaryWeight: 10, lastAppliedSpec: revision },
    ...{ failedChecks: 0, iterations: 0, lastTransitionTime: '2026-01-01T00:00:00Z' },
  });
  let seen = { ...manifest, status: shown(manifest.status ?? {}) };
  const kinds: string[] = [];
  const find: Kube['find'] = (of, signal) => {
    kinds.push(of.kind);
    return rig.kube.find(of, signal);
  };
  const deps: Deps = {
    ...{ ...rig.deps, kube: { ...rig.kube, find } },
    canaries: { get: () => seen },
  };
  return {
    kinds,
    patch,
    /** The watch sees what is so now. */
    look: async () => {
      seen = { ...seen, ...(await rig.kube.find(ref)) };
    },
    route: (percent: number) => applyRoutes(rig.deps, canary, to(percent)),
    check: () => rig.check(canary, { then: { gates: [], step } }, deps),
    statusOf: async () => (await rig.find(canary))?.status,
    weight: () => rig.weightOf(canary),
    remove: () => rig.kube.remove(ref),
  };
}
