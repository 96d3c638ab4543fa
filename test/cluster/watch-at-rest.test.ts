import { jest } from '@jest/globals';

import type { CanaryRef } from '../../domain/release.js';
import {
  annotate,
  closeWatchRig,
  failRun,
  kube,
  openWatchRig,
  refOf,
  resting,
  resynced,
  runs,
  serviceOf,
  setStatus,
  startWatching,
  stopWatching,
  targetOf,
  until,
} from './watch-rig.js';

jest.setTimeout(30_000);

beforeAll(openWatchRig);
afterAll(closeWatchRig);
afterEach(stopWatching);

describe('a canary at rest', () => {
  it('gets a run when its manifest is not the one its objects were made from', async () => {
    const canary = await resting();
    await startWatching();
    await resynced();
    expect(await runs(canary)).toEqual([]);

    await kube.patch(refOf(canary), { spec: { service: { port: 81 } } });
    await until(async () => (await runs(canary)).length === 1);
  });

  it.each<[string, (canary: CanaryRef) => Promise<unknown>]>([
    [
      'its apex service leads to the target',
      (canary) => kube.patch(serviceOf(canary), { spec: { selector: { app: canary.name } } }),
    ],
    ['its apex service is gone', (canary) => kube.remove(serviceOf(canary))],
    ['its primary service is gone', (canary) => kube.remove(serviceOf(canary, '-primary'))],
    [
      'its primary is gone',
      (canary) => kube.remove(targetOf({ ...canary, name: `${canary.name}-primary` })),
    ],
    [
      'it wants to be reverted on deletion and cannot be waited for',
      // What is observed follows at once, as the manifest alone would be a reason too.
      async (canary) => {
        await kube.patch(refOf(canary), { spec: { revertOnDeletion: true } });
        await setStatus(canary, { observedGeneration: 2 });
      },
    ],
  ])('gets a run when %s', async (_name, change) => {
    const canary = await resting();
    await startWatching();
    await resynced();
    expect(await runs(canary)).toEqual([]);

    await change(canary);
    await until(async () => (await runs(canary)).length === 1);
  });

  it('gets no run for what others may write', async () => {
    const canary = await resting();
    await startWatching();
    const note = { metadata: { annotations: { note: 'x' }, labels: { team: 'a' } } };
    await kube.patch(serviceOf(canary), note);
    await kube.patch(serviceOf(canary, '-canary'), note);
    await annotate(canary, 'x');
    await resynced();

    expect(await runs(canary)).toEqual([]);
  });

  it('gets another run, later, when one has put nothing right', async () => {
    const canary = await resting();
    await kube.remove(serviceOf(canary));
    await startWatching();
    await until(async () => (await runs(canary)).length === 1);
    await failRun(canary);
    await until(async () => (await runs(canary)).length === 2);
    await failRun(canary);
    await resynced();

    expect(await runs(canary)).toHaveLength(2);
  });
});

it('starts the release that lets go of a canary being deleted', async () => {
  const canary = await resting();
  const metadata = { finalizers: ['finalizer.flagger.app'] };
  await kube.patch(refOf(canary), { metadata, spec: { revertOnDeletion: true } });
  await setStatus(canary, { observedGeneration: 2 });
  await startWatching();
  await resynced();
  expect(await runs(canary)).toEqual([]);

  await kube.remove(refOf(canary));
  await until(async () => (await runs(canary)).length === 1);
  await kube.patch(refOf(canary), { metadata: { finalizers: null } });
});
