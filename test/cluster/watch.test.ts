import { jest } from '@jest/globals';

import { releaseId, taskQueueOf } from '../../domain/release.js';
import { targetKinds } from '../../domain/targets.js';
import { searchAttributes } from '../../workflows/search-attributes.js';
import {
  aCanary,
  annotate,
  apiServer,
  changesTold,
  client,
  closeWatchRig,
  cluster,
  failRun,
  inputOf,
  kube,
  namespace,
  openWatchRig,
  refOf,
  resting,
  resynced,
  revisionNow,
  runs,
  setImage,
  setStatus,
  startWatching,
  stopWatching,
  targetOf,
  temporal,
  until,
} from './watch-rig.js';

jest.setTimeout(30_000);

beforeAll(openWatchRig);
afterAll(closeWatchRig);
afterEach(stopWatching);

it('starts the release of a new canary, findable and explained', async () => {
  await startWatching();
  const canary = await aCanary();
  await until(async () => (await changesTold(canary)).length === 1);

  const description = await client.workflow.getHandle(releaseId(canary)).describe();
  expect(description.type).toBe('release');
  expect(description.taskQueue).toBe(taskQueueOf(cluster));
  expect(await description.staticSummary()).toBe(`${namespace}/${canary.name} → app=web:1`);
  expect(await inputOf(canary)).toEqual([{ canary, trigger: { kind: 'change' } }]);
  const { typedSearchAttributes: found } = description;
  expect(found.get(searchAttributes.cluster)).toBe(cluster);
  expect(found.get(searchAttributes.namespace)).toBe(namespace);
  expect(found.get(searchAttributes.canary)).toBe(canary.name);
  expect(found.get(searchAttributes.revision)).toBe(await revisionNow(canary));
});

it('tells the open release of changes, each once, whatever else happens', async () => {
  await startWatching();
  const canary = await aCanary();
  await until(async () => (await changesTold(canary)).length === 1);

  await setStatus(canary, { phase: 'Initializing' });
  await annotate(canary, 'first');
  await setImage(canary, 'web:2');
  await until(async () => (await changesTold(canary)).length === 2);
  await setStatus(canary, { phase: 'Progressing', canaryWeight: 10 });
  await annotate(canary, 'second');
  await kube.patch(refOf(canary), { spec: { skipAnalysis: true } });
  await until(async () => (await changesTold(canary)).length === 3);
  await resynced();

  expect(await changesTold(canary)).toEqual([
    { revision: expect.any(String), generation: 1 },
    { revision: await revisionNow(canary), generation: 1 },
    { revision: await revisionNow(canary), generation: 2 },
  ]);
});

it('starts no release of what was promoted, failed or suspended', async () => {
  const idle = await Promise.all([resting(), resting(), aCanary()]);
  const [promoted, failed, suspended] = idle;
  await setStatus(promoted, { phase: 'Succeeded', lastAppliedSpec: 'another' });
  await setStatus(failed, { phase: 'Failed', lastPromotedSpec: 'another' });
  await kube.patch(refOf(suspended), { spec: { suspend: true } });
  await startWatching();
  await resynced();
  expect(await Promise.all(idle.map(runs))).toEqual([[], [], []]);

  await kube.patch(refOf(suspended), { spec: { suspend: false } });
  await setImage(promoted, 'web:2');
  await until(async () => (await runs(suspended)).length + (await runs(promoted)).length === 2);
});

it('starts a terminated release again', async () => {
  await startWatching();
  const canary = await aCanary();
  await until(async () => (await runs(canary)).length === 1);
  await setStatus(canary, { phase: 'Progressing', canaryWeight: 10 });
  await client.workflow.getHandle(releaseId(canary)).terminate();
  await until(async () => (await runs(canary)).length === 2);
});

it('leaves a canary alone whose set-up was refused, until it changes', async () => {
  await startWatching();
  const canary = await aCanary();
  await until(async () => (await runs(canary)).length === 1);
  await failRun(canary);
  await resynced();
  expect(await runs(canary)).toHaveLength(1);

  await kube.patch(refOf(canary), { spec: { skipAnalysis: true } });
  await until(async () => (await runs(canary)).length === 2);
});

it('tells the open release that its canary is gone', async () => {
  await startWatching();
  const canary = await aCanary();
  await until(async () => (await changesTold(canary)).length === 1);
  await kube.remove(refOf(canary));
  await until(async () => (await changesTold(canary)).length === 2);
  expect((await changesTold(canary))[1]).toEqual({ revision: '', generation: 0 });
});

it('starts the release of a canary without a target too, which says so', async () => {
  await startWatching();
  const canary = await aCanary();
  await kube.remove(targetOf(canary));
  await until(async () => (await changesTold(canary)).at(-1)?.revision === '');
});

it('notices new revisions of targets of other kinds', async () => {
  await startWatching();
  const kinds = { agent: 'DaemonSet', apex: 'Service' } as const;
  for (const [name, kind] of Object.entries(kinds)) {
    const canary = await aCanary({ name, kind });
    await until(async () => (await changesTold(canary)).length === 1);
    const labels = { app: `${name}-2` };
    const change =
      kind === 'Service'
        ? { selector: labels }
        : { template: { metadata: { labels: { ...labels, app: name, v: '2' } } } };
    await kube.patch({ ...targetKinds[kind], namespace, name }, { spec: change });
    await until(async () => (await changesTold(canary)).length === 2);
  }
});

it('loses no change while the API server is away', async () => {
  await startWatching();
  const canary = await aCanary();
  await until(async () => (await changesTold(canary)).length === 1);
  await apiServer.cut();
  await setImage(canary, 'web:2');
  await apiServer.restore();
  await until(async () => (await changesTold(canary)).length === 2);
});

it('loses no change while Temporal is away', async () => {
  await startWatching();
  const canary = await aCanary();
  await until(async () => (await changesTold(canary)).length === 1);
  await temporal.cut();
  await setImage(canary, 'web:2');
  await resynced();
  await temporal.restore();
  await until(async () => (await changesTold(canary)).length === 2);
});

it('loses no change while the worker is away', async () => {
  await startWatching();
  const canary = await aCanary();
  await until(async () => (await changesTold(canary)).length === 1);
  await stopWatching();
  await setImage(canary, 'web:2');
  await startWatching();
  await until(async () => (await changesTold(canary)).length === 2);
  expect((await changesTold(canary))[1]?.revision).toBe(await revisionNow(canary));
});
