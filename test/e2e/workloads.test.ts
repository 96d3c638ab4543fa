import { jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';

import type { KubeObject } from '../../domain/objects.js';
import { openStage, until, type App, type Stage } from './stage.js';

jest.setTimeout(240_000);

/** What each app is sent while it is released. */
const requestsPerSecond = 100;
/** Time for pods and proxies to be done with the last requests, and for whole seconds to be counted. */
const settlingMs = 3_000;

let stage: Stage;
let sendingSince = 0;
beforeAll(async () => {
  stage = await openStage();
}, 180_000);
afterEach(() => stage.traffic.send(0));
afterAll(() => stage.close(), 60_000);

it('a HorizontalPodAutoscaler scales target and primary in the middle of a release', async () => {
  const app = await stage.open('scaled', {
    objects: [hpa],
    spec: { autoscalerRef: { apiVersion: hpa.apiVersion, kind: hpa.kind, name: 'web' } },
    // It must not be over before the controller, which looks every 15 s, has done its part.
    analysis: { gates: [{ name: 'scaled', before: 'promotion' }] },
  });
  await app.initialised();
  const bounds = { minReplicas: 2, maxReplicas: 4 };
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web-primary' };
  expect((await scaler(app, 'web-primary'))?.spec).toMatchObject({ ...bounds, scaleTargetRef });
  await replicas(app, 'web-primary', 2);
  expect((await app.deployment('web')).spec.replicas).toBe(0);
  await sendTo(app);

  await app.setImage('1.1.0');
  await app.untilState('weight 10', ({ weight }) => weight === 10);
  expect((await app.deployment('web')).spec.replicas).toBe(2);
  // There are no metrics here; the controller keeps to the bounds without them.
  await Promise.all(['web', 'web-primary'].map((name) => atLeast(app, name, 3)));
  await replicas(app, 'web', 3);
  await replicas(app, 'web-primary', 3);
  await stage.kube.patch(scalerRef(app, 'web'), { spec: { maxReplicas: 5 } });
  const { revision } = await app.untilState('the gate', ({ gate }) => gate !== undefined);
  await stage.sluice.order(app.canary, 'approve', { actor: 'a test', revision });

  await expectPromoted(app, '1.1.0');
  expect((await scaler(app, 'web-primary'))?.spec).toMatchObject({
    ...{ minReplicas: 3, maxReplicas: 5 },
    scaleTargetRef,
  });
  expect((await app.deployment('web')).spec.replicas).toBe(0);
  expect((await app.deployment('web-primary')).spec.replicas).toBe(3);
});

it('a DaemonSet is released through Envoy', async () => {
  const app = await stage.open('daemons', { kind: 'DaemonSet' });
  await app.initialised();
  expect(await pods(app, 'web')).toEqual([]);
  await sendTo(app);

  await app.setImage('1.1.0');
  await app.untilState('weight 50', ({ weight }) => weight === 50);
  expect(await pods(app, 'web')).toEqual(['sluice/demo:1.1.0']);
  expect(await pods(app, 'web-primary')).toEqual(['sluice/demo:1.0.0']);

  const { byVersion } = await expectPromoted(app, '1.1.0');
  expect(byVersion['1.1.0']).toBeGreaterThan(0);
  await until('no pods of the target', async () => (await pods(app, 'web')).length === 0);
  expect(await pods(app, 'web-primary')).toEqual(['sluice/demo:1.1.0']);
});

it('a changed ConfigMap is released, and reaches the primary as its copy', async () => {
  const app = await stage.open('configured', { objects: [settings('blue')], settings: 'settings' });
  await app.initialised();
  expect(await data(app, 'settings-primary')).toEqual({ VERSION: 'blue' });
  await sendTo(app);

  await stage.kube.patch(configRef(app, 'settings'), { data: { VERSION: 'green' } });
  await app.untilState('weight 50', ({ weight }) => weight === 50);
  expect(await data(app, 'settings-primary')).toEqual({ VERSION: 'blue' });

  const { byVersion } = await expectPromoted(app, 'green');
  expect(Object.keys(byVersion).sort()).toEqual(['blue', 'green']);
  expect(await data(app, 'settings-primary')).toEqual({ VERSION: 'green' });
  const [container] = (await app.deployment('web-primary')).spec.template.spec?.containers ?? [];
  expect(container).toMatchObject({ envFrom: [{ configMapRef: { name: 'settings-primary' } }] });
});

const hpa = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'web' },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    minReplicas: 2,
    maxReplicas: 4,
    metrics: [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
      },
    ],
  },
} satisfies KubeObject & { spec: object };

/** The version the app says it is comes from here, and is stronger than that of its image. */
function settings(version: string): KubeObject & { data: object } {
  return {
    ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' } },
    data: { VERSION: version },
  };
}

async function sendTo(app: App): Promise<void> {
  await stage.traffic.send(requestsPerSecond, { host: app.host });
  await sleep(settlingMs);
  sendingSince = Date.now();
}

/** Waits for the promotion; not one request may have failed, and all users get the new version. */
async function expectPromoted(app: App, version: string): ReturnType<Stage['traffic']['counted']> {
  const ending = await app.ending();
  await sleep(settlingMs);
  const counted = await stage.traffic.counted(sendingSince);
  process.stderr.write(`${app.canary.namespace}: ${JSON.stringify(counted)}\n`);

  expect(ending).toMatchObject({ outcome: 'promoted' });
  expect(counted.requests).toBeGreaterThan(0);
  expect(counted.failed).toBe(0);
  expect(await app.routes()).toEqual({ primary: 100, canary: 0 });
  const { version: served } = await stage.clientsOf(app).ask();
  expect(served).toBe(version);
  return counted;
}

/** Raises the lower bound of a scaler. */
async function atLeast(app: App, name: string, minReplicas: number): Promise<void> {
  await stage.kube.patch(scalerRef(app, name), { spec: { minReplicas } });
}

async function replicas(app: App, name: 'web' | 'web-primary', count: number): Promise<void> {
  await until(`${String(count)} ready pods of ${name}`, async () => {
    const { spec, status } = await app.deployment(name);
    return spec.replicas === count && status?.readyReplicas === count;
  });
}

function scaler(app: App, name: string): Promise<(KubeObject & { spec?: object }) | undefined> {
  return stage.kube.find(scalerRef(app, name));
}

async function data(app: App, name: string): Promise<object | undefined> {
  return (await stage.kube.find<KubeObject & { data?: object }>(configRef(app, name)))?.data;
}

interface Pod extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly deletionTimestamp?: string };
  readonly spec: { readonly containers: readonly { readonly image: string }[] };
}

/** The images of the pods of a workload, those that end left out. */
async function pods({ canary: { namespace } }: App, app: string): Promise<string[]> {
  const found = await stage.kube.list<Pod>({
    ...{ apiVersion: 'v1', kind: 'Pod', namespace },
    labelSelector: `app=${app}`,
  });
  return found
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ spec }) => spec.containers[0]?.image ?? '');
}

function scalerRef({ canary: { namespace } }: App, name: string): Ref {
  return { apiVersion: hpa.apiVersion, kind: hpa.kind, namespace, name };
}

function configRef({ canary: { namespace } }: App, name: string): Ref {
  return { apiVersion: 'v1', kind: 'ConfigMap', namespace, name };
}

type Ref = Parameters<Stage['kube']['find']>[0];
