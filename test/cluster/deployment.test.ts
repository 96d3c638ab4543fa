import { jest } from '@jest/globals';

import type { AutoscalerRef, Canary } from '../../domain/canary.js';
import type { Deployment } from '../../domain/objects.js';
import { until } from './activity-bench.js';
import { openWorkloadRig, type WorkloadRig } from './workload-rig.js';

jest.setTimeout(90_000);

let rig: WorkloadRig;

beforeAll(async () => {
  rig = await openWorkloadRig('Deployment');
}, 60_000);

afterAll(() => rig.close());

it('a primary that was lost becomes what was promoted last, not what failed since (B24)', async () => {
  const canary = await aTarget('lost');
  await rig.ready(canary, 'canary');
  const { revision, createPrimary } = await rig.workload(canary).target();
  await createPrimary();
  const promoted = { ...canary, status: { lastPromotedSpec: revision } };
  await rig.workload(canary).setImages({ shop: 'shop:2' });
  await remove('lost-primary');

  const made = await rig.twice(async () => (await rig.workload(promoted).target()).createPrimary());
  expect(made).toBe(revision);
  expect(imageOf(await rig.find('lost-primary'))).toBe('shop:1');
  expect((await rig.workload(promoted).primary())?.revision).toBe(revision);
});

it('no primary is made of what nobody analysed when the promoted revision is forgotten (B24)', async () => {
  const canary = await aTarget('forgotten');
  const promoted = { ...canary, status: { lastPromotedSpec: '0123456789' } };

  await expect((await rig.workload(promoted).target()).createPrimary()).rejects.toMatchObject({
    type: 'InvalidSpec',
    message: `deployment forgotten.${rig.namespace} cannot go back to revision 0123456789: its replica set is gone (see spec.revisionHistoryLimit)`,
  });
  expect(await rig.workload(promoted).primary()).toBeUndefined();
});

it('a primary of another canary is refused, by whoever comes upon it', async () => {
  const first = await aTarget('shared');
  await (await rig.workload(first).target()).createPrimary();
  const second = { ...(await rig.canaryOf('second')), target: first.target };
  const refused = {
    type: 'InvalidSpec',
    message: `deployment shared-primary.${rig.namespace} belongs to canary shared.${rig.namespace}`,
  };

  await expect(rig.workload(second).primary()).rejects.toMatchObject(refused);
  const target = await rig.workload(second).target();
  await expect(target.createPrimary()).rejects.toMatchObject(refused);
});

describe('a target', () => {
  it('is put back to an earlier revision, with as many pods as it has', async () => {
    const canary = await aTarget('back');
    const workload = rig.workload(canary);
    await rig.ready(canary, 'canary');
    const { revision } = await workload.target();
    await workload.setImages({ shop: 'shop:2' });
    await rig.ready(canary, 'canary');

    await rig.twice(() => workload.putBack(revision));
    expect(imageOf(await rig.find('back'))).toBe('shop:1');
    expect((await rig.find<Deployment>('back')).spec.replicas).toBe(2);

    await workload.setImages({ shop: 'shop:3' });
    await workload.scaleToZero();
    await workload.putBack(revision);
    expect(await rig.find('back')).toMatchObject({ spec: { replicas: 0 } });
    expect((await workload.target()).revision).toBe(revision);
  });

  it('is not put back to what nobody remembers', async () => {
    const canary = await aTarget('unknown');

    await expect(rig.workload(canary).putBack('0123456789')).rejects.toMatchObject({
      type: 'InvalidSpec',
      message: expect.stringContaining('cannot go back to revision 0123456789'),
    });
  });

  it.each([
    ['as many pods as the primary has', 'reverted', 3, 3],
    ['one pod at least', 'emptied', 0, 1],
    ['one pod without a primary (F3)', 'orphan', undefined, 1],
  ])('gets %s back', async (_name, name, replicas, expected) => {
    const canary = await aTarget(name);
    const workload = rig.workload(canary);
    if (replicas !== undefined) {
      await (await workload.target()).createPrimary();
      await rig.patch(`${name}-primary`, { spec: { replicas } });
    }
    await workload.scaleToZero();
    await rig.twice(() => workload.revert());

    expect(await rig.find(name)).toMatchObject({
      spec: { replicas: expected },
      status: { availableReplicas: expected },
    });
  });

  it('that is gone has nothing to be given back', async () => {
    const canary = await aTarget('gone');
    await remove('gone');

    await expect(rig.workload(canary).revert()).resolves.toBeUndefined();
  });
});

it('the primary keeps the pods its autoscaler gave it', async () => {
  const autoscaler: AutoscalerRef = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    name: 'scaled',
    primaryScalerQueries: {},
    primaryScalerReplicas: {},
  };
  const canary = { ...(await aTarget('scaled')), autoscaler };
  await (await rig.workload(canary).target()).createPrimary();
  await rig.patch('scaled-primary', { spec: { replicas: 5 } });
  await rig.workload(canary).setImages({ shop: 'shop:2' });
  await (await rig.workload(canary).target()).copyToPrimary();

  expect((await rig.find<Deployment>('scaled-primary')).spec.replicas).toBe(5);
  expect(imageOf(await rig.find('scaled-primary'))).toBe('shop:2');
});

async function aTarget(name: string): Promise<Canary> {
  const labels = { app: name };
  await rig.kube.create({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: rig.namespace },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          // Nobody schedules them, so no kubelet gets hold of them.
          schedulerName: 'nobody',
          terminationGracePeriodSeconds: 0,
          containers: [{ name: 'shop', image: 'shop:1' }],
        },
      },
    },
  });
  return rig.canaryOf(name);
}

async function remove(name: string): Promise<void> {
  const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: rig.namespace, name };
  await rig.kube.remove(ref);
  await until(async () => (await rig.kube.find(ref)) === undefined);
}

function imageOf({ spec }: Deployment): string | undefined {
  return spec.template.spec?.containers?.[0]?.image;
}
