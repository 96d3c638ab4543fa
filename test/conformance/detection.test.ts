import { jest } from '@jest/globals';

import type { Config } from '../../domain/configs.js';
import type { KubeObject } from '../../domain/objects.js';
import { differs, imageOf, openRig, same, type App, type AppOptions, type Rig } from './rig.js';

jest.setTimeout(180_000);

let rig: Rig;

beforeAll(async () => {
  rig = await openRig('detection');
}, 60_000);

afterAll(() => rig.close(), 60_000);

/** Checks that fail until they are told otherwise, with room for many. */
const stuck: AppOptions = {
  hooks: [{ name: 'load', type: 'rollout', answers: [500] }],
  analysis: { stepWeight: 10, maxWeight: 10, threshold: 50 },
};

/** The first failure ends it. */
const strict: AppOptions = {
  hooks: [{ name: 'load', type: 'rollout', answers: [500] }],
  analysis: { stepWeight: 10, maxWeight: 10, threshold: 1 },
};

describe('detection', () => {
  it.concurrent(
    same('D1', 'a template changed and changed back to the promoted one is no change'),
    async () => {
      const app = await rig.open('back', strict);
      await failed(app);
      await app.setImage('1');
      await looked(app);
      expect(await detections(app)).toBe(1);
      const { phase, lastPromotedSpec } = await app.status();
      expect(phase).toBe('Failed');

      app.answer('load', 200);
      await app.setImage('3');
      await app.untilPhase('Succeeded');
      expect(await detections(app)).toBe(2);
      expect((await app.status()).lastPromotedSpec).not.toBe(lastPromotedSpec);
    },
  );

  it.concurrent(
    same('D2', 'any other change of the template is one; replicas and own labels are none'),
    async () => {
      const app = await rig.open('other');
      await app.untilPhase('Initialized');
      await app.patchTarget({
        metadata: { labels: { team: 'blue' } },
        spec: { minReadySeconds: 1 },
      });
      await looked(app);
      expect(await detections(app)).toBe(0);

      const annotations = { 'kubectl.kubernetes.io/restartedAt': '2026-01-01T00:00:00Z' };
      await app.patchTarget({ spec: { template: { metadata: { annotations } } } });
      await app.untilPhase('Succeeded');
      expect(await detections(app)).toBe(1);
      expect((await app.workload('primary')).spec.template.metadata?.annotations).toMatchObject(
        annotations,
      );
    },
  );

  it.concurrent(
    same('D3', 'a new revision at 90/10 gives 100/0, no failed checks and phase Progressing'),
    async () => {
      const app = await rig.open('newer', stuck);
      await app.untilPhase('Initialized');
      await app.setImage('2');
      await app.untilStatus('a failed check', ({ failedChecks = 0 }) => failedChecks > 0);
      await app.setImage('3');
      await restarted(app);
      app.answer('load', 200);
      await app.untilPhase('Succeeded');

      const timeline = await app.releaseTimeline();
      expect(unfailing(timeline)).toEqual([
        'Normal New revision detected! Scaling up newer.test',
        'status Progressing w0',
        'Normal Starting canary analysis for newer.test',
        'routes 90/10',
        'status Progressing w10',
        'Normal Advance newer.test canary weight 10',
        'Normal New revision detected! Restarting analysis for newer.test',
        'routes 100/0',
        'status Progressing w0',
        'Normal Starting canary analysis for newer.test',
        'routes 90/10',
        'status Progressing w10',
        'Normal Advance newer.test canary weight 10',
        ...promotion('newer'),
      ]);
      expect((await app.workload('primary')).spec.template.spec?.containers?.[0]?.image).toBe(
        imageOf('3'),
      );
    },
  );

  it.concurrent(
    same('D4', 'a config changed mid-run restarts, and the promotion copies what it says by then'),
    async () => {
      const app = await rig.open('config', { ...stuck, ...reading('config-settings') });
      await app.untilPhase('Initialized');
      await setColour('config-settings', 'red');
      await app.untilStatus('a failed check', ({ failedChecks = 0 }) => failedChecks > 0);
      await setColour('config-settings', 'green');
      await restarted(app);
      app.answer('load', 200);
      await app.untilPhase('Succeeded');

      expect(unfailing(await app.releaseTimeline())).toEqual([
        'Normal New revision detected! Scaling up config.test',
        'status Progressing w0',
        'Normal Starting canary analysis for config.test',
        'routes 90/10',
        'status Progressing w10',
        'Normal Advance config.test canary weight 10',
        'Normal New revision detected! Restarting analysis for config.test',
        'routes 100/0',
        'status Progressing w0',
        'Normal Starting canary analysis for config.test',
        'routes 90/10',
        'status Progressing w10',
        'Normal Advance config.test canary weight 10',
        ...promotion('config'),
      ]);
      expect(await app.find('v1', 'ConfigMap', 'config-settings-primary')).toMatchObject({
        data: { colour: 'green' },
      });
    },
  );

  it.concurrent(
    differs(
      'D5',
      'a config set back mid-run restarts the analysis',
      'it is part of the revision, so that what is promoted already ends the release',
    ),
    async () => {
      const app = await rig.open('reverted', { ...stuck, ...reading('reverted-settings') });
      await app.untilPhase('Initialized');
      await setColour('reverted-settings', 'green');
      await app.untilStatus('a failed check', ({ failedChecks = 0 }) => failedChecks > 0);
      await setColour('reverted-settings', 'blue');
      await app.untilPhase('Failed');

      const timeline = await app.releaseTimeline();
      expect(timeline.join('\n')).not.toContain('Restarting');
      expect(unfailing(timeline).slice(-3)).toEqual([
        'Warning Canary failed! Scaling down reverted.test',
        'routes 100/0',
        'status Failed w0',
      ]);
      expect((await app.workload('target')).spec.replicas).toBe(0);
      expect(await app.find('v1', 'ConfigMap', 'reverted-settings-primary')).toMatchObject({
        data: { colour: 'blue' },
      });
    },
  );

  it.concurrent(
    differs(
      'D6',
      'a template set back mid-run is analysed on, promoted, and analysed a second time',
      'the release ends, with everything put back',
    ),
    async () => {
      const app = await rig.open('undone', stuck);
      await app.untilPhase('Initialized');
      const { lastPromotedSpec } = await app.status();
      await app.setImage('2');
      await app.untilStatus('a failed check', ({ failedChecks = 0 }) => failedChecks > 0);
      await app.setImage('1');
      await app.untilPhase('Failed');
      await looked(app);

      expect(await detections(app)).toBe(1);
      expect(unfailing(await app.releaseTimeline()).slice(-3)).toEqual([
        'Warning Canary failed! Scaling down undone.test',
        'routes 100/0',
        'status Failed w0',
      ]);
      expect((await app.workload('target')).spec.replicas).toBe(0);
      expect((await app.status()).lastPromotedSpec).toBe(lastPromotedSpec);
    },
  );

  it.concurrent(
    differs(
      'D7',
      'a revision pushed after a failure while the primary is unready is never analysed',
      'it is recorded when it is tried, so it is analysed',
    ),
    async () => {
      const app = await rig.open('unready', strict);
      await failed(app);
      const image = async (tag: string): Promise<void> => {
        const containers = [{ name: 'app', image: imageOf(tag) }];
        const { apiVersion, kind, metadata } = await app.workload('primary');
        const { name, namespace = '' } = metadata;
        const template = { spec: { containers } };
        await rig.kube.patch({ apiVersion, kind, name, namespace }, { spec: { template } });
      };
      await image('1-broken');
      await app.until('the primary to be unready', async () => {
        const { status = {} } = await app.workload('primary');
        return (status.replicas ?? 0) > (status.availableReplicas ?? 0);
      });
      app.answer('load', 200);
      await app.setImage('3');
      await looked(app);
      await image('1');
      await app.untilPhase('Succeeded');

      expect(await detections(app)).toBe(2);
      expect((await app.workload('primary')).spec.template.spec?.containers?.[0]?.image).toBe(
        imageOf('3'),
      );
    },
  );

  it.concurrent(
    differs(
      'D8',
      'a revision whose scale-up is refused after a failure is lost',
      'the scale-up is tried again until it works',
    ),
    async () => {
      const app = await rig.open('refused', strict);
      await failed(app);
      await app.patchCanary({ suspend: true });
      await app.setImage('3');
      const thaw = await rig.freeze('Deployment', 'refused');
      app.answer('load', 200);
      await app.patchCanary({ suspend: false });
      await app.until('a refusal', async () =>
        (await app.events()).some((event) => event.includes('frozen by')),
      );
      await thaw();
      await app.untilPhase('Succeeded');

      expect((await app.workload('primary')).spec.template.spec?.containers?.[0]?.image).toBe(
        imageOf('3'),
      );
    },
  );

  it.concurrent(
    differs(
      'D9',
      'lastTransitionTime changes every interval of a failed canary',
      'nothing is written while nothing happens',
    ),
    async () => {
      const app = await rig.open('quiet', strict);
      await failed(app);
      const before = await canaryOf(app);
      await new Promise((resolve) => setTimeout(resolve, 3_500));
      expect(await canaryOf(app)).toEqual(before);
    },
  );
});

/** Brings an app to phase Failed. */
async function failed(app: App): Promise<void> {
  await app.untilPhase('Initialized');
  await app.setImage('2');
  await app.untilPhase('Failed');
}

/** Resolves when Sluice has looked at the canary and its target as they are now. */
async function looked(app: App): Promise<void> {
  const { spec } = await canaryOf(app);
  const { progressDeadlineSeconds } = spec as { readonly progressDeadlineSeconds: number };
  await app.patchCanary({ progressDeadlineSeconds: progressDeadlineSeconds + 1 });
  const { metadata } = await canaryOf(app);
  await app.untilStatus(
    'a look at the manifest',
    ({ observedGeneration }) => observedGeneration === metadata.generation,
  );
}

async function canaryOf(app: App): Promise<KubeObject> {
  const canary = await app.find('flagger.app/v1beta1', 'Canary', app.canary.name);
  if (canary === undefined) throw new Error(`there is no canary ${app.canary.name}`);
  return canary;
}

async function detections(app: App): Promise<number> {
  const events = await app.events();
  return events.filter((event) => event.includes('New revision detected!')).length;
}

async function restarted(app: App): Promise<void> {
  await app.until('a restart', async () =>
    (await app.events()).some((event) => event.includes('Restarting analysis')),
  );
}

/** A timeline without its failed checks. */
function unfailing(timeline: readonly string[]): string[] {
  return timeline.filter((text) => !text.includes(' external check ') && !/ f\d+$/.test(text));
}

/** How a release with one step ends well. */
function promotion(name: string): string[] {
  return [
    `Normal Copying ${name}.test template spec to ${name}-primary.test`,
    'status Promoting w10',
    'routes 100/0',
    'status Finalising w0',
    'Normal Routing all traffic to primary',
    'status Succeeded w0',
    `Normal Promotion completed! Scaling down ${name}.test`,
  ];
}

/** A target with a ConfigMap as its environment. */
function reading(name: string): AppOptions {
  return {
    beside: [configMap(name, 'blue')],
    target: {
      podSpec: {
        containers: [{ name: 'app', image: imageOf('1'), envFrom: [{ configMapRef: { name } }] }],
      },
    },
  };
}

function configMap(name: string, colour: string): Config {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { colour } };
}

async function setColour(name: string, colour: string): Promise<void> {
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: rig.namespace, name };
  await rig.kube.patch(ref, { data: { colour } });
}
