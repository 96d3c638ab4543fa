import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { jest } from '@jest/globals';

import type { Config } from '../../domain/configs.js';
import { kubeconfigOf, startApiProxy } from '../crash/api-proxy.js';
import type { Proxy } from '../crash/proxy.js';
import { imageOf, openRig, same, type Rig } from './rig.js';

jest.setTimeout(180_000);

const before = process.env['KUBECONFIG'];
let folder: string;
let proxy: Proxy;
let rig: Rig;
/** What the API server does not tell, as a part of the path. */
let untold: string | undefined;

beforeAll(async () => {
  proxy = await startApiProxy({
    lets: () => true,
    answers: () => true,
    reads: (path) => untold === undefined || !path.includes(untold),
  });
  folder = await mkdtemp(join(tmpdir(), 'sluice-reads-'));
  process.env['KUBECONFIG'] = join(folder, 'kubeconfig');
  await writeFile(process.env['KUBECONFIG'], kubeconfigOf(proxy));
  rig = await openRig('reads');
}, 60_000);

afterAll(async () => {
  untold = undefined;
  await rig.close();
  await proxy.stop();
  await rm(folder, { recursive: true });
  process.env['KUBECONFIG'] = before;
}, 60_000);

it(same('B14', 'configs that cannot be read are told of, and are no change'), async () => {
  const envFrom = [{ configMapRef: { name: 'unread' } }];
  const config: Config = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'unread' },
    data: { colour: 'blue' },
  };
  const app = await rig.open('unread', {
    beside: [config],
    target: { podSpec: { containers: [{ name: 'app', image: imageOf('1'), envFrom }] } },
  });
  await app.untilPhase('Initialized');
  untold = '/configmaps';

  await app.setImage('2');
  await app.until('word of it', async () =>
    (await app.events()).some((event) =>
      /^Warning GET .*\/configmaps: socket hang up$/.test(event),
    ),
  );
  expect((await app.status()).phase).not.toMatch(/Succeeded|Failed/);

  untold = undefined;
  await app.untilPhase('Succeeded');
  expect((await app.events()).filter((event) => event.includes('New revision'))).toHaveLength(1);
});
