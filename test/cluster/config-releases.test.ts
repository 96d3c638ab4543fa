import { jest } from '@jest/globals';

import { changeObject } from '../../activities/changes.js';
import type { CanaryStatus } from '../../domain/canary.js';
import type { Config } from '../../domain/configs.js';
import type { KubeObject } from '../../domain/objects.js';
import type { CanaryRef } from '../../domain/release.js';
import { openRig, type CanaryRig } from './canary-rig.js';

jest.setTimeout(60_000);

const ending = { outcome: 'promoted', startedAt: 0, waitedForPeopleMs: 0 } as const;
let rig: CanaryRig;

beforeAll(async () => {
  rig = await openRig('config-releases');
}, 60_000);
afterAll(() => rig.close());

describe('a release of a config alone', () => {
  let canary: CanaryRef;
  let red: string;
  let blue: string;
  let primaryBefore: string | undefined;

  beforeAll(async () => {
    canary = rig.refTo('paint');
    await createConfig('colours', { color: 'red' });
    await createTarget(canary, 'colours');
    await rig.createCanary(canary);
  });

  it('begins with a primary that has a copy of its own', async () => {
    ({ revision: red } = await rig.twice('prepare', { canary, report: { key: '1' } }));
    await rig.ready(canary, 'primary');
    const revisions = { lastAppliedSpec: red, lastPromotedSpec: red };
    const status = { phase: 'Initialized', ...revisions } as const;
    await rig.twice('initialise', { canary, revision: red, report: { key: '2', status } });

    expect(await configsOf('paint-primary')).toEqual(['colours-primary']);
    expect(await configsOf('paint')).toEqual(['colours']);
    expect(await contentOf('colours-primary')).toEqual({ color: 'red' });
    expect((await statusOf(canary)).trackedConfigs).toEqual({
      'configmap/colours': '241889ca0604e333',
    });
  });

  // D4
  it('is another revision, of which the one before cannot be promoted any more', async () => {
    await changeConfig('colours', { color: 'blue' });
    blue = await surveyed(canary);
    expect(blue).not.toBe(red);

    const result = await rig.attempt('promote', { canary, revision: red, report: { key: '3' } });
    expect(result).toEqual({ copied: false, revision: blue });
    expect(await contentOf('colours-primary')).toEqual({ color: 'red' });
  });

  it('is promoted by copying what was analysed, and rolling the primary', async () => {
    const before = await rig.deployment('paint-primary');
    const promotion = { canary, revision: blue, report: { key: '4' } };
    const result = await rig.twice('promote', promotion);

    expect(result).toMatchObject({ copied: true });
    primaryBefore = result.copied ? result.primaryBefore : undefined;
    expect(await contentOf('colours-primary')).toEqual({ color: 'blue' });
    const { spec } = await rig.deployment('paint-primary');
    expect(spec.template).not.toEqual(before.spec.template);
    expect(await configsOf('paint-primary')).toEqual(['colours-primary']);
  });

  it('is rolled back with the content it had', async () => {
    await rig.ready(canary, 'primary');
    const rollback = { canary, primaryBefore, cookies: {}, ending, report: { key: '5' } };
    await rig.twice('rollBack', rollback);

    expect(await contentOf('colours-primary')).toEqual({ color: 'red' });
    expect(await primaryRevision('paint-primary')).toBe(red);
    expect(await keptConfigs()).toEqual([]);
  });

  it('is taken back too where nothing but the configs had been copied', async () => {
    await rig.attempt('promote', { canary, revision: blue, report: { key: '6' } });
    await restoreTemplate('paint-primary', primaryBefore!);
    const rollback = { canary, primaryBefore: undefined, cookies: {}, ending };
    await rig.attempt('rollBack', { ...rollback, report: { key: '7' } });
    expect(await contentOf('colours-primary')).toEqual({ color: 'red' });
  });

  it('leaves nothing to go back to when it has ended', async () => {
    await rig.attempt('promote', { canary, revision: blue, report: { key: '8' } });
    expect(await keptConfigs()).toEqual(['colours-primary-previous']);
    const status = { lastAppliedSpec: blue, lastPromotedSpec: blue };
    await rig.twice('finish', { canary, ending, report: { key: '9', status } });

    expect(await keptConfigs()).toEqual([]);
    expect((await statusOf(canary)).trackedConfigs).not.toEqual({
      'configmap/colours': '241889ca0604e333',
    });
  });

  // D5, the other way
  it('is undone by the content that was promoted before', async () => {
    await changeConfig('colours', { color: 'red' });
    expect(await surveyed(canary)).toBe(red);
    await changeConfig('colours', { color: 'blue' });
    expect(await surveyed(canary)).toBe(blue);
  });

  // B24
  it('is what a lost primary comes back with, whatever its target refers to by now', async () => {
    await changeConfig('colours', { color: 'green' });
    const { apiVersion, kind } = await rig.deployment('paint-primary');
    const { namespace } = canary;
    await rig.kube.remove({ apiVersion, kind, namespace, name: 'paint-primary' });
    const { revision } = await rig.twice('prepare', { canary, report: { key: '10' } });

    expect(revision).toBe(blue);
    expect(await configsOf('paint-primary')).toEqual(['colours-primary']);
    expect(await contentOf('colours-primary')).toEqual({ color: 'blue' });
  });

  it('has no say any more when the target refers to it no more', async () => {
    const { template } = (await rig.deployment('paint')).spec;
    await rig.kube.patch(
      { apiVersion: 'apps/v1', kind: 'Deployment', namespace: canary.namespace, name: 'paint' },
      { spec: { template: { spec: { containers: [{ ...container, image: 'shop:2' }] } } } },
    );
    expect((await rig.deployment('paint')).spec.template).not.toEqual(template);
    const lastAppliedSpec = await surveyed(canary);
    await rig.attempt('tell', { canary, report: { key: '11', status: { lastAppliedSpec } } });
    expect((await statusOf(canary)).trackedConfigs ?? {}).toEqual({});
  });
});

it('a target whose config is missing is not released, and the sentence names it', async () => {
  const canary = rig.refTo('lacking');
  await createTarget(canary, 'nowhere');
  await rig.createCanary(canary);

  expect(await rig.attempt('survey', { canary })).toEqual({
    kind: 'invalid',
    problems: [
      `GetTargetConfigs failed: configmap nowhere.${canary.namespace} get query error: configmaps "nowhere" not found`,
    ],
  });
});

// B13
it('canaries that share a config have one copy', async () => {
  await createConfig('shared', { a: '1' });
  for (const name of ['one', 'other']) {
    const canary = rig.refTo(name);
    await createTarget(canary, 'shared');
    await rig.createCanary(canary);
    await rig.attempt('prepare', { canary, report: { key: '1' } });
  }
  const { metadata } = (await findConfig('shared-primary'))!;
  expect(metadata.ownerReferences?.map(({ name }) => name).sort()).toEqual(['one', 'other']);
});

const container = { name: 'shop', image: 'shop:1' };

/** A target that reads all variables from one ConfigMap. */
async function createTarget(canary: CanaryRef, config: string): Promise<void> {
  const labels = { app: canary.name };
  const envFrom = [{ configMapRef: { name: config } }];
  await rig.createTarget(canary, {
    template: {
      metadata: { labels },
      spec: { schedulerName: 'nobody', containers: [{ ...container, envFrom }] },
    },
  });
}

async function surveyed(canary: CanaryRef): Promise<string> {
  const survey = await rig.attempt('survey', { canary });
  return survey.kind === 'ready' ? survey.revision : survey.kind;
}

async function statusOf(canary: CanaryRef): Promise<CanaryStatus> {
  return (await rig.manifest(canary)).status ?? {};
}

/** The names of the ConfigMaps a Deployment's container reads. */
async function configsOf(deployment: string): Promise<(string | undefined)[]> {
  const [first] = (await rig.deployment(deployment)).spec.template.spec?.containers ?? [];
  const { envFrom = [] } = first as { envFrom?: { configMapRef?: { name: string } }[] };
  return envFrom.map(({ configMapRef }) => configMapRef?.name);
}

async function primaryRevision(deployment: string): Promise<string | undefined> {
  const { template } = (await rig.deployment(deployment)).spec;
  return template.metadata?.annotations?.['sluice.dev/revision'];
}

/** Plays a promotion that was cut off before it wrote the primary itself. */
async function restoreTemplate(name: string, number: string): Promise<void> {
  const { namespace } = rig;
  const sets = await rig.kube.list<KubeObject & { spec: { template: KubeObject } }>({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    namespace,
  });
  const old = sets.find(({ metadata: { annotations = {}, ownerReferences = [] } }) => {
    const { 'deployment.kubernetes.io/revision': now = '' } = annotations;
    const { 'deployment.kubernetes.io/revision-history': past = '' } = annotations;
    return ownerReferences[0]?.name === name && [now, ...past.split(',')].includes(number);
  })!;
  const { 'pod-template-hash': _, ...labels } = old.spec.template.metadata.labels!;
  const template = { ...old.spec.template, metadata: { ...old.spec.template.metadata, labels } };
  const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name };
  await changeObject<KubeObject & { spec: object }>(rig.kube, ref, (live) => ({
    ...live,
    spec: { ...live.spec, template },
  }));
}

async function createConfig(name: string, data: Record<string, string>): Promise<void> {
  const { namespace } = rig;
  const config: Config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace } };
  await rig.kube.create({ ...config, data });
}

async function changeConfig(name: string, data: Record<string, string>): Promise<void> {
  const { namespace } = rig;
  await rig.kube.patch({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name }, { data });
}

function findConfig(name: string): Promise<Config | undefined> {
  const { namespace } = rig;
  return rig.kube.find<Config>({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name });
}

async function contentOf(name: string): Promise<Config['data']> {
  return (await findConfig(name))?.data;
}

async function keptConfigs(): Promise<string[]> {
  const { namespace } = rig;
  const labelSelector = 'sluice.dev/kept-for';
  const kept = await rig.kube.list({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    namespace,
    labelSelector,
  });
  return kept.map(({ metadata }) => metadata.name);
}
