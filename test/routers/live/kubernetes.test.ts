import { setTimeout as sleep } from 'node:timers/promises';

import { openStage, type Stage } from '../../e2e/stage.js';

const requestsPerSecond = 350;
/** Time for whole seconds to be counted, in milliseconds. */
const settlingMs = 2_000;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
}, 180_000);
afterAll(() => stage.close(), 60_000);

it('a Blue/Green release moves all users at its promotion, and fails no request', async () => {
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
