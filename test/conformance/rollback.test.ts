import { jest } from '@jest/globals';

import { containersOf } from '../../domain/images.js';
import type { Deployment } from '../../domain/objects.js';
import { refusePrimaryPods } from './pods.js';
import { differs, imageOf, openRig, same, type App, type Rig } from './rig.js';

jest.setTimeout(120_000);

let rig: Rig;
const undo: (() => Promise<void>)[] = [];

beforeAll(async () => {
  rig = await openRig('rollback');
}, 60_000);

afterAll(async () => {
  await Promise.all(undo.map((lift) => lift()));
  await rig.close();
}, 60_000);

describe('rollback', () => {
  it.concurrent(
    differs(
      'R1',
      'a canary past its progress deadline fails without an event of the deadline',
      'there is one that says why',
    ),
    async () => {
      const app = await rig.open('late', { spec: { progressDeadlineSeconds: 4 } });
      await app.untilPhase('Initialized');
      await app.setImage('2-broken');
      await app.untilPhase('Failed');

      expect(await app.releaseTimeline()).toEqual([
        'Normal New revision detected! Scaling up late.test',
        'status Progressing w0',
        expect.stringMatching(
          /^Warning Rolling back late\.test progress deadline exceeded .*its progress deadline$/,
        ),
        'Warning Canary failed! Scaling down late.test',
        'status Failed w0',
      ]);
      expect((await app.workload('target')).spec.replicas).toBe(0);
    },
  );

  it.concurrent(
    same('R2', 'a threshold that has been reached already fails the canary without a check'),
    async () => {
      const app = await rig.open('lowered', {
        hooks: [{ name: 'load', type: 'rollout', answers: [500] }],
        analysis: { stepWeight: 10, interval: '15s', threshold: 9 },
      });
      await app.untilPhase('Initialized');
      await app.setImage('2');
      await app.untilStatus('a failed check', ({ failedChecks }) => failedChecks === 1);
      await app.patchCanary({ analysis: { threshold: 1 } });
      await app.untilPhase('Failed');

      expect((await app.events()).slice(-2)).toEqual([
        'Warning Rolling back lowered.test failed checks threshold reached 1',
        'Warning Canary failed! Scaling down lowered.test',
      ]);
      expect(app.callCounts()).toEqual({ load: 1 });
    },
  );

  it.concurrent(
    differs(
      'R3',
      'threshold 2 rolls back one interval behind the second failed check',
      'no further check is begun, so hooks are asked once less',
    ),
    async () => {
      const app = await rig.open('threshold', {
        hooks: [
          { name: 'back', type: 'rollback', answers: [403] },
          { name: 'load', type: 'rollout', answers: [500] },
        ],
        analysis: { stepWeight: 10, threshold: 2 },
      });
      await app.untilPhase('Initialized');
      await app.setImage('2');
      await app.untilPhase('Failed');

      // The check that makes the first step, and the two that fail; Flagger asks `back` again.
      expect(app.callCounts()).toEqual({ back: 3, load: 2 });
    },
  );

  it.concurrent(
    differs(
      'R4',
      'the deadline of a second bad revision is counted from when the first became unavailable',
      'it is counted from the wait for the second',
    ),
    async () => {
      const app = await rig.open('deadline', { spec: { progressDeadlineSeconds: 20 } });
      await app.untilPhase('Initialized');
      await app.setImage('2-broken');
      await unavailableFor(app, 12_000);
      await app.setImage('3-broken');
      await unavailableFor(app, 21_000);

      expect((await app.status()).phase).toBe('Progressing');
      await app.setImage('4');
      await app.untilPhase('Succeeded');
      expect((await app.events()).filter((event) => event.includes('failed'))).toEqual([]);
    },
  );

  it.concurrent(
    differs(
      'R5',
      'a canary that breaks while Promoting fails the release',
      'the primary has the revision already, so the promotion goes on',
    ),
    async () => {
      const app = await rig.open('stuck', {
        spec: { progressDeadlineSeconds: 6 },
        analysis: { stepWeight: 100, stepWeightPromotion: 20, interval: '2s' },
      });
      await app.untilPhase('Initialized');
      await app.setImage('2');
      await app.untilStatus('w80', (s) => s.phase === 'Promoting' && s.canaryWeight === 80);
      await app.setImage('3-broken');
      await app.untilPhase('Succeeded');

      const promoted = await app.workload('primary');
      expect(containersOf(promoted.spec.template)[0]?.image).toBe(imageOf('2'));
      await app.untilPhase('Failed');
      expect((await app.workload('primary')).spec).toEqual(promoted.spec);
    },
  );

  it.concurrent(
    differs(
      'R5',
      'a rollback while Promoting leaves the new revision at the primary',
      'the primary gets its last promoted state again',
    ),
    async () => {
      const app = await rig.open('restored', {
        analysis: { stepWeight: 100, stepWeightPromotion: 20, interval: '2s' },
      });
      await app.untilPhase('Initialized');
      const before = await app.status();
      await app.setImage('2');
      await app.untilStatus('w80', (s) => s.phase === 'Promoting' && s.canaryWeight === 80);
      const { revision = '' } = (await rig.sluice.state(app.canary)) ?? {};
      await rig.sluice.order(app.canary, 'rollback', { actor: 'ann', revision });
      await app.untilPhase('Failed');

      const { template } = (await app.workload('primary')).spec;
      expect(containersOf(template)[0]?.image).toBe(imageOf('1'));
      expect((await app.status()).lastPromotedSpec).toBe(before.lastPromotedSpec);
      expect((await app.timeline()).slice(-4)).toEqual([
        'Warning Rolling back restored.test as ann asked',
        'Warning Canary failed! Scaling down restored.test',
        'routes 100/0',
        'status Failed w0',
      ]);
    },
  );

  it.concurrent(
    same('R6', 'a primary stuck while Promoting: the canary gets all traffic and keeps its pods'),
    async () => {
      const app = await openUnpromotable('unpromoted');
      await app.untilPhase('Failed');

      expect((await app.timeline()).slice(-5)).toEqual([
        'Normal Copying unpromoted.test template spec to unpromoted-primary.test',
        'status Promoting w50',
        expect.stringMatching(
          /^Warning Promotion of unpromoted\.test failed, primary not ready: ./,
        ),
        'routes 0/100',
        'status Failed w100',
      ]);
      expect((await app.workload('target')).spec.replicas).toBe(1);
    },
  );

  it.concurrent(
    differs(
      'R7',
      'a fix pushed behind a failed promotion sends all traffic to the broken primary and is lost',
      'the primary gets its last promoted state and the traffic back, then the fix is released',
    ),
    async () => {
      const app = await openUnpromotable('recovered');
      await app.untilPhase('Failed');
      const failed = (await app.timeline()).length;
      await app.setImage('3');
      await app.untilPhase('Succeeded');

      expect((await app.timeline()).slice(failed, failed + 5)).toEqual([
        'Normal Restoring recovered-primary.test to its last promoted state after a failed promotion',
        'routes 100/0',
        'status Failed w0',
        'Normal New revision detected! Scaling up recovered.test',
        'status Progressing w0',
      ]);
      const { template } = (await app.workload('primary')).spec;
      expect(containersOf(template)[0]?.image).toBe(imageOf('3'));
    },
  );

  it.concurrent(
    differs(
      'R8',
      'a rollback whose routes cannot be written is repeated, events included',
      'it is repeated until it comes about, and told of once',
    ),
    async () => {
      const app = await rig.open('frozen', {
        hooks: [{ name: 'load', type: 'rollout', answers: [500] }],
        analysis: { stepWeight: 10, threshold: 99 },
      });
      await app.untilPhase('Initialized');
      await app.setImage('2');
      await app.untilStatus('w10', ({ canaryWeight }) => canaryWeight === 10);
      const thaw = await rig.freeze('HTTPProxy', 'frozen');
      await app.patchCanary({ analysis: { threshold: 1 } });
      await app.until('a refusal', async () =>
        (await app.events()).some((event) => event.includes('frozen by')),
      );
      expect((await app.status()).phase).toBe('Progressing');
      await thaw();
      await app.untilPhase('Failed');

      const events = await app.events();
      const told = (text: string): number => events.filter((event) => event.includes(text)).length;
      expect(told('Rolling back')).toBe(1);
      expect(told('Canary failed!')).toBe(1);
      expect((await app.timeline()).slice(-2)).toEqual(['routes 100/0', 'status Failed w0']);
    },
  );
});

/** A release in which image 2 is well as a canary, and has no pods as a primary. */
async function openUnpromotable(name: string): Promise<App> {
  const { kube, namespace } = rig;
  undo.push(await refusePrimaryPods(kube, { namespace, name, tag: '2' }));
  const app = await rig.open(name, { spec: { progressDeadlineSeconds: 5 } });
  await app.untilPhase('Initialized');
  await app.setImage('2');
  return app;
}

/** Resolves when the target has been without available pods for so long. */
async function unavailableFor(app: App, ms: number): Promise<void> {
  await app.until(`${String(ms)} ms without a pod`, async () => {
    const { status } = await app.workload<Deployment & Conditioned>('target');
    const available = status?.conditions?.find(({ type }) => type === 'Available');
    const since = Date.parse(available?.lastUpdateTime ?? '');
    return available?.status === 'False' && Date.now() - since > ms;
  });
}

interface Conditioned {
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly lastUpdateTime?: string;
    }[];
  };
}
