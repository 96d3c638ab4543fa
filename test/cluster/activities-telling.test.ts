import { jest } from '@jest/globals';

import { objectRefOf } from '../../activities/canaries.js';
import type { Workloads } from '../../activities/deps.js';
import { connectKube, loadKubeConfig, type Kube } from '../../activities/kube.js';
import type { KubeObject } from '../../domain/objects.js';
import { brokenTag } from './activity-bench.js';
import { openRig, within, type CanaryRig } from './canary-rig.js';

jest.setTimeout(60_000);

let rig: CanaryRig;

beforeAll(async () => {
  rig = await openRig('reads');
}, 60_000);

afterAll(() => rig.close());

describe('waiting for pods', () => {
  it('ends with the event that makes them ready, long before the API server is asked again', async () => {
    const canary = await rig.initialised('quick');
    await rig.released(canary, `shop:${brokenTag}`);
    const waiting = rig.attempt('awaitPods', within(60_000, canary, 'canary'));
    await rig.attempt('setImages', { canary, images: { shop: 'shop:3' } });

    expect(await waiting).toEqual({ ready: true });
  }, 14_000);

  it('is told of once when it takes long, and given up at the deadline', async () => {
    const canary = await rig.initialised('slow');
    await rig.released(canary, `shop:${brokenTag}`);
    const input = within(3_000, canary, 'canary');

    const results = [await rig.attempt('awaitPods', input), await rig.attempt('awaitPods', input)];
    const overdue = {
      ready: false,
      reason: `canary deployment slow.${rig.namespace} not ready: deployment "slow" exceeded its progress deadline`,
    };
    expect(results).toEqual([overdue, overdue]);
    expect((await rig.events('slow')).filter((event) => event.startsWith('Warning'))).toEqual([
      `Warning canary deployment slow.${rig.namespace} not ready: waiting for rollout to finish: 0 of 2 (readyThreshold 100%) updated replicas are available`,
    ]);
  });

  it('ends when the Deployment itself gives up', async () => {
    const canary = await rig.initialised('hopeless', { progressDeadlineSeconds: 1 });
    await rig.released(canary, 'shop:2');
    await rig.attempt('setImages', { canary, images: { shop: `shop:${brokenTag}` } });

    expect(await rig.attempt('awaitPods', within(120_000, canary, 'canary'))).toEqual({
      ready: false,
      reason: `canary deployment hopeless.${rig.namespace} not ready: deployment "hopeless" exceeded its progress deadline`,
    });
  });

  it('does not give up because of what the last pods did', async () => {
    const canary = await rig.initialised('reverted', { progressDeadlineSeconds: 1 });
    await rig.released(canary, 'shop:2');
    await rig.attempt('setImages', { canary, images: { shop: `shop:${brokenTag}` } });
    await rig.attempt('awaitPods', within(20_000, canary, 'canary'));

    await rig.attempt('setImages', { canary, images: { shop: 'shop:2' } });
    await rig.ready(canary, 'canary');
  });

  it('does not believe a watch that is behind', async () => {
    const canary = await rig.initialised('behind');
    await rig.ready(canary, 'canary');
    const stale = await rig.deployment('behind');
    await rig.released(canary, `shop:${brokenTag}`);
    const workloads: Workloads = {
      get: () => stale,
      subscribe: rig.workloads.subscribe,
    };
    const deps = { ...rig.deps, workloads };

    expect(await rig.attempt('awaitPods', within(500, canary, 'canary'), { deps })).toMatchObject({
      ready: false,
    });
  });
});

describe('a survey', () => {
  it('finds a canary that is gone', async () => {
    expect(await rig.attempt('survey', { canary: rig.refTo('nobody') })).toEqual({ kind: 'gone' });
  });

  it('names what is wrong with the manifest', async () => {
    const canary = rig.refTo('half-a-port');
    await rig.createCanary(canary, { service: { port: 80.5 } });

    expect(await rig.attempt('survey', { canary })).toEqual({
      kind: 'invalid',
      problems: ['spec.service.port: 80.5 is not a port (1 to 65535)'],
    });
  });

  it('names a target that is missing', async () => {
    const canary = rig.refTo('missing');
    await rig.createCanary(canary);

    expect(await rig.attempt('survey', { canary })).toEqual({
      kind: 'invalid',
      problems: [
        `deployment missing.${rig.namespace} get query error: deployments.apps "missing" not found`,
      ],
    });
  });

  it('names a target that has no selector label', async () => {
    const canary = rig.refTo('unlabelled');
    await rig.createTarget(canary, {}, { tier: 'unlabelled' });
    await rig.createCanary(canary);

    expect(await rig.attempt('survey', { canary })).toEqual({
      kind: 'invalid',
      problems: [
        `getSelectorLabel failed: deployment unlabelled.${rig.namespace} spec.selector.matchLabels must contain one of [app name app.kubernetes.io/name]`,
      ],
    });
  });

  it('names the canary that has the same target already', async () => {
    await rig.initialised('shared');
    const canary = rig.refTo('latecomer');
    await rig.createCanary(canary, {
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shared' },
    });

    expect(await rig.attempt('survey', { canary })).toMatchObject({
      kind: 'invalid',
      problems: expect.arrayContaining([
        `deployment shared-primary.${rig.namespace} belongs to canary shared.${rig.namespace}`,
        `service shared.${rig.namespace} belongs to canary shared.${rig.namespace}`,
      ]),
    });
  });
});

describe('an activity that fails', () => {
  it('is told of once per text, however often it is repeated', async () => {
    const canary = rig.refTo('failing');
    await rig.createCanary(canary);
    const input = { canary, report: { key: '1' } };

    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await expect(rig.attempt('scaleUp', input)).rejects.toMatchObject({ type: 'InvalidSpec' });
    }
    expect(await rig.events('failing')).toEqual([
      `Warning deployment failing.${rig.namespace} get query error: deployments.apps "failing" not found`,
    ]);
  });

  it('shows what the API server refuses', async () => {
    const canary = rig.refTo('refused');
    await rig.createTarget(canary);
    await rig.createCanary(canary);
    const kube = await asUserWhoMayOnlyReport();

    await expect(
      rig.attempt(
        'prepare',
        { canary, report: { key: '1', status: { phase: 'Initializing' } } },
        { deps: { ...rig.deps, kube } },
      ),
    ).rejects.toThrow(/services is forbidden: User "reporter" cannot create/);
    expect(await rig.events('refused')).toEqual([
      expect.stringMatching(
        /^Warning reconcileService failed: service refused-canary\..* create error: services is forbidden/,
      ),
    ]);
  });

  it('does not repeat itself when the canary is gone', async () => {
    await expect(
      rig.attempt('tell', {
        canary: rig.refTo('nobody'),
        report: { key: '1', before: [normal('x')] },
      }),
    ).rejects.toMatchObject({ type: 'Gone', nonRetryable: true });
  });
});

it('events of different runs are different events', async () => {
  const canary = rig.refTo('runs');
  await rig.createCanary(canary);
  const input = { canary, report: { key: '1', before: [normal('begins')] } };

  await rig.attempt('tell', input, { runId: 'one' });
  await rig.attempt('tell', input, { runId: 'one' });
  await rig.attempt('tell', input, { runId: 'two' });
  expect(await rig.events('runs')).toEqual(['Normal begins', 'Normal begins']);
});

it('a status write leaves what others write alone', async () => {
  const canary = rig.refTo('others');
  await rig.createCanary(canary);
  await rig.kube.patch(
    objectRefOf(canary),
    { status: { trackedConfigs: { 'secret/a': '0' } } },
    'status',
  );

  await rig.attempt('tell', { canary, report: { key: '1', status: { failedChecks: 1 } } });

  expect((await rig.manifest(canary)).status).toMatchObject({
    failedChecks: 1,
    trackedConfigs: { 'secret/a': '0' },
  });
});

/** The API as it is to somebody who may read everything and write reports only. */
async function asUserWhoMayOnlyReport(): Promise<Kube> {
  const { namespace } = rig;
  const group = 'rbac.authorization.k8s.io';
  const metadata = { name: 'reporter', namespace };
  const rules = [
    { apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list'] },
    { apiGroups: [''], resources: ['events'], verbs: ['create'] },
    { apiGroups: ['flagger.app'], resources: ['canaries/status'], verbs: ['patch'] },
  ];
  await rig.kube.create({
    apiVersion: `${group}/v1`,
    kind: 'Role',
    metadata,
    rules,
  } as KubeObject);
  await rig.kube.create({
    ...{ apiVersion: `${group}/v1`, kind: 'RoleBinding', metadata },
    roleRef: { apiGroup: group, kind: 'Role', name: 'reporter' },
    subjects: [{ apiGroup: group, kind: 'User', name: 'reporter' }],
  } as KubeObject);
  const config = loadKubeConfig();
  const user = { ...config.getCurrentUser()!, impersonateUser: 'reporter' };
  config.users = config.users.map((other) => (other.name === user.name ? user : other));
  return connectKube(config);
}

function normal(message: string) {
  return { type: 'Normal', message } as const;
}
