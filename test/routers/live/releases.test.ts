import { setTimeout as sleep } from 'node:timers/promises';

import { shareOf } from '../../../sandbox/demo/traffic.js';
import { openStage, type App, type Stage } from '../../e2e/stage.js';
import { gateways, planeProviders } from './plane.js';

/** Enough answers at each weight that three points are far outside of what chance does. */
const requestsPerSecond = 350;
const interval = '14s';
/** Time for a new weight to reach the gateway and for whole seconds to be counted, in ms. */
const settlingMs = 2_000;

const metrics = [
  { name: 'request-success-rate', interval: '10s', thresholdRange: { min: 99 } },
  { name: 'request-duration', interval: '10s', thresholdRange: { max: 2_000 } },
];

/** Releases by the others are in test/e2e. */
const providers = planeProviders.filter((it) => !['contour', 'gatewayapi:v1'].includes(it));

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
}, 180_000);
afterAll(() => stage.close(), 60_000);

describe.each(providers)('a release by %s', (provider) => {
  let app: App;
  let sendingSince = 0;

  beforeAll(async () => {
    app = await stage.open(`live-${provider.replace(/\W/g, '')}`, {
      provider,
      replicas: 2,
      analysis: { interval, stepWeight: undefined, stepWeights: [10, 50], metrics },
    });
    await app.initialised();
    await sleep(settlingMs);
    const { url } = gateways[provider];
    await stage.traffic.send(requestsPerSecond, { url, host: app.host });
    await sleep(settlingMs);
    sendingSince = Date.now();
  }, 180_000);
  afterAll(() => stage.traffic.send(0));

  it('splits users by its weights, is promoted by its metrics, and fails no request', async () => {
    await app.setImage('2.0.0');
    const measured: Record<string, { share: number; requests: number }> = {};
    for (const weight of [10, 50]) {
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
    await sleep(settlingMs);
    const all = await stage.traffic.counted(sendingSince);

    console.log(`${provider}: ${JSON.stringify({ measured, all })}`);
    expect(ending.outcome).toBe('promoted');
    for (const [weight, { share, requests }] of Object.entries(measured)) {
      expect(requests).toBeGreaterThanOrEqual(2_000);
      expect(Math.abs(share - Number(weight))).toBeLessThanOrEqual(3);
    }
    expect(all.failed).toBe(0);
  }, 240_000);

  it('of a version that answers HTTP 500 is rolled back by its metrics', async () => {
    const since = Date.now();
    await app.setImage('3.0.0-errors');
    await app.untilState('the bad release', ({ images }) =>
      images.some((image) => image.endsWith(':3.0.0-errors')),
    );
    const ending = await app.ending();
    await sleep(settlingMs);

    expect(ending).toMatchObject({ outcome: 'rolled-back' });
    expect(ending.cause).toMatchObject({ check: 'request-success-rate', threshold: '>= 99%' });
    expect(await app.tag('web-primary')).toBe('2.0.0');
    const { failures } = await stage.traffic.counted(since);
    expect(Object.keys(failures.serverErrors)).toEqual(['3.0.0-errors']);
    expect(failures).toMatchObject({ connection: 0, timeout: 0 });
  }, 240_000);
});

describe('a Blue/Green release by kubernetes', () => {
  it('moves all users at its promotion, and fails no request', async () => {
    const app = await stage.open('live-kubernetes', {
      provider: 'kubernetes',
      replicas: 2,
      analysis: { interval: '2s', stepWeight: undefined, maxWeight: undefined, iterations: 3 },
    });
    await app.initialised();
    const url = `http://web.${app.canary.namespace}/`;
    await stage.traffic.send(requestsPerSecond, { url, host: '' });
    await sleep(settlingMs);
    const since = Date.now();
    await app.setImage('2.0.0');
    await app.untilState('the second iteration', ({ iterations }) => iterations === 2, 90_000);
    const analysed = await stage.traffic.counted(since, Date.now());
    const ending = await app.ending();
    await sleep(settlingMs);
    const promotedAt = Date.now();
    await sleep(5_000);
    const promoted = await stage.traffic.counted(promotedAt, Date.now());
    const all = await stage.traffic.counted(since);
    await stage.traffic.send(0);

    console.log(`kubernetes: ${JSON.stringify({ analysed, promoted, all })}`);
    expect(ending.outcome).toBe('promoted');
    expect(Object.keys(analysed.byVersion)).toEqual(['1.0.0']);
    expect(Object.keys(promoted.byVersion)).toEqual(['2.0.0']);
    expect(all.failed).toBe(0);
  }, 240_000);
});
