import { jest } from '@jest/globals';

import type { CanaryRef } from '../../domain/release.js';
import type { ScalerObject } from '../../domain/scalers/primary-scaler.js';
import { openRig, type CanaryRig } from './canary-rig.js';
import { defineScaledObjects } from './keda.js';

jest.setTimeout(60_000);

const ending = { outcome: 'promoted', startedAt: 0, waitedForPeopleMs: 0 } as const;
const pausedAnnotation = 'autoscaling.keda.sh/paused-replicas';
const hpa = { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' };
const scaledObject = { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject' };
let rig: CanaryRig;

beforeAll(async () => {
  rig = await openRig('scaled-releases');
  await defineScaledObjects(rig.kube);
}, 120_000);
afterAll(() => rig.close());

describe('a release with a HorizontalPodAutoscaler', () => {
  let canary: CanaryRef;
  let first: string;

  beforeAll(async () => {
    canary = rig.refTo('shop');
    await rig.createTarget(canary);
    await rig.createCanary(canary, { autoscalerRef: { ...hpa, name: 'shop' } });
  });

  // B20
  it('does not begin without it', async () => {
    const preparing = rig.attempt('prepare', { canary, report: { key: '1' } });
    await expect(preparing).rejects.toThrow(
      `HorizontalPodAutoscaler shop.${canary.namespace} get query error: HorizontalPodAutoscaler "shop" not found`,
    );
  });

  it('begins with a copy for the primary, which starts as big as the target', async () => {
    await create(hpa, 'shop', { minReplicas: 3, maxReplicas: 5 });
    ({ revision: first } = await rig.attempt('prepare', { canary, report: { key: '2' } }));
    await rig.ready(canary, 'primary');
    await rig.attempt('initialise', { canary, revision: first, report: { key: '3' } });

    expect((await find(hpa, 'shop-primary'))?.spec).toMatchObject({
      scaleTargetRef: { name: 'shop-primary' },
      maxReplicas: 5,
    });
    expect((await rig.deployment('shop-primary')).spec.replicas).toBe(2);
    expect((await rig.deployment('shop')).spec.replicas).toBe(0);
  });

  it('starts the target with the least number of pods, and leaves more to the scaler', async () => {
    await rig.attempt('scaleUp', { canary, report: { key: '4' } });
    expect((await rig.deployment('shop')).spec.replicas).toBe(3);
  });

  it('promotes the bounds, and not the number of pods', async () => {
    await rig.kube.patch(refTo(hpa, 'shop'), { spec: { maxReplicas: 9 } });
    const { revision } = await rig.attempt('setImages', { canary, images: { shop: 'shop:2' } });
    await rig.attempt('promote', { canary, revision, report: { key: '5' } });

    expect((await find(hpa, 'shop-primary'))?.spec).toMatchObject({ maxReplicas: 9 });
    expect((await rig.deployment('shop-primary')).spec.replicas).toBe(2);
  });
});

describe('a release with a ScaledObject', () => {
  let canary: CanaryRef;

  beforeAll(async () => {
    canary = rig.refTo('till');
    await create(scaledObject, 'till', {
      minReplicaCount: 2,
      triggers: [{ type: 'cron', metadata: { timezone: 'UTC' } }],
    });
    await rig.createTarget(canary);
    await rig.createCanary(canary, { autoscalerRef: { ...scaledObject, name: 'till' } });
    const { revision } = await rig.attempt('prepare', { canary, report: { key: '1' } });
    expect(await pauses()).toEqual({ till: undefined, 'till-primary': undefined });
    await rig.ready(canary, 'primary');
    await rig.attempt('initialise', { canary, revision, report: { key: '2' } });
  });

  it('pauses it while the target rests', async () => {
    expect(await pauses()).toEqual({ till: '0', 'till-primary': undefined });
  });

  it('lets it scale during the analysis, and pauses it after', async () => {
    await rig.attempt('scaleUp', { canary, report: { key: '3' } });
    expect(await pauses()).toEqual({ till: undefined, 'till-primary': undefined });
    expect((await rig.deployment('till')).spec.replicas).toBe(2);

    await rig.attempt('finish', { canary, ending, report: { key: '4' } });
    expect(await pauses()).toEqual({ till: '0', 'till-primary': undefined });
    expect((await rig.deployment('till')).spec.replicas).toBe(0);
  });

  it('pauses it after a rollback', async () => {
    await rig.attempt('scaleUp', { canary, report: { key: '5' } });
    const rollback = { canary, cookies: {}, primaryBefore: undefined, ending };
    await rig.attempt('rollBack', { ...rollback, report: { key: '6' } });
    expect(await pauses()).toEqual({ till: '0', 'till-primary': undefined });
  });

  it('pauses it although somebody else has stopped the pods', async () => {
    await rig.attempt('scaleUp', { canary, report: { key: '7' } });
    const deployment = { apiVersion: 'apps/v1', kind: 'Deployment' };
    await rig.kube.patch(refTo(deployment, 'till'), { spec: { replicas: 0 } });
    await rig.attempt('finish', { canary, ending, report: { key: '8' } });
    expect(await pauses()).toEqual({ till: '0', 'till-primary': undefined });
  });

  // B23
  it('gives the primary a new copy that is not paused', async () => {
    await rig.kube.remove(refTo(scaledObject, 'till-primary'));
    const routes = { primary: 100, canary: 0 };
    await rig.attempt('reconcile', { canary, routes, cookies: {}, report: { key: '9' } });
    expect(await pauses()).toEqual({ till: '0', 'till-primary': undefined });
  });

  it('gives it back with the target when the Canary is deleted', async () => {
    await rig.attempt('revert', { canary, report: { key: '10' } });
    expect(await pauses()).toMatchObject({ till: undefined });
  });
});

/** Which ScaledObjects are paused, and at how many pods. */
async function pauses(): Promise<Record<string, string | undefined>> {
  const { namespace } = rig;
  const all = await rig.kube.list<ScalerObject>({ ...scaledObject, namespace });
  return Object.fromEntries(
    all.map(({ metadata }) => [metadata.name, metadata.annotations?.[pausedAnnotation]]),
  );
}

async function create(kind: typeof hpa, name: string, spec: object): Promise<void> {
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name };
  await rig.kube.create({
    ...kind,
    metadata: { name, namespace: rig.namespace },
    spec: { scaleTargetRef, ...spec },
  });
}

function find(kind: typeof hpa, name: string): Promise<ScalerObject | undefined> {
  return rig.kube.find<ScalerObject>(refTo(kind, name));
}

function refTo(kind: typeof hpa, name: string): Parameters<typeof rig.kube.find>[0] {
  return { ...kind, namespace: rig.namespace, name };
}
