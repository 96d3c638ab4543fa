import { jest } from '@jest/globals';

import type { KubeObject } from '../../domain/objects.js';
import { defineScaledObjects } from '../cluster/keda.js';
import { differs, openRig, same, type App, type AppOptions, type Rig } from './rig.js';

jest.setTimeout(180_000);

let rig: Rig;

beforeAll(async () => {
  rig = await openRig('scalers');
  await defineScaledObjects(rig.kube);
}, 60_000);

afterAll(() => rig.close(), 60_000);

describe('a HorizontalPodAutoscaler', () => {
  it.concurrent(
    same('B20', 'that is missing is an error, and keeps all from beginning'),
    async () => {
      const app = await rig.open('missing', { spec: { autoscalerRef: hpaRef('missing') } });
      await app.until('word of it', async () =>
        (await app.events()).some((event) =>
          event.startsWith('Warning HorizontalPodAutoscaler missing.test get query error: '),
        ),
      );
      expect((await app.status()).phase).toBe('Initializing');
      expect((await app.workload('target')).spec.replicas).toBe(1);
      const { namespace } = rig;
      const hpa = hpaOf('missing');
      await rig.kube.create({ ...hpa, metadata: { ...hpa.metadata, namespace } });
      await app.untilPhase('Initialized');
    },
  );

  it.concurrent(
    same('B21', 'that is edited changes that of the primary at the next promotion only'),
    async () => {
      const app = await rig.open('edited', {
        beside: [hpaOf('edited')],
        spec: { autoscalerRef: hpaRef('edited') },
      });
      await app.untilPhase('Initialized');
      await patchScaler('autoscaling/v2', 'HorizontalPodAutoscaler', 'edited', {
        spec: { maxReplicas: 4 },
      });
      await app.patchCanary({ progressDeadlineSeconds: 61 });
      await app.untilStatus('a look', ({ observedGeneration }) => observedGeneration === 2);
      const most = async (): Promise<unknown> =>
        (await scalerOf(app, 'autoscaling/v2', 'HorizontalPodAutoscaler')).spec['maxReplicas'];
      expect(await most()).toBe(2);
      await app.setImage('2');
      await app.untilPhase('Succeeded');
      expect(await most()).toBe(4);
    },
  );

  it.concurrent(
    differs(
      'B21',
      'that gets other labels and annotations never hands them on',
      'they are on that of the primary with the next promotion',
    ),
    async () => {
      const app = await rig.open('noted', {
        beside: [hpaOf('noted')],
        spec: { autoscalerRef: hpaRef('noted') },
      });
      await app.untilPhase('Initialized');
      const metadata = { labels: { team: 'blue' }, annotations: { 'a/note': 'yes' } };
      await patchScaler('autoscaling/v2', 'HorizontalPodAutoscaler', 'noted', { metadata });
      await app.setImage('2');
      await app.untilPhase('Succeeded');
      expect(await scalerOf(app, 'autoscaling/v2', 'HorizontalPodAutoscaler')).toMatchObject({
        metadata,
      });
    },
  );
});

describe('a ScaledObject', () => {
  const transfer = { 'scaledobject.keda.sh/transfer-hpa-ownership': 'true' };

  it.concurrent(
    same('B22', 'hands on its ownership, and has -primary behind the name of its autoscaler'),
    async () => {
      const app = await rig.open('scaled', scaled('scaled', transfer));
      await app.untilPhase('Initialized');
      expect(await scalerOf(app, 'keda.sh/v1alpha1', 'ScaledObject')).toMatchObject({
        metadata: { annotations: transfer },
        spec: {
          scaleTargetRef: { name: 'scaled-primary' },
          advanced: { horizontalPodAutoscalerConfig: { name: 'scaled-hpa-primary' } },
        },
      });
      const target = await app.find('keda.sh/v1alpha1', 'ScaledObject', 'scaled');
      expect(target?.metadata.annotations).toMatchObject({
        'autoscaling.keda.sh/paused-replicas': '0',
      });
    },
  );

  it.concurrent(
    differs(
      'B23',
      'whose copy is made again while it is paused scales the primary to zero',
      'the pause is not copied',
    ),
    async () => {
      const app = await rig.open('paused', scaled('paused', {}));
      await app.untilPhase('Initialized');
      const { namespace } = rig;
      const ref = { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', namespace };
      await rig.kube.remove({ ...ref, name: 'paused-primary' });
      await app.patchCanary({ progressDeadlineSeconds: 61 });
      await app.until('another copy', () => app.find(ref.apiVersion, ref.kind, 'paused-primary'));
      const { metadata } = await scalerOf(app, 'keda.sh/v1alpha1', 'ScaledObject');
      expect(JSON.stringify(metadata.annotations ?? {})).not.toContain('paused');
      const target = await app.find(ref.apiVersion, ref.kind, 'paused');
      expect(JSON.stringify(target?.metadata.annotations)).toContain('paused-replicas');
    },
  );
});

type Scaler = KubeObject & { readonly spec: Readonly<Record<string, unknown>> };

/** The scaler of the primary. */
async function scalerOf({ canary, find }: App, apiVersion: string, kind: string): Promise<Scaler> {
  const scaler = await find<Scaler>(apiVersion, kind, `${canary.name}-primary`);
  if (scaler === undefined) throw new Error(`there is no ${kind} ${canary.name}-primary`);
  return scaler;
}

async function patchScaler(
  apiVersion: string,
  kind: string,
  name: string,
  change: object,
): Promise<void> {
  await rig.kube.patch({ apiVersion, kind, namespace: rig.namespace, name }, change);
}

function hpaRef(name: string): object {
  return { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', name };
}

function hpaOf(name: string): KubeObject {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicas: 1,
      maxReplicas: 2,
    },
  };
}

function scaled(name: string, annotations: Readonly<Record<string, string>>): AppOptions {
  const apiVersion = 'keda.sh/v1alpha1';
  return {
    beside: [
      {
        ...{ apiVersion, kind: 'ScaledObject', metadata: { name, annotations } },
        spec: {
          scaleTargetRef: { name },
          advanced: { horizontalPodAutoscalerConfig: { name: `${name}-hpa` } },
          triggers: [{ type: 'cron', metadata: { timezone: 'UTC', desiredReplicas: '1' } }],
        },
      },
    ],
    spec: { autoscalerRef: { apiVersion, kind: 'ScaledObject', name } },
  };
}
