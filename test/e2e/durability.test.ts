import { jest } from '@jest/globals';

import { releaseId } from '../../domain/release.js';
import { killApiServer, killTemporal, killWorker } from './blows.js';
import { activitiesOf, checkedWeights, steppedWeights } from './history.js';
import { openStage, until, type App, type Stage } from './stage.js';

jest.setTimeout(240_000);

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
}, 180_000);
afterAll(() => stage.close(), 60_000);

/** Pods that take so long to start can be waited for when the blow falls. */
const slowStart = { START_DELAY_MS: '3000', DRAIN_MS: '0' };

describe('the worker is killed', () => {
  let app: App;
  let other: App;

  beforeAll(async () => {
    [app, other] = await Promise.all([
      stage.open('killed', { env: slowStart }),
      stage.open('killed-back', { env: { DRAIN_MS: '0' } }),
    ]);
  });

  it('while initialising', async () => {
    await app.untilState('the wait for the first primary', ({ stage: at }) =>
      at.startsWith('awaiting'),
    );
    await killWorker(stage);
    await Promise.all([app.initialised(), other.initialised()]);

    for (const { deployment, routes, tag } of [app, other]) {
      expect(await routes()).toEqual({ primary: 100, canary: 0 });
      expect((await deployment('web')).spec.replicas).toBe(0);
      expect(await tag('web-primary')).toBe('1.0.0');
    }
    expect(await app.events()).toEqual([
      'Normal all the metrics providers are available!',
      `Normal Initialization done! web.${app.canary.namespace}`,
    ]);
  });

  it('while scaling up, at each weight, while promoting and while finalising', async () => {
    const runs = (await app.runIds()).length;
    await app.setImage('1.1.0', slowStart);
    await app.untilState('scaling up', ({ stage: at }) => at === 'awaiting-canary');
    await killWorker(stage);
    for (const weight of [10, 20, 30, 40, 50]) {
      await until(`weight ${String(weight)}`, async () => (await app.routes()).canary === weight);
      await killWorker(stage);
    }
    await app.untilStatus('promoting', ({ phase }) => phase === 'Promoting');
    await killWorker(stage);
    await app.untilStatus('finalising', ({ phase }) => phase === 'Finalising');
    await killWorker(stage);

    await expectPromoted(app, '1.1.0', runs);
  });

  it('while rolling back', async () => {
    await other.setImage('1.1.0');
    const { revision } = await other.untilState('weight 10', ({ weight }) => weight === 10);
    await stage.sluice.order(other.canary, 'rollback', { actor: 'a test', revision });
    await until('the rollback', async () => (await other.routes()).canary === 0);
    await killWorker(stage);

    await expectRolledBack(other, '1.0.0', 'as a test asked');
    const [runId = ''] = (await other.runIds()).slice(-1);
    const activities = await activitiesOf(stage.temporal, releaseId(other.canary), runId);
    // The first attempt was cut off: the blow fell where it was meant to.
    expect(activities.at(-1)).toMatchObject({ type: 'rollBack', attempts: 2 });
  });
});

describe('a release goes on', () => {
  let app: App;
  let other: App;
  let third: App;

  beforeAll(async () => {
    const options = { env: { DRAIN_MS: '0' } };
    [app, other, third] = await Promise.all([
      stage.open('temporal-restart', options),
      stage.open('api-restart', options),
      stage.open('terminated', options),
    ]);
    await Promise.all([app, other, third].map((it) => it.initialised()));
  });

  it('when the Temporal server is restarted', async () => {
    const runs = (await app.runIds()).length;
    await app.setImage('1.1.0');
    await app.untilStatus('weight 20', ({ canaryWeight }) => canaryWeight === 20);
    await killTemporal(stage);

    await expectPromoted(app, '1.1.0', runs);
  });

  it('when the API server is killed', async () => {
    const runs = (await other.runIds()).length;
    await other.setImage('1.1.0');
    await other.untilStatus('weight 20', ({ canaryWeight }) => canaryWeight === 20);
    await killApiServer(stage, other);

    await expectPromoted(other, '1.1.0', runs);
  });

  it('as a rollback, when its workflow was terminated', async () => {
    await third.setImage('1.1.0');
    await third.untilStatus('weight 20', ({ canaryWeight }) => canaryWeight === 20);
    await stage.temporal.workflow.getHandle(releaseId(third.canary)).terminate('by a test');

    await expectRolledBack(third, '1.0.0', 'the release was cut off before it ended');
  });
});

/** Waits until a release is over and holds the whole of what it did against what it should have done. */
async function expectPromoted(app: App, tag: string, runsBefore: number): Promise<void> {
  const { namespace } = app.canary;
  await app.untilStatus('success', ({ phase }) => phase === 'Succeeded', 120_000);
  const [runId = '', ...rest] = (await settledRuns(app, runsBefore + 1)).slice(runsBefore);
  expect(rest).toEqual([]);
  expect(await stage.sluice.ending(app.canary, runId)).toMatchObject({ outcome: 'promoted' });

  const activities = await activitiesOf(stage.temporal, releaseId(app.canary), runId);
  expect(steppedWeights(activities)).toEqual([10, 20, 30, 40, 50, 0]);
  expect(checkedWeights(activities)).toEqual([0, 10, 20, 30, 40, 50]);
  expect((await app.events()).filter((event) => event.startsWith('Normal'))).toEqual([
    'Normal all the metrics providers are available!',
    `Normal Initialization done! web.${namespace}`,
    `Normal New revision detected! Scaling up web.${namespace}`,
    `Normal Starting canary analysis for web.${namespace}`,
    ...[10, 20, 30, 40, 50].map(
      (weight) => `Normal Advance web.${namespace} canary weight ${String(weight)}`,
    ),
    `Normal Copying web.${namespace} template spec to web-primary.${namespace}`,
    'Normal Routing all traffic to primary',
    `Normal Promotion completed! Scaling down web.${namespace}`,
  ]);
  expect(await app.status()).toMatchObject({ canaryWeight: 0, failedChecks: 0 });
  await expectSafe(app, tag);
}

async function expectRolledBack(app: App, tag: string, why: string): Promise<void> {
  const { namespace } = app.canary;
  await app.untilStatus('failure', ({ phase }) => phase === 'Failed', 120_000);
  expect((await app.events()).filter((event) => event.startsWith('Warning'))).toEqual([
    expect.stringMatching(`^Warning Rolling back web.${namespace} ${why}`),
    `Warning Canary failed! Scaling down web.${namespace}`,
  ]);
  expect(await app.status()).toMatchObject({ canaryWeight: 0, failedChecks: 0 });
  await expectSafe(app, tag);
}

/** All traffic at a primary that runs this image, the target at zero. */
async function expectSafe(app: App, tag: string): Promise<void> {
  expect(await app.routes()).toEqual({ primary: 100, canary: 0 });
  expect((await app.deployment('web')).spec.replicas).toBe(0);
  expect((await app.deployment('web-primary')).spec.replicas).toBe(1);
  expect(await app.tag('web-primary')).toBe(tag);
}

/** Temporal's list of runs lags behind. */
async function settledRuns(app: App, count: number): Promise<string[]> {
  return until('the list of runs', async () => {
    const ids = await app.runIds();
    return ids.length >= count && ids;
  });
}
