import { jest } from '@jest/globals';

import { canaryApiVersion } from '../../activities/canaries.js';
import { clashesOf } from '../../activities/clashes.js';
import { readGenerated } from '../../activities/generated.js';
import type { Canary } from '../../domain/canary.js';
import { defineKnative, knativeApi as api, playKnative, type KnativePlayer } from './knative.js';
import { openWorkloadRig, type WorkloadRig } from './workload-rig.js';

jest.setTimeout(90_000);

let rig: WorkloadRig;
let knative: KnativePlayer;

beforeAll(async () => {
  rig = await openWorkloadRig('KnativeService');
  await defineKnative(rig.kube, rig.namespace);
  knative = playKnative(rig, 'hello');
  rig.workloads.follow('KnativeService');
}, 120_000);

afterAll(() => rig.close());

describe('a Knative Service from its first release to a rollback', () => {
  let canary: Canary;

  beforeAll(async () => {
    await rig.kube.create({
      apiVersion: api,
      kind: 'Service',
      metadata: { name: 'hello', namespace: rig.namespace },
      spec: { template: templateOf('hello:1') },
    });
    canary = await rig.canaryOf('hello');
  });

  it('is refused before Knative has made a revision of it', async () => {
    await expect(rig.workload(canary).target()).rejects.toMatchObject({
      type: 'InvalidSpec',
      message: `service hello.${rig.namespace} has no revision yet`,
    });
  });

  it('has its revision pinned, with all the traffic', async () => {
    await knative.madeRevision('hello-00001', 'True');
    const revision = await rig.twice(async () => {
      const target = await rig.workload(canary).target();
      expect(target).toMatchObject({ selector: undefined, containers: [{ image: 'hello:1' }] });
      return target.createPrimary();
    });

    expect(revision).toBe('hello-00001');
    expect(await rig.find('hello')).toMatchObject({
      metadata: { annotations: { 'flagger.app/primary-revision': 'hello-00001' } },
      spec: {
        traffic: [
          { latestRevision: true, percent: 0 },
          { revisionName: 'hello-00001', percent: 100 },
        ],
      },
    });
    expect((await rig.workload(canary).primary())?.revision).toBe('hello-00001');
    expect(await rig.waitFor(canary, 'primary')).toEqual([]);
  });

  it('is ready when its new revision says so, which the watch tells', async () => {
    await knative.madeRevision('hello-00002', 'Unknown');
    const workload = rig.workload(canary);
    expect((await workload.target()).revision).toBe('hello-00002');
    expect(await workload.readiness('canary')).toEqual({
      ready: false,
      hopeless: false,
      reason: `canary service hello.${rig.namespace} not ready: waiting for rollout to finish: revision hello-00002 is not ready (Deploying)`,
    });
    const reasons = await rig.waitFor(canary, 'canary', () => knative.becomeReady('hello-00002'));

    expect(reasons).toHaveLength(1);
    expect(workload.overdue('canary')).toContain('exceeded its progressDeadlineSeconds: 600');
  });

  it('is promoted and goes back by its annotation', async () => {
    const workload = rig.workload(canary);
    const before = await rig.twice(async () => (await workload.target()).copyToPrimary());
    expect(before).toBe('hello-00001');
    const primary = (await workload.primary())!;
    expect(primary).toMatchObject({ revision: 'hello-00002', before: 'hello-00001' });

    await rig.twice(() => primary.restore('hello-00001'));
    expect((await workload.primary())?.revision).toBe('hello-00001');
  });

  it('has what was promoted last for its primary when the annotation is lost', async () => {
    await rig.patch('hello', {
      metadata: { annotations: { 'flagger.app/primary-revision': null } },
    });
    expect(await rig.workload(canary).primary()).toBeUndefined();
    const promoted = { ...canary, status: { lastPromotedSpec: 'hello-00001' } };
    const target = await rig.workload(promoted).target();

    expect(target.revision).toBe('hello-00002');
    expect(await target.createPrimary()).toBe('hello-00001');
  });

  it('has nothing to scale, and cannot be written to by us', async () => {
    const workload = rig.workload(canary);
    expect(await workload.isAtZero()).toBe(true);
    await rig.twice(async () => {
      await workload.scaleFromZero();
      await workload.scaleToZero();
      await workload.revert();
    });
    await expect(workload.setImages({})).rejects.toMatchObject({ type: 'InvalidSpec' });
    await expect(workload.putBack('hello-00001')).rejects.toMatchObject({ type: 'InvalidSpec' });
    await workload.putBack('hello-00002');
  });

  it('is refused to a second canary as long as the first one is there', async () => {
    const second = { ...canary, name: 'second' };
    const clashes = async (): Promise<string[]> =>
      clashesOf(rig.deps, second, await readGenerated(rig.deps, second));
    const { namespace } = rig;
    expect(await clashes()).toEqual([
      `service hello.${namespace} belongs to canary hello.${namespace}`,
    ]);

    const first = { apiVersion: canaryApiVersion, kind: 'Canary', namespace, name: 'hello' };
    await rig.kube.remove(first);
    expect(await clashes()).toEqual([]);
  });
});

function templateOf(image: string): object {
  return { spec: { containers: [{ image }] } };
}
