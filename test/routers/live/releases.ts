import { setTimeout as sleep } from 'node:timers/promises';

import type { KubeObject } from '../../../domain/objects.js';
import { shareOf } from '../../../sandbox/demo/traffic.js';
import { openStage, type App, type Stage } from '../../e2e/stage.js';
import { gateways, type PlaneProvider } from './plane.js';

/** Enough answers at each weight that three points are far outside of what chance does. */
const requestsPerSecond = 350;
const interval = '14s';
/** Time for a new weight to reach the gateway and for whole seconds to be counted, in ms. */
const settlingMs = 2_000;

/** What a release is judged by: metrics, of which the first tells errors, and their templates. */
interface Judges {
  readonly metrics: readonly Readonly<{ name: string; [field: string]: unknown }>[];
  readonly objects?: readonly KubeObject[];
  /** The bound of the first metric, as causes name it; only built-in ones have a unit. */
  readonly threshold: string;
}

const builtIn: Judges = {
  metrics: [
    { name: 'request-success-rate', interval: '10s', thresholdRange: { min: 99 } },
    { name: 'request-duration', interval: '10s', thresholdRange: { max: 2_000 } },
  ],
  threshold: '>= 99%',
};

/** A good release and a bad one, by the workflow, under load. */
export function releasesBy(
  provider: PlaneProvider,
  { metrics, objects, threshold }: Judges = builtIn,
): void {
  let stage: Stage;
  let app: App;
  let sendingSince = 0;

  beforeAll(async () => {
    stage = await openStage();
    app = await stage.open(`live-${provider.replace(/\W/g, '')}`, {
      provider,
      replicas: 2,
      ...(objects === undefined ? {} : { objects }),
      analysis: { interval, stepWeight: undefined, stepWeights: [10, 50], metrics },
    });
    await app.initialised();
    await sleep(settlingMs);
    const { url } = gateways[provider];
    await stage.traffic.send(requestsPerSecond, { url, host: app.host });
    await sleep(settlingMs);
    sendingSince = Date.now();
  }, 180_000);
  afterAll(async () => {
    await stage.traffic.send(0);
    await stage.close();
  }, 60_000);

  it('a release splits users by its weights, is promoted by its metrics, and fails no request', async () => {
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

  it('a version that answers HTTP 500 is rolled back by its metrics', async () => {
    const since = Date.now();
    await app.setImage('3.0.0-errors');
    await app.untilState('the bad release', ({ images }) =>
      images.some((image) => image.endsWith(':3.0.0-errors')),
    );
    const ending = await app.ending();
    await sleep(settlingMs);

    expect(ending).toMatchObject({ outcome: 'rolled-back' });
    expect(ending.cause).toMatchObject({ check: metrics[0]?.name, threshold });
    expect(await app.tag('web-primary')).toBe('2.0.0');
    const { failures } = await stage.traffic.counted(since);
    expect(Object.keys(failures.serverErrors)).toEqual(['3.0.0-errors']);
    expect(failures).toMatchObject({ connection: 0, timeout: 0 });
  }, 240_000);
}
