import { jest } from '@jest/globals';

import { differs, openRig, same, type AppHook, type Rig } from './rig.js';

jest.setTimeout(120_000);

let rig: Rig;

beforeAll(async () => {
  rig = await openRig('traces');
}, 60_000);

afterAll(() => rig.close(), 60_000);

/** One that has nothing against anything. */
const willing: readonly AppHook[] = [
  { name: 'confirm', type: 'confirm-rollout' },
  { name: 'before', type: 'pre-rollout' },
  { name: 'load', type: 'rollout' },
  { name: 'more', type: 'confirm-traffic-increase' },
  { name: 'promote', type: 'confirm-promotion' },
  { name: 'after', type: 'post-rollout' },
  { name: 'listen', type: 'event' },
];

describe('the traces of the specification', () => {
  it.concurrent(
    same(
      '13.1',
      'weighted, stepWeight 100, stepWeightPromotion 50, every hook present and passing',
    ),
    async () => {
      const app = await rig.open('podinfo', {
        hooks: willing,
        analysis: { stepWeight: 100, stepWeightPromotion: 50 },
      });
      await app.untilPhase('Initialized');
      await app.setImage('2');
      await app.untilPhase('Succeeded');

      // Flagger tells of the providers at every tick until the primary is ready, Sluice once.
      expect(await app.timeline()).toEqual([
        'status  w0',
        'status Initializing w0',
        'Normal all the metrics providers are available!',
        'routes 100/0',
        'status Initialized w0',
        'Normal Initialization done! podinfo.test',
        'Normal Confirm-rollout check confirm passed',
        'Normal New revision detected! Scaling up podinfo.test',
        'status Progressing w0',
        'Normal Starting canary analysis for podinfo.test',
        'Normal Pre-rollout check before passed',
        'Normal Confirm-traffic-increase check more passed',
        'routes 0/100',
        'status Progressing w100',
        'Normal Advance podinfo.test canary weight 100',
        'Normal Confirm-traffic-increase check more passed',
        'Normal Confirm-promotion check promote passed',
        'Normal Copying podinfo.test template spec to podinfo-primary.test',
        'status Promoting w100',
        'routes 50/50',
        'status Promoting w50',
        'Normal Advance podinfo.test primary weight 50',
        'routes 100/0',
        'status Finalising w0',
        'Normal Advance podinfo.test primary weight 100',
        'status Succeeded w0',
        'Normal Post-rollout check after passed',
        'Normal Promotion completed! Scaling down podinfo.test',
      ]);
      const { listen: _events, ...counts } = app.callCounts();
      expect(counts).toEqual({ confirm: 1, before: 1, load: 1, more: 2, promote: 1, after: 1 });
      expect(
        ['confirm', 'before', 'load', 'more', 'promote', 'after'].map((hook) =>
          app.calls(hook).map(({ body }) => body.phase),
        ),
      ).toEqual([
        ['Initialized'],
        ['Progressing'],
        ['Progressing'],
        ['Progressing', 'Progressing'],
        ['Progressing'],
        ['Succeeded'],
      ]);
      expect(await app.told('listen')).toEqual([
        ['Initializing', 'Normal all the metrics providers are available!'],
        ['Initialized', 'Normal Initialization done! podinfo.test'],
        ['Initialized', 'Normal Confirm-rollout check confirm passed'],
        ['Progressing', 'Normal New revision detected! Scaling up podinfo.test'],
        ['Progressing', 'Normal Starting canary analysis for podinfo.test'],
        ['Progressing', 'Normal Pre-rollout check before passed'],
        ['Progressing', 'Normal Confirm-traffic-increase check more passed'],
        ['Progressing', 'Normal Advance podinfo.test canary weight 100'],
        ['Progressing', 'Normal Confirm-traffic-increase check more passed'],
        ['Progressing', 'Normal Confirm-promotion check promote passed'],
        ['Progressing', 'Normal Copying podinfo.test template spec to podinfo-primary.test'],
        ['Promoting', 'Normal Advance podinfo.test primary weight 50'],
        ['Promoting', 'Normal Advance podinfo.test primary weight 100'],
        ['Succeeded', 'Normal Post-rollout check after passed'],
        ['Succeeded', 'Normal Promotion completed! Scaling down podinfo.test'],
      ]);
    },
  );

  it.concurrent(
    differs(
      '13.2',
      'skipAnalysis promotes without waiting for the primary',
      'its pods are awaited, in phase Promoting, before the release has Succeeded',
    ),
    async () => {
      const app = await rig.open('skipping', { hooks: willing, spec: { skipAnalysis: true } });
      await app.untilPhase('Initialized');
      await app.setImage('2');
      await app.untilPhase('Succeeded');

      expect(await app.timeline()).toEqual([
        'status  w0',
        'status Initializing w0',
        'routes 100/0',
        'status Initialized w0',
        'Normal Initialization done! skipping.test',
        'Normal Confirm-rollout check confirm passed',
        'Normal New revision detected! Scaling up skipping.test',
        'status Progressing w0',
        'Normal Copying skipping.test template spec to skipping-primary.test',
        'status Promoting w0',
        'status Succeeded w0',
        'Normal Post-rollout check after passed',
        'Normal Promotion completed! Canary analysis was skipped for skipping.test',
      ]);
      const { listen: _events, ...counts } = app.callCounts();
      expect(counts).toEqual({ confirm: 1, after: 1 });
    },
  );

  it.concurrent(
    differs(
      '13.3',
      'a closed promotion gate shows weight 0 and iterations -1',
      'both stay what they are, and all else is as in Flagger',
    ),
    async () => {
      const app = await rig.open('gated', {
        hooks: [
          { name: 'back', type: 'rollback', answers: [403] },
          { name: 'more', type: 'confirm-traffic-increase' },
          { name: 'promote', type: 'confirm-promotion', answers: [403, 403, 200] },
        ],
        analysis: { stepWeight: 50, maxWeight: 50, stepWeightPromotion: 20 },
      });
      await app.untilPhase('Initialized');
      await app.setImage('2');
      await app.untilPhase('Succeeded');

      expect(await app.releaseTimeline()).toEqual([
        'Normal New revision detected! Scaling up gated.test',
        'status Progressing w0',
        'Normal Rollback hook back not signaling a rollback',
        'Normal Starting canary analysis for gated.test',
        'Normal Confirm-traffic-increase check more passed',
        'routes 50/50',
        'status Progressing w50',
        'Normal Advance gated.test canary weight 50',
        'Normal Rollback hook back not signaling a rollback',
        'Normal Confirm-traffic-increase check more passed',
        'status WaitingPromotion w50',
        'Warning Halt gated.test advancement waiting for promotion approval promote',
        'Normal Rollback hook back not signaling a rollback',
        'Normal Rollback hook back not signaling a rollback',
        'Normal Confirm-promotion check promote passed',
        'Normal Copying gated.test template spec to gated-primary.test',
        'status Promoting w50',
        'routes 70/30',
        'status Promoting w30',
        'Normal Advance gated.test primary weight 70',
        'routes 90/10',
        'status Promoting w10',
        'Normal Advance gated.test primary weight 90',
        'routes 100/0',
        'status Finalising w0',
        'Normal Advance gated.test primary weight 100',
        'status Succeeded w0',
        'Normal Promotion completed! Scaling down gated.test',
      ]);
      expect(app.callCounts()).toEqual({ back: 4, more: 2, promote: 3 });
    },
  );

  const blueGreen = {
    hooks: [
      { name: 'load', type: 'rollout' },
      { name: 'promote', type: 'confirm-promotion', answers: [403, 403, 403, 200] },
    ],
    analysis: { iterations: 2 },
  } as const;

  it.concurrent(
    differs(
      '13.4',
      'Blue/Green goes back to its last iteration to wait for the promotion',
      'iterations stay what they are, and the gate is asked at every interval',
    ),
    async () => {
      const app = await rig.open('green', blueGreen);
      await app.untilPhase('Initialized');
      await app.setImage('2');
      await app.untilPhase('Succeeded');

      expect(await app.releaseTimeline()).toEqual([
        'Normal New revision detected! Scaling up green.test',
        'status Progressing w0',
        'Normal Starting canary analysis for green.test',
        'status Progressing w0 i1',
        'Normal Advance green.test canary iteration 1/2',
        'status Progressing w0 i2',
        'Normal Advance green.test canary iteration 2/2',
        'status WaitingPromotion w0 i2',
        'Warning Halt green.test advancement waiting for promotion approval promote',
        'Normal Confirm-promotion check promote passed',
        'routes 0/100',
        'status WaitingPromotion w0 i3',
        'Normal Routing all traffic to canary',
        'Normal Confirm-promotion check promote passed',
        'Normal Copying green.test template spec to green-primary.test',
        'status Promoting w0 i3',
        'routes 100/0',
        'status Finalising w0 i3',
        'Normal Routing all traffic to primary',
        'status Succeeded w0',
        'Normal Promotion completed! Scaling down green.test',
      ]);
      // Three refusals, one pass for the traffic and one for the promotion; checks go on meanwhile.
      expect(app.callCounts()).toEqual({ load: 6, promote: 5 });
    },
  );

  it.concurrent(
    differs(
      '13.4',
      'with provider kubernetes Blue/Green goes back to its last iteration too',
      'iterations stay what they are, without events of routes there are not',
    ),
    async () => {
      const app = await rig.open('routeless', { ...blueGreen, provider: 'kubernetes' });
      await app.untilPhase('Initialized');
      await app.setImage('2');
      await app.untilPhase('Succeeded');

      expect(await app.releaseTimeline()).toEqual([
        'Normal New revision detected! Scaling up routeless.test',
        'status Progressing w0',
        'Normal Starting canary analysis for routeless.test',
        'status Progressing w0 i1',
        'Normal Advance routeless.test canary iteration 1/2',
        'status Progressing w0 i2',
        'Normal Advance routeless.test canary iteration 2/2',
        'status WaitingPromotion w0 i2',
        'Warning Halt routeless.test advancement waiting for promotion approval promote',
        'Normal Confirm-promotion check promote passed',
        'status WaitingPromotion w0 i3',
        'Normal Confirm-promotion check promote passed',
        'Normal Copying routeless.test template spec to routeless-primary.test',
        'status Promoting w0 i3',
        'status Finalising w0 i3',
        'status Succeeded w0',
        'Normal Promotion completed! Scaling down routeless.test',
      ]);
      expect(app.callCounts()).toEqual({ load: 6, promote: 5 });
    },
  );

  it.concurrent(
    differs(
      '13.5',
      'a rollback comes one interval behind the check that reaches the threshold',
      'it follows that check at once, and the event names the status of the answer',
    ),
    async () => {
      const app = await rig.open('failing', {
        hooks: [
          { name: 'load', type: 'rollout', answers: [500, { status: 404, body: 'body-404' }] },
        ],
        analysis: { stepWeight: 10, maxWeight: 50, threshold: 2 },
      });
      await app.untilPhase('Initialized');
      await app.setImage('2');
      await app.untilPhase('Failed');

      expect(await app.releaseTimeline()).toEqual([
        'Normal New revision detected! Scaling up failing.test',
        'status Progressing w0',
        'Normal Starting canary analysis for failing.test',
        'routes 90/10',
        'status Progressing w10',
        'Normal Advance failing.test canary weight 10',
        'Warning Halt failing.test advancement external check load failed POST http://hooks/failing/load giving up after 1 attempt(s): HTTP 500',
        'status Progressing w10 f1',
        'Warning Halt failing.test advancement external check load failed body-404',
        'status Progressing w10 f2',
        'Warning Rolling back failing.test failed checks threshold reached 2',
        'Warning Canary failed! Scaling down failing.test',
        'routes 100/0',
        'status Failed w0',
      ]);
      expect(app.callCounts()).toEqual({ load: 2 });
      expect((await app.workload('target')).spec.replicas).toBe(0);
    },
  );
});
