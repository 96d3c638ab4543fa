import { jest } from '@jest/globals';

import type { Canary } from '../../domain/canary.js';
import type { PodWorkload } from '../../domain/objects.js';
import { openWorkloadRig, type WorkloadRig } from './workload-rig.js';

jest.setTimeout(90_000);

/** What Flagger itself leaves, test/e2e/adoption.test.ts has; here it is what comes of it later. */
describe.each(['Deployment', 'DaemonSet'] as const)('the primary of a %s', (kind) => {
  let rig: WorkloadRig;

  beforeAll(async () => {
    rig = await openWorkloadRig(kind);
  }, 60_000);
  afterAll(() => rig.close());

  it('is the target as it is, whoever copied it', async () => {
    const canary = await aPair('copied');
    expect(await primaryRevision(canary)).toBe(await revision(canary));

    await rig.workload(canary).scaleToZero();
    expect(await primaryRevision(canary)).toBe(await revision(canary));
  });

  it('is what the target was when it was copied', async () => {
    const canary = await aPair('older');
    const before = await revision(canary);
    await rig.workload(canary).setImages({ shop: 'shop:2' });
    await rig.ready(canary, 'canary');

    expect(await revision(canary)).not.toBe(before);
    expect(await primaryRevision(canary)).toBe(before);
  });

  it('is what the target was with the configs it had then', async () => {
    const canary = await aPair('reconfigured');
    const before = await revision(canary);
    const name = 'reconfigured-settings';
    await rig.kube.patch(configRef(name), { data: { color: 'blue' } });

    expect(await revision(canary)).not.toBe(before);
    expect(await primaryRevision(canary)).toBe(before);
  });

  it('is none of the target when somebody edited it', async () => {
    const canary = await aPair('edited');
    await rig.patch('edited-primary', {
      spec: { template: { metadata: { annotations: { edited: 'by hand' } } } },
    });

    expect(await primaryRevision(canary)).toBeUndefined();
  });

  it('may be missing', async () => {
    await aTarget('single');
    expect(await primaryRevision(await rig.canaryOf('single'))).toBeUndefined();
  });

  /** A target, and a primary that is a copy of it without the marks of ours. */
  async function aPair(name: string): Promise<Canary> {
    await aTarget(name);
    const canary = await rig.canaryOf(name);
    await rig.ready(canary, 'canary');
    const made = await (await rig.workload(canary).target()).createPrimary();
    const primary = `${name}-primary`;
    const marks = { 'sluice.dev/revision': null, 'flagger-id': 'another' };
    await rig.patch(primary, { spec: { template: { metadata: { annotations: marks } } } });
    const { spec } = await rig.find<PodWorkload>(primary);
    expect(spec.template.metadata?.annotations).toEqual({ 'flagger-id': 'another' });
    expect((await rig.workload(canary).primary())?.revision).toBeUndefined();
    expect(await revision(canary)).toBe(made);
    return canary;
  }

  async function aTarget(name: string): Promise<void> {
    const { namespace, kube } = rig;
    const labels = { app: name };
    const config = configRef(`${name}-settings`);
    await kube.create({
      ...{ apiVersion: config.apiVersion, kind: config.kind },
      metadata: { name: config.name, namespace },
      ...{ data: { color: 'red' } },
    });
    await kube.create({
      apiVersion: 'apps/v1',
      kind,
      metadata: { name, namespace },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            // Nobody schedules them, so no kubelet gets hold of them.
            schedulerName: 'nobody',
            terminationGracePeriodSeconds: 0,
            containers: [
              { name: 'shop', image: 'shop:1', envFrom: [{ configMapRef: { name: config.name } }] },
            ],
          },
        },
      },
    });
  }

  async function revision(canary: Canary): Promise<string> {
    return (await rig.workload(canary).target()).revision;
  }

  async function primaryRevision(canary: Canary): Promise<string | undefined> {
    return (await rig.workload(canary).target()).primaryRevision();
  }

  function configRef(name: string): Parameters<WorkloadRig['kube']['find']>[0] {
    return { apiVersion: 'v1', kind: 'ConfigMap', namespace: rig.namespace, name };
  }
});

describe('the copy of a Service', () => {
  let rig: WorkloadRig;

  beforeAll(async () => {
    rig = await openWorkloadRig('Service');
  }, 60_000);
  afterAll(() => rig.close());

  it('is the target with the same content, whoever copied it', async () => {
    const spec = { selector: { app: 'shop' }, ports: [{ name: 'http', port: 80 }] };
    for (const name of ['shop', 'shop-primary']) {
      const metadata = { name, namespace: rig.namespace };
      await rig.kube.create({ apiVersion: 'v1', kind: 'Service', metadata, spec });
    }
    const canary = await rig.canaryOf('shop');
    const before = (await rig.workload(canary).target()).revision;
    await rig.patch('shop', { spec: { selector: { app: 'shop-2' } } });
    const target = await rig.workload(canary).target();

    expect(await target.primaryRevision()).toBe(before);
    expect(target.revision).not.toBe(before);
  });
});
