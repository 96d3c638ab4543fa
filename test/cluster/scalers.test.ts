import { jest } from '@jest/globals';

import type { Deps } from '../../activities/deps.js';
import { connectKube } from '../../activities/kube.js';
import { scalerOf } from '../../activities/scalers/index.js';
import type { Scaler } from '../../activities/scalers/scaler.js';
import type { AutoscalerRef, Canary } from '../../domain/canary.js';
import type { KubeObject } from '../../domain/objects.js';
import type { ScalerObject } from '../../domain/scalers/primary-scaler.js';
import { aCanary, someSettings } from '../activities/a-canary.js';
import { defineScaledObjects } from './keda.js';

jest.setTimeout(120_000);

const namespace = `scalers-${String(process.pid)}`;
const kube = connectKube();
/** What scalers have written, since a test asked. */
let writes: string[] = [];
const deps = {
  kube: {
    ...kube,
    create: <T extends KubeObject>(object: T) => {
      writes.push(`create ${object.metadata.name}`);
      return kube.create(object);
    },
    replace: <T extends KubeObject>(object: T) => {
      writes.push(`replace ${object.metadata.name}`);
      return kube.replace(object);
    },
  },
  settings: someSettings,
} as unknown as Deps;

beforeAll(async () => {
  await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await defineScaledObjects(kube);
}, 120_000);
afterAll(() =>
  kube.remove({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: namespace }),
);
beforeEach(() => {
  writes = [];
});

it('is none where the Canary names none', () => {
  expect(scalerOf(deps, aCanary())).toBeUndefined();
});

describe('a HorizontalPodAutoscaler', () => {
  // B20
  it('that is missing is an error that names it, for as long as it is missing', async () => {
    const { scaler, name } = await aScaler('HorizontalPodAutoscaler');
    for (const attempt of [scaler.createPrimary, scaler.updatePrimary]) {
      await expect(attempt()).rejects.toThrow(
        `HorizontalPodAutoscaler ${name}.${namespace} get query error: HorizontalPodAutoscaler "${name}" not found`,
      );
    }
    expect(await scaler.minReplicas()).toBe(1);

    await createHpa(name);
    await scaler.createPrimary();
    expect(
      await find('autoscaling/v2', 'HorizontalPodAutoscaler', `${name}-primary`),
    ).toBeDefined();
  });

  it('gets a copy for the primary, with the bounds of the Canary', async () => {
    const { scaler, name, canary } = await aScaler('HorizontalPodAutoscaler', {
      primaryScalerReplicas: { minReplicas: 3 },
    });
    await createHpa(name);
    await scaler.createPrimary();
    await scaler.createPrimary();

    const copy = await find('autoscaling/v2', 'HorizontalPodAutoscaler', `${name}-primary`);
    expect(copy?.metadata).toMatchObject({
      labels: { team: 'shop' },
      annotations: { note: 'mine' },
      ownerReferences: [{ kind: 'Canary', name: canary.name, controller: true }],
    });
    expect(copy?.spec).toMatchObject({
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: `${name}-primary` },
      minReplicas: 3,
      maxReplicas: 5,
      metrics: [{ type: 'Resource', resource: { name: 'cpu' } }],
      behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
    });
    expect(writes).toEqual([`create ${name}-primary`]);
  });

  // B21
  it('is followed at promotions, and only there, with its labels and annotations', async () => {
    const { scaler, name } = await aScaler('HorizontalPodAutoscaler');
    await createHpa(name);
    await scaler.createPrimary();
    await change('autoscaling/v2', 'HorizontalPodAutoscaler', name, {
      metadata: { labels: { team: 'till' }, annotations: { note: 'yours' } },
      spec: { maxReplicas: 9, behavior: null },
    });
    await scaler.createPrimary();
    const before = await find('autoscaling/v2', 'HorizontalPodAutoscaler', `${name}-primary`);
    expect(before?.spec).toMatchObject({ maxReplicas: 5 });

    await scaler.updatePrimary();
    await scaler.updatePrimary();
    const after = await find('autoscaling/v2', 'HorizontalPodAutoscaler', `${name}-primary`);
    expect(after?.metadata).toMatchObject({
      uid: before?.metadata.uid,
      labels: { team: 'till' },
      annotations: { note: 'yours' },
    });
    expect(after?.spec).toMatchObject({
      scaleTargetRef: { name: `${name}-primary` },
      maxReplicas: 9,
    });
    expect(after?.spec['behavior']).toBeUndefined();
    expect(writes).toEqual([`create ${name}-primary`, `replace ${name}-primary`]);
  });

  it('whose copy was deleted gets another one at the promotion', async () => {
    const { scaler, name } = await aScaler('HorizontalPodAutoscaler');
    await createHpa(name);
    await scaler.updatePrimary();
    expect(writes).toEqual([`create ${name}-primary`]);
  });

  it('needs no pause, and tells the pods a target starts with', async () => {
    const { scaler, name } = await aScaler('HorizontalPodAutoscaler');
    await createHpa(name, { minReplicas: 3 });
    await scaler.pauseTarget();
    await scaler.resumeTarget();

    expect(writes).toEqual([]);
    expect(await scaler.minReplicas()).toBe(3);
  });
});

describe('a ScaledObject', () => {
  // B22
  it('gets a copy that the real schema of KEDA keeps as it is', async () => {
    const { scaler, name, canary } = await aScaler('ScaledObject', {
      primaryScalerReplicas: { minReplicas: 2, maxReplicas: 8 },
    });
    const { spec } = await createScaledObject(name);
    await scaler.createPrimary();

    const copy = await find('keda.sh/v1alpha1', 'ScaledObject', `${name}-primary`);
    expect(copy?.metadata).toMatchObject({
      annotations: { 'scaledobject.keda.sh/transfer-hpa-ownership': 'true' },
      ownerReferences: [{ kind: 'Canary', name: canary.name, controller: true }],
    });
    expect(copy?.spec).toEqual({
      ...spec,
      scaleTargetRef: { ...spec.scaleTargetRef, name: `${name}-primary` },
      minReplicaCount: 2,
      maxReplicaCount: 8,
      advanced: {
        restoreToOriginalReplicaCount: true,
        horizontalPodAutoscalerConfig: {
          name: `${name}-hpa-primary`,
          behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
        },
      },
      triggers: [
        {
          type: 'prometheus',
          name: 'load',
          metadata: {
            serverAddress: 'http://prometheus:9090',
            query: `sum(rate(requests{app="${name}-primary"}[1m]))`,
            threshold: '5',
          },
          authenticationRef: { name: 'prometheus' },
        },
      ],
    });

    await scaler.updatePrimary();
    expect(writes).toEqual([`create ${name}-primary`]);
  });

  it('is paused while its target has no pods, and resumed after', async () => {
    const { scaler, name } = await aScaler('ScaledObject');
    const { metadata } = await createScaledObject(name);
    await scaler.pauseTarget();
    await scaler.pauseTarget();
    const asleep = await find('keda.sh/v1alpha1', 'ScaledObject', name);
    expect(asleep?.metadata.annotations).toEqual({
      ...metadata.annotations,
      'autoscaling.keda.sh/paused-replicas': '0',
    });

    await scaler.resumeTarget();
    await scaler.resumeTarget();
    const awake = await find('keda.sh/v1alpha1', 'ScaledObject', name);
    expect(awake?.metadata.annotations).toEqual(metadata.annotations);
    expect(writes).toEqual([`replace ${name}`, `replace ${name}`]);
  });

  // B23
  it('that is paused leaves the primary awake, also when that gets a new copy or an update', async () => {
    const { scaler, name } = await aScaler('ScaledObject');
    await createScaledObject(name);
    await scaler.createPrimary();
    await scaler.pauseTarget();
    await kube.remove(refTo('keda.sh/v1alpha1', 'ScaledObject', `${name}-primary`));
    await scaler.createPrimary();
    const created = await find('keda.sh/v1alpha1', 'ScaledObject', `${name}-primary`);
    await change('keda.sh/v1alpha1', 'ScaledObject', name, { spec: { pollingInterval: 7 } });
    await scaler.updatePrimary();
    const updated = await find('keda.sh/v1alpha1', 'ScaledObject', `${name}-primary`);

    expect(updated?.spec['pollingInterval']).toBe(7);
    for (const { metadata } of [created!, updated!]) {
      expect(Object.keys(metadata.annotations ?? {})).toEqual([
        'scaledobject.keda.sh/transfer-hpa-ownership',
      ]);
    }
  });

  it('that is missing can be neither paused nor resumed, which is no harm', async () => {
    const { scaler } = await aScaler('ScaledObject');
    await scaler.pauseTarget();
    await scaler.resumeTarget();
    expect(await scaler.minReplicas()).toBe(1);
    expect(writes).toEqual([]);
  });

  it('tells the pods a target starts with', async () => {
    const { scaler, name } = await aScaler('ScaledObject');
    await createScaledObject(name, { minReplicaCount: 4 });
    expect(await scaler.minReplicas()).toBe(4);
  });
});

let number = 0;

/** The scaler of a canary that lives: what a dead one owns is collected as garbage. */
async function aScaler(
  kind: AutoscalerRef['kind'],
  parts: Partial<AutoscalerRef> = {},
): Promise<{ scaler: Scaler; name: string; canary: Canary }> {
  number += 1;
  const name = `shop-${String(number)}`;
  const target = { apiVersion: 'apps/v1', kind: 'Deployment', name } as const;
  const { metadata } = await kube.create<KubeObject>({
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name, namespace },
    spec: {
      targetRef: target,
      service: { port: 80 },
      analysis: { interval: '10s', threshold: 1, stepWeight: 10 },
    },
  });
  const apiVersion = kind === 'ScaledObject' ? 'keda.sh/v1alpha1' : 'autoscaling/v2';
  const canary: Canary = {
    ...aCanary(),
    ...{ name, namespace, target, uid: metadata.uid! },
    autoscaler: {
      ...{ apiVersion, kind, name, primaryScalerQueries: {}, primaryScalerReplicas: {} },
      ...parts,
    },
  };
  return { scaler: scalerOf(deps, canary)!, name, canary };
}

function createHpa(name: string, spec: object = {}): Promise<KubeObject> {
  return kube.create({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: {
      ...{ name, namespace },
      labels: { team: 'shop', 'kustomize.toolkit.fluxcd.io/name': 'apps' },
      annotations: { note: 'mine' },
    },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicas: 2,
      maxReplicas: 5,
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } },
        },
      ],
      behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
      ...spec,
    },
  });
}

function createScaledObject(name: string, spec: object = {}): Promise<ScalerObject> {
  return kube.create<ScalerObject>({
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: {
      ...{ name, namespace },
      annotations: { 'scaledobject.keda.sh/transfer-hpa-ownership': 'true' },
    },
    spec: {
      scaleTargetRef: { name, envSourceContainerName: 'shop' },
      pollingInterval: 5,
      cooldownPeriod: 30,
      idleReplicaCount: 0,
      minReplicaCount: 1,
      maxReplicaCount: 4,
      fallback: { failureThreshold: 3, replicas: 2 },
      advanced: {
        restoreToOriginalReplicaCount: true,
        horizontalPodAutoscalerConfig: {
          name: `${name}-hpa`,
          behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
        },
      },
      triggers: [
        {
          type: 'prometheus',
          name: 'load',
          metadata: {
            serverAddress: 'http://prometheus:9090',
            query: `sum(rate(requests{app="${name}"}[1m]))`,
            threshold: '5',
          },
          authenticationRef: { name: 'prometheus' },
        },
      ],
      ...spec,
    },
  });
}

function refTo(apiVersion: string, kind: string, name: string): Parameters<typeof kube.find>[0] {
  return { apiVersion, kind, namespace, name };
}

function find(apiVersion: string, kind: string, name: string): Promise<ScalerObject | undefined> {
  return kube.find<ScalerObject>(refTo(apiVersion, kind, name));
}

async function change(apiVersion: string, kind: string, name: string, by: object): Promise<void> {
  await kube.patch(refTo(apiVersion, kind, name), by);
}
