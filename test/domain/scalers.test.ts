import type { AutoscalerRef, Canary } from '../../domain/canary.js';
import { minReplicasOfHpa, primaryHpa } from '../../domain/scalers/hpa.js';
import type { ScalerObject } from '../../domain/scalers/primary-scaler.js';
import {
  minReplicasOfScaledObject,
  paused,
  primaryQuery,
  primaryScaledObject,
  resumed,
} from '../../domain/scalers/scaled-object.js';
import { aCanary } from '../activities/a-canary.js';

const canary: Canary = aCanary();
const owner = {
  apiVersion: 'flagger.app/v1beta1',
  kind: 'Canary',
  name: 'podinfo',
  uid: 'a-uid',
  controller: true,
  blockOwnerDeletion: true,
};

describe("the primary's HorizontalPodAutoscaler", () => {
  const ref = aRef('HorizontalPodAutoscaler');
  const target = anHpa();

  it("is the target's, for the primary", () => {
    expect(primaryHpa(canary, ref, { target, live: undefined })).toEqual({
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: {
        name: 'podinfo-primary',
        namespace: 'test',
        labels: { team: 'shop' },
        annotations: { note: 'by hand' },
        ownerReferences: [owner],
      },
      spec: {
        ...target.spec,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'podinfo-primary' },
      },
    });
  });

  it.each([
    [{ minReplicas: 4 }, { minReplicas: 4, maxReplicas: 5 }],
    [{ maxReplicas: 9 }, { minReplicas: 2, maxReplicas: 9 }],
    [
      { minReplicas: 4, maxReplicas: 9 },
      { minReplicas: 4, maxReplicas: 9 },
    ],
  ])('has the bounds %j that the Canary gives it', (primaryScalerReplicas, bounds) => {
    const own = { ...ref, primaryScalerReplicas };
    expect(primaryHpa(canary, own, { target, live: undefined }).spec).toMatchObject(bounds);
  });

  it('follows the target, and keeps what others wrote on it', () => {
    const live = {
      ...primaryHpa(canary, ref, { target, live: undefined }),
      metadata: {
        name: 'podinfo-primary',
        uid: 'live',
        labels: { team: 'old', foreign: 'yes' },
        annotations: { seen: 'yes' },
      },
      status: { currentReplicas: 3 },
    };
    const changed = anHpa({ metrics: [{ type: 'Pods' }], maxReplicas: 7 });

    expect(primaryHpa(canary, ref, { target: changed, live })).toEqual({
      ...live,
      metadata: {
        name: 'podinfo-primary',
        uid: 'live',
        labels: { team: 'shop', foreign: 'yes' },
        annotations: { note: 'by hand', seen: 'yes' },
      },
      spec: {
        ...changed.spec,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'podinfo-primary' },
      },
    });
  });

  it.each([
    [undefined, 1],
    [anHpa({ minReplicas: undefined }), 1],
    [anHpa({ minReplicas: 0 }), 1],
    [anHpa({ minReplicas: 3 }), 3],
  ])('starts the target with its least number of pods (%#)', (hpa, pods) => {
    expect(minReplicasOfHpa(hpa)).toBe(pods);
  });
});

describe("the primary's ScaledObject", () => {
  const ref = aRef('ScaledObject');

  it('asks about the primary what the other one asks about the target', () => {
    const target = aScaledObject();
    const { spec, metadata } = primaryScaledObject(canary, ref, { target, live: undefined });

    expect(metadata).toEqual({
      name: 'podinfo-primary',
      namespace: 'test',
      labels: {},
      annotations: { 'scaledobject.keda.sh/transfer-hpa-ownership': 'true' },
      ownerReferences: [owner],
    });
    expect(spec).toEqual({
      ...target.spec,
      scaleTargetRef: { name: 'podinfo-primary', envSourceContainerName: 'app' },
      triggers: [
        { type: 'cron', metadata: { timezone: 'UTC' } },
        {
          type: 'prometheus',
          name: 'load',
          metadata: { query: 'sum(rate(requests{pod=~"podinfo-primary-.*"}[1m]))' },
        },
      ],
    });
  });

  it('asks what the Canary says, by the name of the trigger', () => {
    const own = { ...ref, primaryScalerQueries: { load: 'vector(1)', other: 'vector(2)' } };
    const { spec } = primaryScaledObject(canary, own, {
      target: aScaledObject({
        triggers: [
          { type: 'prometheus', name: 'load', metadata: { query: 'podinfo', threshold: '1' } },
          { type: 'prometheus', name: 'errors', metadata: { query: 'podinfo' } },
        ],
      }),
      live: undefined,
    });

    expect(spec['triggers']).toEqual([
      { type: 'prometheus', name: 'load', metadata: { query: 'vector(1)', threshold: '1' } },
      { type: 'prometheus', name: 'errors', metadata: { query: 'podinfo' } },
    ]);
  });

  // B22
  it.each([
    [
      'one with a name',
      { name: 'podinfo', behavior: {} },
      { name: 'podinfo-primary', behavior: {} },
    ],
    ['one without', { behavior: {} }, { behavior: {} }],
  ])('has an HPA of another name: %s', (_, config, expected) => {
    const target = aScaledObject({
      advanced: { restoreToOriginalReplicaCount: true, horizontalPodAutoscalerConfig: config },
    });
    const { spec } = primaryScaledObject(canary, ref, { target, live: undefined });

    expect(spec['advanced']).toEqual({
      restoreToOriginalReplicaCount: true,
      horizontalPodAutoscalerConfig: expected,
    });
  });

  it('has the bounds that the Canary gives it', () => {
    const own = { ...ref, primaryScalerReplicas: { minReplicas: 4, maxReplicas: 9 } };
    const scalers = { target: aScaledObject(), live: undefined };
    expect(primaryScaledObject(canary, own, scalers).spec).toMatchObject({
      minReplicaCount: 4,
      maxReplicaCount: 9,
    });
  });

  // B23
  it.each([
    'autoscaling.keda.sh/paused-replicas',
    'autoscaling.keda.sh/paused',
    'kubectl.kubernetes.io/last-applied-configuration',
    'kustomize.toolkit.fluxcd.io/checksum',
  ])('does not inherit %s, new or not', (annotation) => {
    const target = aScaledObject({}, { annotations: { [annotation]: '0', kept: 'yes' } });
    const created = primaryScaledObject(canary, ref, { target, live: undefined });
    const updated = primaryScaledObject(canary, ref, { target, live: created });

    expect(created.metadata.annotations).toEqual({ kept: 'yes' });
    expect(updated).toEqual(created);
  });

  it('stays paused if somebody has paused it', () => {
    const annotations = { 'autoscaling.keda.sh/paused-replicas': '7' };
    const live = aScaledObject({}, { name: 'podinfo-primary', annotations });
    const updated = primaryScaledObject(canary, ref, { target: aScaledObject(), live });

    expect(updated.metadata.annotations).toMatchObject(annotations);
  });

  it('is paused and resumed, which leaves no trace', () => {
    const target = aScaledObject();
    const asleep = paused(target);

    expect(asleep.metadata.annotations).toEqual({
      ...target.metadata.annotations,
      'autoscaling.keda.sh/paused-replicas': '0',
    });
    expect(paused(asleep)).toEqual(asleep);
    expect(resumed(asleep)).toEqual(target);
    expect(resumed(target)).toBe(target);
  });

  it.each([
    [undefined, 1],
    [aScaledObject({ minReplicaCount: 0 }), 1],
    [aScaledObject({ minReplicaCount: 3 }), 3],
  ])('starts the target with its least number of pods (%#)', (scaledObject, pods) => {
    expect(minReplicasOfScaledObject(scaledObject)).toBe(pods);
  });
});

it.each([
  ['requests{app="podinfo"}', 'requests{app="podinfo-primary"}'],
  ['requests{app="podinfo-canary"}', 'requests{app="podinfo-primary"}'],
  ['requests{app="podinfo-primary"}', 'requests{app="podinfo-primary"}'],
  ['requests{pod=~"podinfo-[a-z0-9]+"}', 'requests{pod=~"podinfo-primary-[a-z0-9]+"}'],
  ['a{x="podinfo"} / b{x="podinfo"}', 'a{x="podinfo-primary"} / b{x="podinfo-primary"}'],
  ['podinfo_requests{app="podinfo"}', 'podinfo_requests{app="podinfo-primary"}'],
  ['up{job="mypodinfo"}', 'up{job="mypodinfo"}'],
])('asks about the primary: %s', (query, expected) => {
  expect(primaryQuery(query, 'podinfo')).toBe(expected);
});

it('takes the dots of a name for what they are', () => {
  expect(primaryQuery('a{x="shop.v1"} + a{x="shopxv1"}', 'shop.v1')).toBe(
    'a{x="shop.v1-primary"} + a{x="shopxv1"}',
  );
});

function aRef(kind: AutoscalerRef['kind']): AutoscalerRef {
  const base = { name: 'podinfo', primaryScalerQueries: {}, primaryScalerReplicas: {} };
  return kind === 'ScaledObject'
    ? { ...base, kind, apiVersion: 'keda.sh/v1alpha1' }
    : { ...base, kind, apiVersion: 'autoscaling/v2' };
}

function anHpa(spec: object = {}): ScalerObject {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: {
      name: 'podinfo',
      namespace: 'test',
      uid: 'target',
      labels: { team: 'shop', 'kustomize.toolkit.fluxcd.io/name': 'apps' },
      annotations: { note: 'by hand', 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
    },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'podinfo' },
      minReplicas: 2,
      maxReplicas: 5,
      metrics: [{ type: 'Resource', resource: { name: 'cpu' } }],
      behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
      ...spec,
    },
    status: { currentReplicas: 2 },
  };
}

function aScaledObject(
  spec: object = {},
  metadata: Partial<ScalerObject['metadata']> = {},
): ScalerObject {
  return {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: {
      name: 'podinfo',
      namespace: 'test',
      labels: { 'scaledobject.keda.sh/name': 'podinfo' },
      annotations: { 'scaledobject.keda.sh/transfer-hpa-ownership': 'true' },
      ...metadata,
    },
    spec: {
      scaleTargetRef: { name: 'podinfo', envSourceContainerName: 'app' },
      pollingInterval: 10,
      cooldownPeriod: 30,
      fallback: { failureThreshold: 3, replicas: 4 },
      triggers: [
        { type: 'cron', metadata: { timezone: 'UTC' } },
        {
          type: 'prometheus',
          name: 'load',
          metadata: { query: 'sum(rate(requests{pod=~"podinfo-.*"}[1m]))' },
        },
      ],
      ...spec,
    },
  };
}
