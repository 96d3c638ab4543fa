import { setTimeout as sleep } from 'node:timers/promises';

import { shareOf } from '../../sandbox/demo/traffic.js';
import { openStage, type App, type Stage } from './stage.js';

/** Enough answers at each weight that three points are far outside of what chance does. */
const requestsPerSecond = 350;
const interval = '14s';
/** Time for a new weight to reach Envoy and for whole seconds to be counted, in milliseconds. */
const settlingMs = 1_500;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
}, 180_000);
afterAll(() => stage.close(), 60_000);

const metrics = [
  { name: 'request-success-rate', interval: '10s', thresholdRange: { min: 99 } },
  { name: 'request-duration', interval: '10s', thresholdRange: { max: 2_000 } },
];

describe.each(['contour', 'gatewayapi:v1'] as const)('through Envoy, by %s', (provider) => {
  let app: App;
  let sendingSince = 0;

  beforeAll(async () => {
    app = await stage.open(`traffic-${provider.replace(/\W/g, '')}`, {
      provider,
      replicas: 2,
      analysis: { interval, metrics },
    });
    await app.initialised();
    await stage.traffic.send(requestsPerSecond, { host: app.host });
    await sleep(settlingMs);
    sendingSince = Date.now();
  }, 180_000);
  afterAll(() => stage.traffic.send(0));

  it('each weight of a release is the share of answers the canary gives, until it is promoted', async () => {
    await app.setImage('2.0.0');
    const measured: Record<string, { share: number; requests: number }> = {};
    for (const weight of [10, 20, 30, 40, 50]) {
      await app.untilState(`weight ${String(weight)}`, (state) => state.weight === weight, 90_000);
      const since = Date.now() + settlingMs;
      await app.untilState(
        `the end of weight ${String(weight)}`,
        (state) => state.weight !== weight || state.due - Date.now() < 400,
        90_000,
      );
      const counted = await stage.traffic.counted(since, Date.now());
      measured[String(weight)] = { share: shareOf(counted, '2.0.0'), requests: counted.requests };
    }
    const ending = await app.ending();

    console.log(`${provider}: ${JSON.stringify(measured)}`);
    expect(ending.outcome).toBe('promoted');
    for (const [weight, { share, requests }] of Object.entries(measured)) {
      expect(requests).toBeGreaterThanOrEqual(2_000);
      expect(Math.abs(share - Number(weight))).toBeLessThanOrEqual(3);
    }
  }, 240_000);

  it('no request fails through that promotion and through a rollback in the middle', async () => {
    await app.setImage('3.0.0');
    const { revision } = await app.untilState('weight 20 of 3.0.0', ({ weight, images }) => {
      return weight === 20 && images.some((image) => image.endsWith(':3.0.0'));
    });
    await stage.sluice.order(app.canary, 'rollback', { actor: 'test', revision });
    expect((await app.ending()).outcome).toBe('rolled-back');
    await sleep(2_000 + settlingMs);

    const counted = await stage.traffic.counted(sendingSince);
    console.log(`${provider}: ${JSON.stringify(counted)}`);
    expect(counted.requests).toBeGreaterThanOrEqual(10_000);
    expect(counted.failed).toBe(0);
    expect(await app.routes()).toEqual({ primary: 100, canary: 0 });
  }, 240_000);

  it('a version that answers HTTP 500 is rolled back by its metrics, and only its share failed', async () => {
    const since = Date.now();
    await app.setImage('4.0.0-errors');
    await app.untilState('the bad release', ({ images }) =>
      images.some((image) => image.endsWith(':4.0.0-errors')),
    );
    const ending = await app.ending();
    await sleep(settlingMs);

    expect(ending).toMatchObject({ outcome: 'rolled-back' });
    expect(ending.cause).toMatchObject({ check: 'request-success-rate', threshold: '>= 99%' });
    expect(await app.routes()).toEqual({ primary: 100, canary: 0 });
    expect((await app.deployment('web')).spec.replicas).toBe(0);
    expect(await app.tag('web-primary')).toBe('2.0.0');
    const { failures } = await stage.traffic.counted(since);
    expect(Object.keys(failures.serverErrors)).toEqual(['4.0.0-errors']);
    expect(failures).toMatchObject({ connection: 0, timeout: 0 });
  }, 240_000);
});
