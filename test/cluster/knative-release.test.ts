import { jest } from '@jest/globals';

import type { CanaryRef } from '../../domain/release.js';
import type { KnativeService } from '../../domain/objects.js';
import { toCanary } from '../../domain/routes.js';
import { openRig, type CanaryRig } from './canary-rig.js';
import { defineKnative, knativeApi, playKnative, type KnativePlayer } from './knative.js';

jest.setTimeout(90_000);

let rig: CanaryRig;
let knative: KnativePlayer;
let canary: CanaryRef;

const ending = { startedAt: 0, waitedForPeopleMs: 0 };
const tagged = { latestRevision: false, revisionName: 'hello-00000', percent: 0, tag: 'old' };

beforeAll(async () => {
  rig = await openRig('knative');
  await defineKnative(rig.kube, rig.namespace);
  rig.workloads.follow('KnativeService');
  knative = playKnative(rig, 'hello');
  canary = rig.refTo('hello');
  await rig.kube.create({
    apiVersion: knativeApi,
    kind: 'Service',
    metadata: { name: 'hello', namespace: rig.namespace },
    spec: {
      template: { spec: { containers: [{ image: 'hello:1' }] } },
      traffic: [{ latestRevision: true, percent: 100 }, tagged],
    },
  });
  await rig.createCanary(canary, {
    provider: 'knative',
    service: undefined,
    revertOnDeletion: true,
    targetRef: { apiVersion: knativeApi, kind: 'Service', name: 'hello' },
  });
  await knative.madeRevision('hello-00001', 'True');
}, 120_000);

afterAll(() => rig.close());

it('pins the revision that serves, and leaves the tag of somebody else', async () => {
  const { revision } = await rig.attempt('prepare', { canary, report: { key: '1' } });
  await rig.ready(canary, 'primary');
  const status = { phase: 'Initialized', lastPromotedSpec: revision } as const;
  await rig.attempt('initialise', { canary, revision, report: { key: '2', status } });

  expect(await traffic()).toEqual(split('hello-00001', 0));
  await expect(rig.attempt('survey', { canary })).resolves.toMatchObject({
    kind: 'ready',
    revision: 'hello-00001',
  });
});

it('steps, and writes nothing when there is nothing to do', async () => {
  await knative.madeRevision('hello-00002', 'True');
  await rig.attempt('scaleUp', { canary, report: { key: '3' } });
  await rig.ready(canary, 'canary');
  await step(30, '4');
  const { resourceVersion } = (await service()).metadata;
  await step(30, '5');

  expect(await traffic()).toEqual(split('hello-00001', 30));
  expect((await service()).metadata.resourceVersion).toBe(resourceVersion);
});

it('promotes, leads the traffic to the new primary, and finishes', async () => {
  const revision = 'hello-00002';
  const report = { key: '6', status: { phase: 'Promoting' } } as const;
  const promoted = await rig.attempt('promote', { canary, revision, report });
  expect(promoted).toEqual({ copied: true, primaryBefore: 'hello-00001' });
  await rig.ready(canary, 'primary');
  await step(0, '7');
  expect(await traffic()).toEqual(split('hello-00002', 0));

  await rig.attempt('finish', {
    canary,
    ending: { ...ending, outcome: 'promoted' },
    report: { key: '8', status: { phase: 'Succeeded', lastPromotedSpec: revision } },
  });
  expect(await traffic()).toEqual(split('hello-00002', 0));
});

it('takes a release back, also when its promotion had begun and its annotation was lost', async () => {
  await knative.madeRevision('hello-00003', 'True');
  await step(50, '9');
  const revision = 'hello-00003';
  const promoted = await rig.attempt('promote', { canary, revision, report: { key: '10' } });
  await rollBack('11', promoted.copied ? promoted.primaryBefore : undefined);
  expect(await traffic()).toEqual(split('hello-00002', 0));

  await step(50, '12');
  await rig.kube.patch(ref(), {
    metadata: { annotations: { 'flagger.app/primary-revision': null } },
  });
  await rollBack('13', undefined);
  expect(await traffic()).toEqual(split('hello-00002', 0));
  expect((await service()).metadata.annotations).toMatchObject({
    'flagger.app/primary-revision': 'hello-00002',
  });
});

it('gives the traffic to the latest revision when its Canary goes', async () => {
  await rig.attempt('revert', { canary, report: { key: '14' } });

  expect(await traffic()).toEqual([{ latestRevision: true, percent: 100 }, tagged]);
  expect((await service()).metadata.annotations ?? {}).toEqual({});
});

async function step(weight: number, key: string): Promise<void> {
  await rig.attempt('route', { canary, routes: toCanary(weight), cookies: {}, report: { key } });
}

async function rollBack(key: string, primaryBefore: string | undefined): Promise<void> {
  await rig.attempt('rollBack', {
    canary,
    cookies: {},
    primaryBefore,
    ending: { ...ending, outcome: 'rolled-back' },
    report: { key, status: { phase: 'Failed' } },
  });
}

function split(primary: string, weight: number): readonly object[] {
  return [
    { latestRevision: true, percent: weight },
    { latestRevision: false, revisionName: primary, percent: 100 - weight },
    tagged,
  ];
}

function ref() {
  const { namespace } = rig;
  return { apiVersion: knativeApi, kind: 'Service', namespace, name: 'hello' };
}

async function service(): Promise<KnativeService> {
  return (await rig.kube.find<KnativeService>(ref()))!;
}

async function traffic(): Promise<KnativeService['spec']['traffic']> {
  return (await service()).spec.traffic;
}
