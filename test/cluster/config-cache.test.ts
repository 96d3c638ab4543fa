import { setTimeout as sleep } from 'node:timers/promises';

import { checksumsSeen } from '../../activities/configs.js';
import type { ConfigPlace } from '../../activities/deps.js';
import { connectKube } from '../../activities/kube.js';
import type { Config, ConfigKind } from '../../domain/configs.js';
import { cacheConfigs, type ConfigCache } from '../../worker/config-cache.js';
import { jsonLogger } from '../../worker/log.js';

const namespace = `config-cache-${String(process.pid)}`;
const kube = connectKube();
let cache: ConfigCache;
let told: string[] = [];

beforeAll(async () => {
  await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await create('ConfigMap', 'early', { data: { color: 'red' } });
  cache = cacheConfigs({ kube, namespace, log: jsonLogger('error') });
  await cache.untilSynced();
  cache.onChange(({ kind, name, namespace: of }) => {
    expect(of).toBe(namespace);
    // The cluster gives one to every namespace, when it comes to it.
    if (name !== 'kube-root-ca.crt') told.push(`${kind} ${name}`);
  });
});
afterAll(async () => {
  cache.stop();
  await kube.remove({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: namespace });
});
beforeEach(() => {
  told = [];
});

it('knows what was there before', () => {
  expect(seen('ConfigMap', 'early')).toBe('241889ca0604e333');
});

it('tells of what comes, changes and goes, and of nothing else', async () => {
  await create('Secret', 'password', { data: { password: 'YQ==' } });
  await until(() => told.length === 1);
  const first = seen('Secret', 'password');
  await change('Secret', 'password', { metadata: { labels: { touched: 'yes' } } });
  await change('Secret', 'password', { data: { password: 'Yg==' } });
  await until(() => told.length === 2);

  expect(first).toMatch(/^[0-9a-f]{16}$/);
  expect(seen('Secret', 'password')).toMatch(/^[0-9a-f]{16}$/);
  expect(seen('Secret', 'password')).not.toBe(first);
  expect(seen('ConfigMap', 'password')).toBeUndefined();

  await kube.remove({ apiVersion: 'v1', kind: 'Secret', namespace, name: 'password' });
  await until(() => told.length === 3);
  expect(seen('Secret', 'password')).toBeUndefined();
  expect(told).toEqual(['Secret password', 'Secret password', 'Secret password']);
});

it('tells of a config that is tracked no more, and again', async () => {
  const annotation = 'flagger.app/config-tracking';
  await create('ConfigMap', 'switched', {});
  await until(() => seen('ConfigMap', 'switched') !== undefined);
  await change('ConfigMap', 'switched', {
    metadata: { annotations: { [annotation]: 'disabled' } },
  });
  await until(() => seen('ConfigMap', 'switched') === undefined);
  await change('ConfigMap', 'switched', { metadata: { annotations: { [annotation]: null } } });
  await until(() => seen('ConfigMap', 'switched') !== undefined);

  expect(told).toHaveLength(3);
});

it('is blind to Secrets of machines', async () => {
  for (const [name, type] of [
    ['login', 'kubernetes.io/dockerconfigjson'],
    ['release', 'helm.sh/release.v1'],
    ['odd', 'example.com/odd'],
  ] as const) {
    await create('Secret', name, { type, data: { '.dockerconfigjson': 'e30=' } });
  }
  await create('Secret', 'last', {});
  await until(() => told.length > 0);
  expect(told).toEqual(['Secret last']);
});

it('gives the checksums a template stands for, as far as it has seen them', async () => {
  await create('ConfigMap', 'colours', { data: { color: 'red' } });
  await until(() => seen('ConfigMap', 'colours') !== undefined);
  const envFrom = ['colours', 'missing'].map((name) => ({ configMapRef: { name } }));
  const template = { spec: { containers: [{ name: 'shop', ...{ envFrom } }] } };

  expect(checksumsSeen(cache, { namespace, template })).toEqual({
    'configmap/colours': '241889ca0604e333',
  });
  expect(checksumsSeen(cache, { namespace: 'elsewhere', template })).toEqual({});
  expect(checksumsSeen(undefined, { namespace, template })).toEqual({});
});

function seen(kind: ConfigPlace['kind'], name: string): string | undefined {
  return cache.get({ kind, namespace, name });
}

async function create(kind: ConfigKind, name: string, content: Partial<Config>): Promise<void> {
  await kube.create({ apiVersion: 'v1', kind, ...content, metadata: { name, namespace } });
}

async function change(kind: ConfigKind, name: string, by: object): Promise<void> {
  await kube.patch({ apiVersion: 'v1', kind, namespace, name }, by);
}

/** Waits for something the watch tells. */
async function until(yes: () => boolean): Promise<void> {
  const end = Date.now() + 20_000;
  while (!yes()) {
    if (Date.now() > end) throw new Error(`it did not come to pass: ${told.join(', ')}`);
    await sleep(10);
  }
}
