import { jest } from '@jest/globals';

import { startHookServer, type HookServer } from '../activities/hook-server.js';
import { differs, openRig, same, type App, type AppOptions, type Rig } from './rig.js';

jest.setTimeout(150_000);

let rig: Rig;
let secure: HookServer;

beforeAll(async () => {
  rig = await openRig('hooks');
  secure = await startHookServer('tls');
}, 60_000);

afterAll(async () => {
  await secure.stop();
  await rig.close();
}, 60_000);

describe('webhooks', () => {
  it.concurrent(
    differs('W1', '200, 201 and 202 pass, 203 and 204 fail like 500', 'any 2xx passes'),
    async () => {
      const app = await released('answers', {
        hooks: [{ name: 'load', type: 'rollout', answers: [202, 203, 204, 500, 201] }],
        analysis: { stepWeight: 20, maxWeight: 80, threshold: 2 },
      });

      const halts = (await app.events()).filter((event) => event.includes('external check'));
      expect(halts).toHaveLength(1);
      expect(halts[0]).toContain('HTTP 500');
      expect(app.callCounts()).toEqual({ load: 5 });
    },
  );

  it.concurrent(same('W2', 'with retries 1, first 500 then 202 passes'), async () => {
    const app = await released('retried', {
      hooks: [{ name: 'load', type: 'rollout', retries: 1, answers: [500, 202] }],
      analysis: { stepWeight: 50, maxWeight: 50, threshold: 1 },
    });

    expect(app.callCounts()).toEqual({ load: 2 });
  });

  it.concurrent(same('W3', 'disableTLS takes a certificate nobody vouches for'), async () => {
    const hook = { name: 'load', type: 'rollout', url: `${secure.url}/trusting` };
    await released('trusting', { analysis: { webhooks: [{ ...hook, disableTLS: true }] } });

    expect(secure.paths).toContain('/trusting');
  });

  it.concurrent(
    same('W4', 'the checksum is one for a release, and another for the next and for other configs'),
    async () => {
      const tracked = { name: 'summed-settings' };
      // A name, because an object literal may only hold the fields its type names.
      const settings = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: tracked,
        data: { color: 'red' },
      };
      const app = await rig.open('summed', {
        hooks: [{ name: 'load', type: 'rollout' }],
        beside: [settings],
        target: { podSpec: { volumes: [{ name: 'settings', configMap: tracked }] } },
        analysis: { stepWeight: 25, maxWeight: 50 },
      });
      await app.untilPhase('Initialized');
      await app.setImage('2');
      await app.untilPhase('Succeeded');
      await app.setImage('3');
      await app.untilPhase('Succeeded');
      await rig.kube.patch(
        { apiVersion: 'v1', kind: 'ConfigMap', namespace: rig.namespace, name: tracked.name },
        { data: { color: 'blue' } },
      );
      await app.untilPhase('Succeeded');

      const sums = app.calls('load').map(({ body }) => body.checksum);
      const [first = '', , second = '', , third = ''] = sums;
      expect(sums).toEqual([first, first, second, second, third, third]);
      expect(new Set(sums).size).toBe(3);
    },
  );

  it.concurrent(same('W5', 'a rollback hook is not asked while Waiting'), async () => {
    const app = await rig.open('waiting', {
      hooks: [
        { name: 'confirm', type: 'confirm-rollout', answers: [403] },
        { name: 'back', type: 'rollback', answers: [200] },
      ],
    });
    await app.untilPhase('Initialized');
    await app.setImage('2');
    await app.until('refusals', () => Promise.resolve(app.calls('confirm').length > 2));

    expect((await app.status()).phase).toBe('Waiting');
    expect(app.calls('back')).toEqual([]);
    app.answer('confirm', 200);
    await app.untilPhase('Failed');
    expect((await app.events()).slice(-3)).toEqual([
      'Warning Rollback check back passed',
      'Warning Rolling back waiting.test manual webhook invoked',
      'Warning Canary failed! Scaling down waiting.test',
    ]);
  });

  it.concurrent(same('W6', 'a rollback hook is not asked while pods are unready'), async () => {
    const app = await rig.open('unready', {
      hooks: [{ name: 'back', type: 'rollback', answers: [200] }],
      spec: { progressDeadlineSeconds: 5 },
    });
    await app.untilPhase('Initialized');
    await app.setImage('2-broken');
    await app.untilPhase('Failed');

    expect(app.callCounts()).toEqual({});
  });

  it.concurrent(
    differs(
      'S13',
      'pre-rollout hooks are called at every interval while the traffic gate is closed',
      'they are called until they have passed once',
    ),
    async () => {
      const app = await released('prepared', {
        hooks: [
          { name: 'before', type: 'pre-rollout' },
          { name: 'more', type: 'confirm-traffic-increase', answers: [403, 403, 200] },
        ],
      });

      expect(app.callCounts()).toEqual({ before: 1, more: 4 });
    },
  );

  it.concurrent(same('S16', 'the order of the events, with a hook of every type'), async () => {
    const app = await released('ordered', {
      hooks: [
        { name: 'confirm', type: 'confirm-rollout' },
        { name: 'before', type: 'pre-rollout' },
        { name: 'load', type: 'rollout' },
        { name: 'more', type: 'confirm-traffic-increase' },
        { name: 'promote', type: 'confirm-promotion' },
        { name: 'after', type: 'post-rollout' },
      ],
      analysis: { stepWeight: 100, stepWeightPromotion: 50 },
    });

    const events = (await app.releaseTimeline()).filter((text) => /^(Normal|Warning) /.test(text));
    expect(events).toEqual([
      'Normal Confirm-rollout check confirm passed',
      'Normal New revision detected! Scaling up ordered.test',
      'Normal Starting canary analysis for ordered.test',
      'Normal Pre-rollout check before passed',
      'Normal Confirm-traffic-increase check more passed',
      'Normal Advance ordered.test canary weight 100',
      'Normal Confirm-traffic-increase check more passed',
      'Normal Confirm-promotion check promote passed',
      'Normal Copying ordered.test template spec to ordered-primary.test',
      'Normal Advance ordered.test primary weight 50',
      'Normal Advance ordered.test primary weight 100',
      'Normal Post-rollout check after passed',
      'Normal Promotion completed! Scaling down ordered.test',
    ]);
  });
});

/** An app whose image has been released. */
async function released(name: string, options: AppOptions): Promise<App> {
  const app = await rig.open(name, options);
  await app.untilPhase('Initialized');
  await app.setImage('2');
  await app.untilPhase('Succeeded');
  return app;
}
