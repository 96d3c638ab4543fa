import { jest } from '@jest/globals';

import type { Report } from '../../domain/moves.js';
import type { Deployment } from '../../domain/objects.js';
import type { CanaryRef } from '../../domain/release.js';
import { brokenTag, until } from './activity-bench.js';
import { openRig, type CanaryRig } from './canary-rig.js';

jest.setTimeout(60_000);

let rig: CanaryRig;

beforeAll(async () => {
  rig = await openRig('writes');
}, 60_000);

afterAll(() => rig.close());

describe('a canary from its creation to a promotion', () => {
  let canary: CanaryRef;
  let first: string;
  let second: string;

  beforeAll(async () => {
    canary = rig.refTo('whole');
    await rig.createTarget(canary);
    await rig.createCanary(canary);
  });

  it('is surveyed', async () => {
    const survey = await rig.attempt('survey', { canary });

    expect(survey).toMatchObject({
      kind: 'ready',
      status: {},
      images: ['shop:1'],
      plan: {
        generation: 1,
        strategy: { kind: 'weighted', weights: [10, 20, 30] },
        intervalMs: 10_000,
        names: { primaryWorkload: 'whole-primary' },
      },
    });
    first = survey.kind === 'ready' ? survey.revision : '';
    expect(first).toMatch(/^[0-9a-f]{10}$/);
  });

  it('gets its services and its primary', async () => {
    const report = { key: '1', status: { phase: 'Initializing' } } as const;
    const result = await rig.twice('prepare', { canary, report });

    expect(result).toEqual({ revision: first });
    expect((await rig.service('whole-canary')).spec).toMatchObject({ selector: { app: 'whole' } });
    expect((await rig.service('whole-primary')).spec).toMatchObject({
      selector: { app: 'whole-primary' },
    });
    expect(await rig.deployment('whole-primary')).toMatchObject({
      metadata: { ownerReferences: [{ kind: 'Canary', name: 'whole', controller: true }] },
      spec: { replicas: 2, selector: { matchLabels: { app: 'whole-primary' } } },
    });
    expect((await rig.deployment('whole')).spec.replicas).toBe(2);
    expect((await rig.manifest(canary)).status).toMatchObject({
      phase: 'Initializing',
      conditions: [{ type: 'Promoted', status: 'Unknown', reason: 'Initializing' }],
    });
  });

  it('takes the traffic over and gives its target a rest', async () => {
    await rig.ready(canary, 'primary');
    await rig.twice('initialise', {
      canary,
      revision: first,
      report: {
        key: '2',
        status: { phase: 'Initialized', lastAppliedSpec: first, lastPromotedSpec: first },
        after: [normal('Initialization done! whole.ns')],
      },
    });

    expect((await rig.service('whole')).spec).toMatchObject({ selector: { app: 'whole-primary' } });
    expect(await rig.weights('whole')).toEqual({ 'whole-primary': 100, 'whole-canary': 0 });
    expect((await rig.deployment('whole')).spec.replicas).toBe(0);
    expect((await rig.manifest(canary)).status).toMatchObject({
      phase: 'Initialized',
      lastPromotedSpec: first,
      conditions: [{ status: 'True', message: 'Deployment initialization completed.' }],
    });
  });

  it('gets a new image, and another container is refused by naming those there are', async () => {
    const result = await rig.twice('setImages', { canary, images: { shop: 'shop:2' } });
    second = result.revision;

    expect(second).not.toBe(first);
    expect(await rig.attempt('survey', { canary })).toMatchObject({ revision: second });
    await expect(
      rig.attempt('setImages', { canary, images: { shpo: 'shop:3' } }),
    ).rejects.toMatchObject({
      type: 'InvalidSpec',
      nonRetryable: true,
      message: expect.stringContaining('has no container shpo (containers: setup, shop)'),
    });
  });

  it('scales up to as many pods as the primary has', async () => {
    const report: Report = {
      key: '3',
      before: [normal('New revision detected! Scaling up whole.ns')],
      status: { phase: 'Progressing', canaryWeight: 0, lastAppliedSpec: second },
    };
    await rig.twice('scaleUp', { canary, report });

    expect((await rig.deployment('whole')).spec.replicas).toBe(2);
    await rig.ready(canary, 'canary');
  });

  it('shifts traffic', async () => {
    const report: Report = {
      key: '4',
      status: { phase: 'Progressing', canaryWeight: 30 },
      after: [normal('Advance whole.ns canary weight 30')],
    };
    await rig.twice('route', { canary, routes: { primary: 70, canary: 30 }, cookies: {}, report });

    expect(await rig.weights('whole')).toEqual({ 'whole-primary': 70, 'whole-canary': 30 });
    expect((await rig.manifest(canary)).status).toMatchObject({ canaryWeight: 30 });
  });

  it('does not copy a revision that was not analysed', async () => {
    const before = await rig.versions();
    const report: Report = { key: '5', before: [normal('no')], status: { phase: 'Promoting' } };
    const result = await rig.attempt('promote', { canary, revision: first, report });

    expect(result).toEqual({ copied: false, revision: second });
    expect(await rig.versions()).toEqual(before);
  });

  it('is copied to the primary', async () => {
    const report: Report = { key: '6', status: { phase: 'Promoting' } };
    const result = await rig.twice('promote', { canary, revision: second, report });

    expect(result).toEqual({ copied: true, primaryBefore: '1' });
    expect(imageOf(await rig.deployment('whole-primary'))).toBe('shop:2');
    await rig.ready(canary, 'primary');
    // Nor does an attempt that comes long after the controller has rolled the pods out.
    expect(await rig.twice('promote', { canary, revision: second, report })).toEqual(result);
  });

  it('is finished, and counted each time it is', async () => {
    await rig.attempt('route', {
      canary,
      routes: { primary: 100, canary: 0 },
      cookies: {},
      report: { key: '7', status: { phase: 'Finalising', canaryWeight: 0 } },
    });
    await rig.twice('finish', {
      canary,
      ending: { outcome: 'promoted', startedAt: Date.now() - 5_000, waitedForPeopleMs: 0 },
      report: {
        key: '8',
        status: { phase: 'Succeeded', canaryWeight: 0, lastPromotedSpec: second },
        after: [normal('Promotion completed! Scaling down whole.ns')],
      },
    });

    expect((await rig.deployment('whole')).spec.replicas).toBe(0);
    expect((await rig.manifest(canary)).status).toMatchObject({
      phase: 'Succeeded',
      lastPromotedSpec: second,
      conditions: [{ status: 'True', reason: 'Succeeded' }],
    });
    expect(rig.endings.at(-1)).toMatchObject({ outcome: 'promoted', skippedAnalysis: false });
  });

  it('told of each move once', async () => {
    const warnings = /not ready: waiting for rollout|has no container/;
    const told = await rig.events('whole');

    expect(told.filter((event) => !warnings.test(event))).toEqual([
      'Normal all the metrics providers are available!',
      'Normal Initialization done! whole.ns',
      'Normal New revision detected! Scaling up whole.ns',
      'Normal Advance whole.ns canary weight 30',
      'Normal Promotion completed! Scaling down whole.ns',
    ]);
    const events = await rig.kube.list({
      apiVersion: 'v1',
      kind: 'Event',
      namespace: rig.namespace,
    });
    const event = events.find(({ metadata: { name } }) => name.startsWith('whole.'));
    expect(event).toMatchObject({
      metadata: { name: expect.stringMatching(/^whole\.[0-9a-f]{16}$/) },
      involvedObject: { uid: (await rig.manifest(canary)).metadata.uid },
      ...{ reason: 'Synced', source: { component: 'flagger' }, reportingComponent: 'sluice' },
    });
  });
});

describe('a rollback', () => {
  const rollBack = { outcome: 'rolled-back', startedAt: 0, waitedForPeopleMs: 0 } as const;
  const report: Report = {
    key: '9',
    before: [warning('Canary failed! Scaling down NAME')],
    status: { phase: 'Failed', canaryWeight: 0, failedChecks: 0 },
  };

  it('during the analysis leaves the primary alone', async () => {
    const canary = await rig.initialised('analysed');
    await rig.released(canary, 'shop:2');
    const primary = await rig.deployment('analysed-primary');
    const input = { canary, cookies: {}, primaryBefore: undefined, ending: rollBack, report };
    await rig.twice('rollBack', input);

    expect(await rig.weights('analysed')).toEqual({
      'analysed-primary': 100,
      'analysed-canary': 0,
    });
    expect((await rig.deployment('analysed')).spec.replicas).toBe(0);
    expect((await rig.deployment('analysed-primary')).spec).toEqual(primary.spec);
    expect((await rig.manifest(canary)).status).toMatchObject({
      phase: 'Failed',
      canaryWeight: 0,
      conditions: [
        { status: 'False', message: 'Canary analysis failed, Deployment scaled to zero.' },
      ],
    });
    expect(await rig.events('analysed')).toContain('Warning Canary failed! Scaling down NAME');
    expect(rig.endings.at(-1)).toMatchObject({ outcome: 'rolled-back' });
  });

  it('during the promotion restores the primary', async () => {
    const canary = await rig.initialised('promoting');
    const revision = await rig.released(canary, 'shop:2');
    const before = (await rig.deployment('promoting-primary')).spec.template;
    const promoted = await rig.attempt('promote', { canary, revision, report: { key: '8' } });
    await rig.ready(canary, 'primary');

    const primaryBefore = promoted.copied ? promoted.primaryBefore : undefined;
    await rig.twice('rollBack', { canary, cookies: {}, primaryBefore, ending: rollBack, report });

    expect((await rig.deployment('promoting-primary')).spec.template).toEqual(before);
    expect((await rig.deployment('promoting')).spec.replicas).toBe(0);
    await rig.ready(canary, 'primary');
    // The number the primary has now is another one; going back to the old one is still the same.
    await rig.twice('rollBack', { canary, cookies: {}, primaryBefore, ending: rollBack, report });

    // And the same revision can be released again.
    await rig.released(canary, 'shop:2');
    const again = await rig.twice('promote', { canary, revision, report: { key: '12' } });
    expect(again).toEqual({ copied: true, primaryBefore: '3' });
    expect(imageOf(await rig.deployment('promoting-primary'))).toBe('shop:2');
  });

  it('restores the primary also when nobody heard of the copy', async () => {
    const canary = await rig.initialised('cut-off');
    const revision = await rig.released(canary, 'shop:2');
    await rig.attempt('promote', { canary, revision, report: { key: '8' } });

    await rig.attempt('rollBack', {
      canary,
      cookies: {},
      primaryBefore: undefined,
      ending: rollBack,
      report,
    });

    expect(imageOf(await rig.deployment('cut-off-primary'))).toBe('shop:1');
  });

  it('keeps the traffic where it is until a primary that was stopped serves again', async () => {
    const canary = await rig.initialised('recreated', { strategy: { type: 'Recreate' } });
    const revision = await rig.released(canary, `shop:${brokenTag}`);
    const promoted = await rig.attempt('promote', { canary, revision, report: { key: '8' } });
    await until(async () => !(await rig.deployment('recreated-primary')).status?.availableReplicas);
    const primaryBefore = promoted.copied ? promoted.primaryBefore : undefined;
    let servedAtSwitch: number | undefined;
    const watching = until(async () => {
      const shifted = (await rig.weights('recreated'))['recreated-canary'] === 0;
      const { status } = await rig.deployment('recreated-primary');
      if (shifted) servedAtSwitch = status?.availableReplicas ?? 0;
      return shifted;
    });
    await rig.attempt('rollBack', { canary, cookies: {}, primaryBefore, ending: rollBack, report });
    await watching;

    expect(servedAtSwitch).toBe(2);
    expect((await rig.deployment('recreated')).spec.replicas).toBe(0);
  });

  it('says so when the old pods are forgotten, with the traffic on the primary', async () => {
    const canary = await rig.initialised('forgotten', { revisionHistoryLimit: 0 });
    const revision = await rig.released(canary, 'shop:2');
    const promoted = await rig.attempt('promote', { canary, revision, report: { key: '8' } });
    await rig.ready(canary, 'primary');
    await until(async () => (await replicaSets('forgotten-primary')) === 1);

    const primaryBefore = promoted.copied ? promoted.primaryBefore : undefined;
    await expect(
      rig.attempt('rollBack', { canary, cookies: {}, primaryBefore, ending: rollBack, report }),
    ).rejects.toMatchObject({
      type: 'InvalidSpec',
      message: `deployment forgotten-primary.${rig.namespace} cannot go back to revision 1: its replica set is gone (see spec.revisionHistoryLimit)`,
    });
    expect(await rig.weights('forgotten')).toMatchObject({ 'forgotten-primary': 100 });
  });
});

function imageOf({ spec }: Deployment): string | undefined {
  return spec.template.spec?.containers?.[0]?.image;
}

async function replicaSets(app: string): Promise<number> {
  const { namespace, kube } = rig;
  const kind = { apiVersion: 'apps/v1', kind: 'ReplicaSet', namespace };
  return (await kube.list({ ...kind, labelSelector: `app=${app}` })).length;
}

function normal(message: string) {
  return { type: 'Normal', message } as const;
}

function warning(message: string) {
  return { type: 'Warning', message } as const;
}
