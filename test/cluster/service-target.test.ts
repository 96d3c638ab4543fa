import { jest } from '@jest/globals';

import type { Canary } from '../../domain/canary.js';
import type { Service } from '../../domain/objects.js';
import { openWorkloadRig, type WorkloadRig } from './workload-rig.js';

jest.setTimeout(90_000);

let rig: WorkloadRig;

beforeAll(async () => {
  rig = await openWorkloadRig('Service');
}, 60_000);

afterAll(() => rig.close());

describe('a Service from its first release to a rollback', () => {
  let canary: Canary;
  let first: string;
  let second: string;
  let untouched: string | undefined;

  beforeAll(async () => {
    canary = await aTarget('web', {
      type: 'NodePort',
      selector: { app: 'v1' },
      ports: [{ name: 'http', port: 80, targetPort: 8080 }],
    });
    untouched = (await rig.find('web')).metadata.resourceVersion;
  });

  it('is copied for each of the two versions, and not touched itself', async () => {
    first = await rig.twice(async () => (await rig.workload(canary).target()).createPrimary());

    for (const name of ['web-primary', 'web-canary']) {
      const copy = await rig.find<Service>(name);
      expect(copy).toMatchObject({
        metadata: { ownerReferences: [{ kind: 'Canary', name: 'web', controller: true }] },
        spec: { type: 'ClusterIP', selector: { app: 'v1' }, ports: [{ name: 'http', port: 80 }] },
      });
      expect(copy.spec['clusterIP']).not.toBe((await rig.find<Service>('web')).spec['clusterIP']);
    }
    expect((await rig.find('web')).metadata.resourceVersion).toBe(untouched);
    expect((await rig.workload(canary).primary())?.revision).toBe(first);
  });

  it('is always ready, has no pods to scale and no images to set', async () => {
    const workload = rig.workload(canary);

    expect(await rig.waitFor(canary, 'primary')).toEqual([]);
    expect(await workload.readiness('canary')).toEqual({ ready: true });
    expect(await workload.isAtZero()).toBe(true);
    await rig.twice(() => workload.scaleToZero());
    await rig.twice(() => workload.revert());
    await expect(workload.setImages({})).rejects.toMatchObject({ type: 'InvalidSpec' });
    expect(await workload.looksWell(first)).toBe(true);
  });

  it('is another revision when requests go elsewhere, but not when it is reached differently', async () => {
    const workload = rig.workload(canary);
    await rig.patch('web', { spec: { externalTrafficPolicy: 'Local' } });
    expect((await workload.target()).revision).toBe(first);

    await rig.patch('web', { spec: { selector: { app: 'v2' } } });
    second = (await workload.target()).revision;
    expect(second).not.toBe(first);
  });

  it('leads to the new version as soon as that is awaited', async () => {
    expect(selectorOf(await rig.find('web-canary'))).toEqual({ app: 'v1' });
    await rig.twice(() => rig.waitFor(canary, 'canary'));

    expect(selectorOf(await rig.find('web-canary'))).toEqual({ app: 'v2' });
    expect(selectorOf(await rig.find('web-primary'))).toEqual({ app: 'v1' });
  });

  it('is promoted, and the copy keeps its address and its owner', async () => {
    const workload = rig.workload(canary);
    const before = await rig.find<Service>('web-primary');
    const state = await rig.twice(async () => (await workload.target()).copyToPrimary());
    const after = await rig.find<Service>('web-primary');

    expect(state).toBe(first);
    expect(selectorOf(after)).toEqual({ app: 'v2' });
    expect(after.spec['clusterIP']).toBe(before.spec['clusterIP']);
    expect(after.metadata.uid).toBe(before.metadata.uid);
    expect(after.metadata.ownerReferences).toEqual(before.metadata.ownerReferences);
    expect((await workload.primary())?.revision).toBe(second);
  });

  it('goes back', async () => {
    const primary = (await rig.workload(canary).primary())!;
    expect(primary.before).toBe(first);
    await rig.twice(() => primary.restore(first));

    expect(selectorOf(await rig.find('web-primary'))).toEqual({ app: 'v1' });
    expect((await rig.workload(canary).primary())?.revision).toBe(first);
    await expect(primary.restore('0123456789')).rejects.toMatchObject({ type: 'InvalidSpec' });
  });
});

it('a Service may become another name, and a service with pods again', async () => {
  const ports = [{ name: 'http', port: 80 }];
  const canary = await aTarget('named', { selector: { app: 'v1' }, ports });
  const workload = rig.workload(canary);
  const promote = async (): Promise<void> => {
    await rig.twice(async () => (await workload.target()).copyToPrimary());
  };
  await (await workload.target()).createPrimary();

  const external = { type: 'ExternalName', externalName: 'db.example.com' };
  await rig.patch('named', { spec: { ...external, selector: null, ports: null, clusterIP: null } });
  await promote();
  expect((await rig.find('named-primary')).spec).toMatchObject(external);

  const internal = { type: 'ClusterIP', externalName: null, selector: { app: 'v2' }, ports };
  await rig.patch('named', { spec: internal });
  await promote();
  const { spec } = await rig.find<Service>('named-primary');
  expect(spec).toMatchObject({ type: 'ClusterIP', selector: { app: 'v2' } });
  expect(spec['clusterIP']).toMatch(/\d/);
});

it('a headless Service gets headless copies', async () => {
  const canary = await aTarget('headless', { clusterIP: 'None', selector: { app: 'v1' } });
  await rig.twice(async () => (await rig.workload(canary).target()).createPrimary());

  expect((await rig.find('headless-primary')).spec).toMatchObject({ clusterIP: 'None' });
});

it('a Service that is missing is named', async () => {
  const canary = await rig.canaryOf('missing');

  await expect(rig.workload(canary).target()).rejects.toMatchObject({
    type: 'InvalidSpec',
    message: `service missing.${rig.namespace} get query error: services "missing" not found`,
  });
});

async function aTarget(name: string, spec: object): Promise<Canary> {
  await rig.kube.create({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: rig.namespace, labels: { team: 'a' } },
    spec,
  });
  return rig.canaryOf(name);
}

function selectorOf({ spec }: Service): unknown {
  return spec.selector;
}
