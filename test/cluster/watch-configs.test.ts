import { jest } from '@jest/globals';

import type { KubeObject } from '../../domain/objects.js';
import {
  aCanary,
  changesTold,
  closeWatchRig,
  kube,
  namespace,
  openWatchRig,
  revisionNow,
  startWatching,
  stopWatching,
  targetOf,
  until,
} from './watch-rig.js';

jest.setTimeout(30_000);

beforeAll(openWatchRig);
afterAll(closeWatchRig);
afterEach(stopWatching);

it.each(['ConfigMap', 'Secret'] as const)(
  'notices a changed %s that the target refers to, and that it is as it was again',
  async (kind) => {
    const canary = await aCanary();
    const [used, unused] = [`${canary.name}-used`, `${canary.name}-unused`];
    await Promise.all([used, unused].map((name) => create(kind, name)));
    const envFrom = [{ [kind === 'Secret' ? 'secretRef' : 'configMapRef']: { name: used } }];
    await kube.patch(targetOf(canary), {
      spec: { template: { spec: { containers: [{ name: 'app', image: 'web:1', envFrom }] } } },
    });
    await startWatching();
    const told = (times: number): Promise<void> =>
      until(async () => (await changesTold(canary)).length === times);
    await told(1);

    await change(kind, unused, { data: { colour: 'Ymx1ZQ==' } });
    await change(kind, used, { metadata: { labels: { touched: 'yes' } } });
    await change(kind, used, { data: { colour: 'Ymx1ZQ==' } });
    await told(2);
    await change(kind, used, { data: { colour: 'cmVk' } });
    await told(3);
    await kube.remove(refTo(kind, used));
    await told(4);

    const [red, blue, again, without] = (await changesTold(canary)).map((one) => one.revision);
    expect(again).toBe(red);
    expect(without).toBe(await revisionNow(canary));
    expect(new Set([red, blue, without]).size).toBe(3);
  },
);

function refTo(kind: string, name: string): Parameters<typeof kube.find>[0] {
  return { apiVersion: 'v1', kind, namespace, name };
}

async function create(kind: string, name: string): Promise<void> {
  const config = { apiVersion: 'v1', kind, data: { colour: 'cmVk' } };
  await kube.create<KubeObject>({ ...config, metadata: { name, namespace } });
}

async function change(kind: string, name: string, by: object): Promise<void> {
  await kube.patch(refTo(kind, name), by);
}
