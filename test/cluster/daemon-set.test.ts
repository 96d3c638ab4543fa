import { jest } from '@jest/globals';

import type { Canary } from '../../domain/canary.js';
import type { DaemonSet } from '../../domain/objects.js';
import { brokenTag, until } from './activity-bench.js';
import { openWorkloadRig, type WorkloadRig } from './workload-rig.js';

jest.setTimeout(90_000);

let rig: WorkloadRig;

beforeAll(async () => {
  rig = await openWorkloadRig('DaemonSet');
}, 60_000);

afterAll(() => rig.close());

describe('a DaemonSet from its creation to a rollback', () => {
  let canary: Canary;
  let first: string;
  let second: string;

  beforeAll(async () => {
    canary = await aTarget('agent');
    await rig.ready(canary, 'canary');
  });

  it('is copied to a primary, which gets pods of its own', async () => {
    first = await rig.twice(async () => {
      const target = await rig.workload(canary).target();
      expect(target.selector).toEqual({ label: 'app', value: 'agent' });
      return target.createPrimary();
    });

    expect(first).toMatch(/^[0-9a-f]{10}$/);
    expect(await rig.find('agent-primary')).toMatchObject({
      metadata: { ownerReferences: [{ kind: 'Canary', name: 'agent', controller: true }] },
      spec: {
        selector: { matchLabels: { app: 'agent-primary' } },
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 2 } },
      },
    });
    await rig.ready(canary, 'primary');
    expect((await rig.workload(canary).primary())?.revision).toBe(first);
  });

  it('is scaled to zero by a node selector, and is the same revision for all that', async () => {
    const workload = rig.workload(canary);
    await rig.twice(() => workload.scaleToZero());

    expect(await workload.isAtZero()).toBe(true);
    expect((await rig.find<DaemonSet>('agent')).spec.template.spec).toMatchObject({
      nodeSelector: { 'flagger.app/scale-to-zero': 'true' },
    });
    expect((await workload.target()).revision).toBe(first);
    await until(async () => (await pods('agent')) === 0);
    await rig.ready(canary, 'canary');
  });

  it('gets a primary with pods again when that is lost while it is at rest (B25)', async () => {
    await rig.kube.remove({ ...daemonSet, namespace: rig.namespace, name: 'agent-primary' });
    await until(async () => (await rig.workload(canary).primary()) === undefined);

    const promoted = { ...canary, status: { lastPromotedSpec: first } };
    const target = await rig.workload(promoted).target();
    expect(await target.createPrimary()).toBe(first);
    await rig.ready(canary, 'primary');
    expect(await pods('agent-primary')).toBe(1);
  });

  it('is scaled up with a new image, and tells what it waits for', async () => {
    const workload = rig.workload(canary);
    second = await rig.twice(() => workload.setImages({ app: 'agent:2' }));
    expect(second).not.toBe(first);

    await workload.scaleFromZero();
    const reasons = await rig.waitFor(canary, 'canary');
    const name = `agent.${rig.namespace}`;
    const lead = `canary damonset ${name} not ready with retryable true: waiting for rollout to finish: `;
    expect(reasons.length).toBeGreaterThan(0);
    expect(reasons.every((reason) => reason.startsWith(lead))).toBe(true);
    expect((await rig.find<DaemonSet>('agent')).spec.template.spec).not.toHaveProperty(
      'nodeSelector',
    );
    await rig.twice(() => workload.scaleFromZero());
    await until(() => workload.looksWell(second));
    expect(await workload.looksWell(first)).toBe(false);
  });

  it('is copied to the primary, and the primary goes back', async () => {
    const workload = rig.workload(canary);
    const before = (await rig.find<DaemonSet>('agent-primary')).spec.template;
    const state = await rig.twice(async () => (await workload.target()).copyToPrimary());
    expect(imageOf(await rig.find('agent-primary'))).toBe('agent:2');
    await rig.ready(canary, 'primary');

    const primary = (await workload.primary())!;
    expect(primary).toMatchObject({ revision: second, before: state });
    await rig.twice(() => primary.restore(state!));
    expect((await rig.find<DaemonSet>('agent-primary')).spec.template).toEqual(before);
    expect((await workload.primary())?.revision).toBe(first);
    await rig.ready(canary, 'primary');
  });

  it('is put back to an earlier revision, with its pods', async () => {
    const workload = rig.workload(canary);
    await rig.twice(() => workload.putBack(first));

    expect(imageOf(await rig.find('agent'))).toBe('agent:1');
    expect((await workload.target()).revision).toBe(first);
    await expect(workload.putBack('0123456789')).rejects.toMatchObject({
      type: 'InvalidSpec',
      message: `daemonset agent.${rig.namespace} cannot go back to revision 0123456789: its controller revision is gone (see spec.revisionHistoryLimit)`,
    });
  });

  it('gets its pods back', async () => {
    const workload = rig.workload(canary);
    await workload.scaleToZero();
    await until(async () => (await pods('agent')) === 0);
    await rig.twice(() => workload.revert());

    expect(await workload.isAtZero()).toBe(false);
    expect(await pods('agent')).toBe(1);
  });
});

it('a DaemonSet that is not rolled out by itself is refused', async () => {
  const canary = await aTarget('manual', { updateStrategy: { type: 'OnDelete' } });

  await expect(rig.workload(canary).target()).rejects.toMatchObject({
    type: 'InvalidSpec',
    message: `daemonset manual.${rig.namespace} must have RollingUpdate strategy but have OnDelete`,
  });
});

it('pods that do not come are waited for until the deadline of the Canary', async () => {
  const canary = await aTarget('broken', {}, `agent:${brokenTag}`);
  await until(async () => (await pods('broken')) === 1);
  await until(async () => {
    const readiness = await rig.workload(canary).readiness('canary');
    return !readiness.ready && readiness.reason.includes('0 of 1 (readyThreshold 100%)');
  });

  expect(rig.workload({ ...canary, progressDeadlineMs: 60_000 }).overdue('canary')).toBe(
    `canary damonset broken.${rig.namespace} not ready with retryable false: exceeded its progressDeadlineSeconds: 60`,
  );
});

const daemonSet = { apiVersion: 'apps/v1', kind: 'DaemonSet' };

async function aTarget(name: string, spec: object = {}, image = 'agent:1'): Promise<Canary> {
  const labels = { app: name };
  await rig.kube.create({
    ...daemonSet,
    metadata: { name, namespace: rig.namespace },
    spec: {
      selector: { matchLabels: labels },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 2 } },
      template: {
        metadata: { labels },
        spec: {
          // Nobody schedules them, so no kubelet gets hold of them.
          schedulerName: 'nobody',
          terminationGracePeriodSeconds: 0,
          containers: [{ name: 'app', image }],
        },
      },
      ...spec,
    },
  });
  return rig.canaryOf(name);
}

async function pods(app: string): Promise<number> {
  const { kube, namespace } = rig;
  const kind = { apiVersion: 'v1', kind: 'Pod', namespace };
  return (await kube.list({ ...kind, labelSelector: `app=${app}` })).length;
}

function imageOf({ spec }: DaemonSet): string | undefined {
  return spec.template.spec?.containers?.[0]?.image;
}
