import { jest } from '@jest/globals';

import type { TargetKind } from '../../domain/canary.js';
import type { KubeObject, ObjectRef } from '../../domain/objects.js';
import type { CanaryRef } from '../../domain/release.js';
import { allToPrimary } from '../../domain/routes.js';
import { targetKinds } from '../../domain/targets.js';
import { until } from './activity-bench.js';
import { openRig, type CanaryRig } from './canary-rig.js';

jest.setTimeout(60_000);

let rig: CanaryRig;

beforeAll(async () => {
  rig = await openRig('upkeep');
}, 60_000);

afterAll(() => rig.close());

it.each<TargetKind>(['Deployment', 'DaemonSet', 'Service'])(
  'a second canary with the same %s is refused, by the name of the first',
  async (kind) => {
    const name = `shared-${kind.toLowerCase()}`;
    await rig.kube.create(targetOf(kind, name));
    const first = await aCanary(`${name}-1`, kind, name);
    const second = await aCanary(`${name}-2`, kind, name);
    expect(await rig.attempt('survey', { canary: first })).toMatchObject({ kind: 'ready' });
    await rig.attempt('prepare', { canary: first, report: { key: '1' } });

    expect(await rig.attempt('survey', { canary: first })).toMatchObject({ kind: 'ready' });
    expect(await rig.attempt('survey', { canary: second })).toEqual({
      kind: 'invalid',
      problems: expect.arrayContaining([
        `${targetKinds[kind].kind.toLowerCase()} ${name}-primary.${rig.namespace} belongs to canary ${name}-1.${rig.namespace}`,
      ]),
    });
  },
);

describe('what others did to a canary at rest', () => {
  it.each<[string, string, (service: ObjectRef) => Promise<unknown>]>([
    [
      're-applied its service',
      'reapplied',
      (service) => rig.kube.patch(service, { spec: { selector: { app: service.name } } }),
    ],
    ['deleted its service', 'deleted', (service) => rig.kube.remove(service)],
    [
      'deleted its primary',
      'lost',
      async ({ namespace, name }) => {
        const primary = { ...targetKinds.Deployment, namespace, name: `${name}-primary` };
        await rig.kube.remove(primary);
        await until(async () => (await rig.kube.find(primary)) === undefined);
      },
    ],
  ])('is seen, and put right: somebody %s', async (_name, name, change) => {
    const canary = await rig.initialised(name);
    const { metadata } = await rig.manifest(canary);
    const status = { observedGeneration: metadata.generation ?? 0, canaryWeight: 0 };
    await rig.kube.patch(manifestRef(canary), { status }, 'status');
    const before = await rig.attempt('survey', { canary });
    expect(before).toMatchObject({ kind: 'ready', status: { observedGeneration: 1 } });

    await change({ apiVersion: 'v1', kind: 'Service', namespace: rig.namespace, name });
    const after = await rig.attempt('survey', { canary });
    expect(after.kind === 'ready' && after.status.observedGeneration).toBeUndefined();

    await rig.twice('reconcile', {
      canary,
      routes: allToPrimary,
      cookies: {},
      report: { key: '9', status: { observedGeneration: 1 } },
    });
    expect(await rig.attempt('survey', { canary })).toEqual(before);
    expect((await rig.service(name)).spec).toMatchObject({ selector: { app: `${name}-primary` } });
  });
});

function targetOf(kind: TargetKind, name: string): KubeObject {
  const labels = { app: name };
  const template = {
    metadata: { labels },
    spec: { schedulerName: 'nobody', containers: [{ name: 'app', image: 'app:1' }] },
  };
  return {
    ...targetKinds[kind],
    metadata: { name, namespace: rig.namespace },
    spec:
      kind === 'Service'
        ? { selector: labels, ports: [{ port: 80 }] }
        : { selector: { matchLabels: labels }, template },
  };
}

async function aCanary(name: string, kind: TargetKind, target: string): Promise<CanaryRef> {
  const canary = rig.refTo(name);
  await rig.createCanary(canary, {
    targetRef: { ...targetKinds[kind], name: target },
    ...(kind === 'Service' ? {} : { service: { port: 80, name } }),
  });
  return canary;
}

function manifestRef({ name }: CanaryRef): ObjectRef {
  return { apiVersion: 'flagger.app/v1beta1', kind: 'Canary', namespace: rig.namespace, name };
}
