import { jest } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';

import {
  forgetConfigs,
  readConfigs,
  restoreConfigs,
  type Configs,
} from '../../activities/configs.js';
import type { Deps, Settings } from '../../activities/deps.js';
import { connectKube, loadKubeConfig } from '../../activities/kube.js';
import { revisionOf } from '../../activities/revision.js';
import type { Canary } from '../../domain/canary.js';
import type { Config, ConfigKind } from '../../domain/configs.js';
import type { KubeObject, PodTemplate } from '../../domain/objects.js';
import { aCanary, someSettings } from '../activities/a-canary.js';
import { proxyTo } from './breakable-proxy.js';

jest.setTimeout(60_000);

const namespace = `configs-${String(process.pid)}`;
const kube = connectKube();
const silent = new DefaultLogger('ERROR');
let number = 0;

beforeAll(() =>
  kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }),
);
afterAll(() =>
  kube.remove({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: namespace }),
);

describe('what a target refers to is tracked', () => {
  it('by checksums as Flagger has them, which make a revision of their own', async () => {
    const canary = await createCanary();
    const [colours, password] = [nameOf('colours'), nameOf('password')];
    await create('ConfigMap', colours, { data: { color: 'red' } });
    await create('Secret', password, { data: { password: 'aHVudGVyMg==' } });
    const template = templateOf(colours, password);
    const { checksums } = await read(canary, template);

    expect(checksums).toEqual({
      [`configmap/${colours}`]: '241889ca0604e333',
      [`secret/${password}`]: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
    expect(revisionOf(template, checksums)).not.toBe(revisionOf(template));
  });

  it('so that the old content makes the old revision again', async () => {
    const canary = await createCanary();
    const name = nameOf('colours');
    await create('ConfigMap', name, { data: { color: 'red' } });
    const red = await read(canary, templateOf(name));
    await change('ConfigMap', name, { data: { color: 'blue' } });
    const blue = await read(canary, templateOf(name));
    await change('ConfigMap', name, { data: { color: 'red' } });

    expect(blue.checksums).not.toEqual(red.checksums);
    expect((await read(canary, templateOf(name))).checksums).toEqual(red.checksums);
  });

  it('with its binary data', async () => {
    const canary = await createCanary();
    const name = nameOf('images');
    await create('ConfigMap', name, { data: { a: '1' }, binaryData: { logo: 'AAE=' } });
    const before = await read(canary, templateOf(name));
    await change('ConfigMap', name, { binaryData: { logo: 'AAI=' } });

    expect((await read(canary, templateOf(name))).checksums).not.toEqual(before.checksums);
  });

  // B10, B11
  it('unless it says that it is not', async () => {
    const canary = await createCanary();
    const [out, oddly] = [nameOf('out'), nameOf('oddly')];
    await create(
      'ConfigMap',
      out,
      {},
      { annotations: { 'flagger.app/config-tracking': 'disabled' } },
    );
    await create('ConfigMap', oddly, {}, { annotations: { 'app/config-tracking': 'disabled' } });
    const template = withMaps(out, oddly);
    const configs = await read(canary, template);
    await configs.copy();

    expect(Object.keys(configs.checksums)).toEqual([`configmap/${oddly}`]);
    expect(configs.forPrimary(template)).toEqual(withMaps(out, `${oddly}-primary`));
    expect(await find('ConfigMap', `${out}-primary`)).toBeUndefined();
    expect(await find('ConfigMap', `${oddly}-primary`)).toBeDefined();
  });

  // B12
  it('unless tracking is switched off', async () => {
    const canary = await createCanary();
    const template = templateOf(nameOf('missing'));
    const configs = await read(canary, template, { configTracking: false });
    await configs.copy();

    expect(configs.checksums).toEqual({});
    expect(configs.forPrimary(template)).toEqual(template);
  });

  it('unless its type is that of a machine', async () => {
    const canary = await createCanary();
    const login = nameOf('login');
    await create('Secret', login, {
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': 'e30=' },
    });
    expect((await read(canary, templateOf(nameOf('none'), login, true))).checksums).toEqual({});
  });

  // B15
  it('unless it is missing and optional; otherwise that is an error', async () => {
    const canary = await createCanary();
    const [config, secret] = [nameOf('config'), nameOf('secret')];
    expect((await read(canary, templateOf(config, secret, true))).checksums).toEqual({});
    await expect(read(canary, templateOf(config))).rejects.toMatchObject({
      type: 'InvalidSpec',
      nonRetryable: true,
      message: `GetTargetConfigs failed: configmap ${config}.${namespace} get query error: configmaps "${config}" not found`,
    });
  });

  // B14
  it('and an API server that cannot be reached is an error, and no change', async () => {
    const canary = await createCanary();
    const name = nameOf('colours');
    await create('ConfigMap', name, { data: { color: 'red' } });
    const kubeConfig = loadKubeConfig();
    const { name: cluster, server } = kubeConfig.getCurrentCluster()!;
    const proxy = await proxyTo(new URL(server).hostname, Number(new URL(server).port));
    const proxied = { name: cluster, server: `https://127.0.0.1:${String(proxy.port)}` };
    kubeConfig.clusters = [{ ...proxied, skipTLSVerify: true }];
    const deps = { ...depsOf({}), kube: connectKube(kubeConfig) };

    const { checksums } = await inActivity(() => readConfigs(deps, canary, templateOf(name)));
    expect(Object.values(checksums)).toEqual(['241889ca0604e333']);
    await proxy.cut();
    const failed = inActivity(() => readConfigs(deps, canary, templateOf(name)));
    await expect(failed).rejects.toThrow(
      new RegExp(`^GetTargetConfigs failed: configmap ${name}.${namespace} get query error: `),
    );
    await expect(failed).rejects.not.toMatchObject({ nonRetryable: true });
  });
});

describe('the copies of a primary', () => {
  it('hold all that was read, and belong to the Canary', async () => {
    const canary = await createCanary();
    const [config, secret] = [nameOf('config'), nameOf('secret')];
    const content = { data: { a: '1' }, binaryData: { logo: 'AAE=' } };
    const certificate = { 'tls.crt': 'YQ==', 'tls.key': 'Yg==' };
    await create('ConfigMap', config, content, {
      labels: { 'team/name': 'shop', app: 'shop', 'kustomize.toolkit.fluxcd.io/name': 'apps' },
      annotations: { note: 'mine' },
    });
    await create('Secret', secret, { type: 'kubernetes.io/tls', data: certificate });
    const template = templateOf(config, secret);
    const configs = await read(canary, template, { includeLabelPrefixes: ['team/'] });
    await configs.copy();

    const copy = await find('ConfigMap', `${config}-primary`);
    expect(copy).toMatchObject(content);
    expect(copy?.metadata).toMatchObject({
      labels: { 'team/name': 'shop' },
      ownerReferences: [{ kind: 'Canary', name: canary.name, controller: true }],
    });
    expect(copy?.metadata.labels).toEqual({ 'team/name': 'shop' });
    expect(copy?.metadata.annotations).toBeUndefined();
    expect(await find('Secret', `${secret}-primary`)).toMatchObject({
      type: 'kubernetes.io/tls',
      data: certificate,
    });
    expect(configs.forPrimary(template)).toEqual(
      templateOf(`${config}-primary`, `${secret}-primary`),
    );

    const versions = await versionsOf(`${config}-primary`);
    await configs.copy();
    expect(await versionsOf(`${config}-primary`)).toEqual(versions);
  });

  it('are what was read, whatever has been written since', async () => {
    const canary = await createCanary();
    const name = nameOf('colours');
    await create('ConfigMap', name, { data: { color: 'red' } });
    const configs = await read(canary, templateOf(name));
    await change('ConfigMap', name, { data: { color: 'blue' } });
    await configs.copy();

    expect((await find('ConfigMap', `${name}-primary`))?.data).toEqual({ color: 'red' });
  });

  it('lose what the original has lost', async () => {
    const canary = await createCanary();
    const name = nameOf('colours');
    await create('ConfigMap', name, { data: { a: '1', b: '2' }, binaryData: { c: 'AA==' } });
    await (await read(canary, templateOf(name))).copy();
    await change('ConfigMap', name, { data: { b: null }, binaryData: null });
    await (await read(canary, templateOf(name))).promote();

    const copy = await find('ConfigMap', `${name}-primary`);
    expect(copy?.data).toEqual({ a: '1' });
    expect(copy?.binaryData).toBeUndefined();
  });

  it('can be changed although the original, or somebody else, made them immutable', async () => {
    const canary = await createCanary();
    const name = nameOf('fixed');
    const copy = `${name}-primary`;
    await create('ConfigMap', name, { data: { a: '1' }, immutable: true });
    await (await read(canary, templateOf(name))).copy();
    expect((await find('ConfigMap', copy))?.immutable).toBeUndefined();

    await change('ConfigMap', copy, { immutable: true, metadata: { annotations: { by: 'hand' } } });
    await kube.remove(refTo('ConfigMap', name));
    await create('ConfigMap', name, { data: { a: '2' }, immutable: true });
    await (await read(canary, templateOf(name))).promote();

    const changed = await find('ConfigMap', copy);
    expect(changed).toMatchObject({
      data: { a: '2' },
      metadata: { annotations: { by: 'hand' }, ownerReferences: [{ name: canary.name }] },
    });
    expect(changed?.immutable).toBeUndefined();
  });

  it('can take another type', async () => {
    const canary = await createCanary();
    const [none, name] = [nameOf('none'), nameOf('login')];
    const template = templateOf(none, name, true);
    const data = { username: 'YQ==', password: 'Yg==' };
    await create('Secret', name, { type: 'Opaque', data });
    await (await read(canary, template)).copy();
    await kube.remove(refTo('Secret', name));
    await create('Secret', name, { type: 'kubernetes.io/basic-auth', data });
    await (await read(canary, template)).promote();

    expect((await find('Secret', `${name}-primary`))?.type).toBe('kubernetes.io/basic-auth');
  });

  // B13
  it('are shared by canaries that share the original', async () => {
    const [one, other] = [await createCanary(), await createCanary()];
    const name = nameOf('shared');
    await create('ConfigMap', name, { data: { a: '1' } });
    await (await read(one, templateOf(name))).copy();
    await (await read(other, templateOf(name))).copy();
    expect(await ownersOf(`${name}-primary`)).toEqual([
      [other.name, true],
      [one.name, false],
    ]);

    await change('ConfigMap', name, { data: { a: '2' } });
    await (await read(one, templateOf(name))).promote();
    expect(await ownersOf(`${name}-primary`)).toEqual([
      [one.name, true],
      [other.name, false],
    ]);
    expect((await find('ConfigMap', `${name}-primary`))?.data).toEqual({ a: '2' });
  });

  it('never replace what is no copy', async () => {
    const canary = await createCanary();
    const name = nameOf('colours');
    await create('ConfigMap', name, { data: { color: 'red' } });
    await create('ConfigMap', `${name}-primary`, { data: { precious: 'yes' } });
    const configs = await read(canary, templateOf(name));

    await expect(configs.copy()).rejects.toMatchObject({
      type: 'InvalidSpec',
      message: `CreatePrimaryConfigs failed: configmap ${name}-primary.${namespace}: it belongs to no canary, and the primary needs its name`,
    });
    expect((await find('ConfigMap', `${name}-primary`))?.data).toEqual({ precious: 'yes' });
  });
});

describe('a promotion', () => {
  it('is undone for configs too, also if it was cut off and begun again', async () => {
    const { canary, config, secret } = await promoted();
    // The second attempt finds the new contents, which are not what has to be gone back to.
    await (await read(canary, templateOf(config, secret))).promote();
    await restore(canary);

    expect((await find('ConfigMap', `${config}-primary`))?.data).toEqual({ a: 'old' });
    expect((await find('Secret', `${secret}-primary`))?.data).toEqual({ b: 'b2xk' });
    expect(await keptFor(canary)).toEqual([]);

    await change('ConfigMap', `${config}-primary`, { data: { a: 'later' } });
    await restore(canary);
    expect((await find('ConfigMap', `${config}-primary`))?.data).toEqual({ a: 'later' });
  });

  it('is undone though the copies have become immutable, or are gone', async () => {
    const { canary, config, secret } = await promoted();
    await change('ConfigMap', `${config}-primary`, { immutable: true });
    await kube.remove(refTo('Secret', `${secret}-primary`));
    await restore(canary);

    expect((await find('ConfigMap', `${config}-primary`))?.data).toEqual({ a: 'old' });
    expect(await find('Secret', `${secret}-primary`)).toMatchObject({
      data: { b: 'b2xk' },
      metadata: { ownerReferences: [{ name: canary.name }] },
    });
  });

  it('goes back to what was promoted, if a newer revision came before it was done', async () => {
    const { canary, config, secret } = await promoted();
    await change('ConfigMap', config, { data: { a: 'newer' } });
    await (await read(canary, templateOf(config, secret))).promote();
    expect((await find('ConfigMap', `${config}-primary`))?.data).toEqual({ a: 'newer' });
    await restore(canary);

    expect((await find('ConfigMap', `${config}-primary`))?.data).toEqual({ a: 'old' });
  });

  it('is undone no more once it has ended', async () => {
    const { canary, config } = await promoted();
    expect(await keptFor(canary)).toHaveLength(2);
    await inActivity(() => forgetConfigs(depsOf({}), canary));
    await restore(canary);

    expect(await keptFor(canary)).toEqual([]);
    expect((await find('ConfigMap', `${config}-primary`))?.data).toEqual({ a: 'new' });
  });

  it('is undone for one canary, and not for others', async () => {
    const { canary, config } = await promoted();
    const other = await promoted();
    await restore(canary);

    expect((await find('ConfigMap', `${config}-primary`))?.data).toEqual({ a: 'old' });
    expect((await find('ConfigMap', `${other.config}-primary`))?.data).toEqual({ a: 'new' });
  });
});

/** A canary whose primary has just got new contents. */
async function promoted(): Promise<{ canary: Canary; config: string; secret: string }> {
  const canary = await createCanary();
  const [config, secret] = [nameOf('config'), nameOf('secret')];
  await create('ConfigMap', config, { data: { a: 'old' } });
  await create('Secret', secret, { data: { b: 'b2xk' } });
  await (await read(canary, templateOf(config, secret))).copy();
  await change('ConfigMap', config, { data: { a: 'new' } });
  await change('Secret', secret, { data: { b: 'bmV3' } });
  await (await read(canary, templateOf(config, secret))).promote();
  expect((await find('ConfigMap', `${config}-primary`))?.data).toEqual({ a: 'new' });
  return { canary, config, secret };
}

function read(
  canary: Canary,
  template: PodTemplate,
  settings: Partial<Settings> = {},
): Promise<Configs> {
  return inActivity(() => readConfigs(depsOf(settings), canary, template));
}

function restore(canary: Canary): Promise<void> {
  return inActivity(() => restoreConfigs(depsOf({}), canary));
}

function inActivity<T>(work: () => Promise<T>): Promise<T> {
  return new MockActivityEnvironment({}, { logger: silent }).run(work);
}

/** Configs need nothing of the rest. */
function depsOf(settings: Partial<Settings>): Deps {
  return { kube, settings: { ...someSettings, ...settings } } as Deps;
}

/** A Canary that lives: what a dead one owns is collected as garbage. */
async function createCanary(): Promise<Canary> {
  const name = nameOf('shop');
  const { metadata } = await kube.create<KubeObject>({
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name, namespace },
    spec: {
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      service: { port: 80 },
      analysis: { interval: '10s', threshold: 1, stepWeight: 10 },
    },
  });
  return { ...aCanary(), name, namespace, uid: metadata.uid! };
}

function nameOf(what: string): string {
  number += 1;
  return `${what}-${String(number)}`;
}

function templateOf(config: string, secret?: string, optional?: true): PodTemplate {
  const configMapRef = { name: config, ...(optional && { optional }) };
  const volume = { secretName: secret, ...(optional && { optional }) };
  return {
    spec: {
      containers: [{ name: 'shop', image: 'shop:1', ...{ envFrom: [{ configMapRef }] } }],
      ...(secret === undefined ? {} : { volumes: [{ name: 'secret', secret: volume }] }),
    },
  };
}

function withMaps(...names: readonly string[]): PodTemplate {
  const envFrom = names.map((name) => ({ configMapRef: { name } }));
  return { spec: { containers: [{ name: 'shop', image: 'shop:1', ...{ envFrom } }] } };
}

function refTo(kind: ConfigKind, name: string): Parameters<typeof kube.find>[0] {
  return { apiVersion: 'v1', kind, namespace, name };
}

async function create(
  kind: ConfigKind,
  name: string,
  content: Partial<Config>,
  metadata: Partial<Config['metadata']> = {},
): Promise<void> {
  const { apiVersion } = refTo(kind, name);
  await kube.create({ apiVersion, kind, ...content, metadata: { name, namespace, ...metadata } });
}

async function change(kind: ConfigKind, name: string, by: object): Promise<void> {
  await kube.patch(refTo(kind, name), by);
}

function find(kind: ConfigKind, name: string): Promise<Config | undefined> {
  return kube.find<Config>(refTo(kind, name));
}

async function ownersOf(name: string): Promise<(readonly [string, boolean | undefined])[]> {
  const { ownerReferences = [] } = (await find('ConfigMap', name))!.metadata;
  return ownerReferences.map((owner) => [owner.name, owner.controller] as const);
}

async function versionsOf(name: string): Promise<(string | undefined)[]> {
  return [(await find('ConfigMap', name))?.metadata.resourceVersion];
}

async function keptFor({ uid }: Canary): Promise<string[]> {
  const labelSelector = `sluice.dev/kept-for=${uid}`;
  const lists = await Promise.all(
    ['ConfigMap', 'Secret'].map((kind) =>
      kube.list({ apiVersion: 'v1', kind, namespace, labelSelector }),
    ),
  );
  return lists.flat().map(({ metadata }) => metadata.name);
}
