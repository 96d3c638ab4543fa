import { jest } from '@jest/globals';

import { imageOf } from '../conformance/manifests.js';
import { casesOf, lanes } from './cases.js';
import { openMatrix } from './matrix.js';
import { initialisedAlert, options, scenarios } from './scenarios.js';

jest.setTimeout(900_000);

const newRevisionAlert = 'info New revision detected, progressing canary analysis.';

const matrix = await openMatrix(lanes);
afterAll(() => matrix.close(), 60_000);

// What these do says which cases there are, so they come before there are tests.
const [initialisation, promotion, rollback, failedPromotion] = await Promise.all([
  matrix.release(scenarios.initialisation),
  matrix.release(scenarios.promotion),
  matrix.release(scenarios.rollback),
  matrix.release(scenarios.failedPromotion),
]).catch(async (error: unknown) => {
  await matrix.close();
  throw error;
});

it('an initialisation in which no worker dies leads the traffic to the primary', () => {
  expect(initialisation.outcome).toMatchObject({
    status: { phase: 'Initialized', canaryWeight: 0, appliedIsPromoted: true },
    routes: { primary: 100, canary: 0 },
    target: { replicas: 0, images: [imageOf('1')] },
    primary: { replicas: 1, images: [imageOf('1')] },
    alerts: [initialisedAlert],
  });
  expect(initialisation.effects).toEqual(
    expect.arrayContaining([
      ...['POST services app', 'POST services app-canary', 'POST services app-primary'],
      ...['deployment app-primary: 1 of conformance/app:1', 'routes 100/0'],
    ]),
  );
});

describe('a release in which no worker dies', () => {
  it('moves the traffic step by step, over to the primary', () => {
    expect(promotion.outcome).toMatchObject({
      status: { phase: 'Succeeded', canaryWeight: 0, appliedIsPromoted: true },
      routes: { primary: 100, canary: 0 },
      target: { replicas: 0, images: [imageOf('2')] },
      primary: { replicas: 1, images: [imageOf('2')] },
      calls: { confirm: 1, before: 1, load: 2, more: 3, promote: 1, undo: 3, after: 1 },
      alerts: [initialisedAlert, newRevisionAlert, scenarios.promotion.lastAlert],
    });
    expect(routesIn(promotion.effects)).toEqual([
      ...['routes 50/50', 'routes 0/100'],
      ...['routes 50/50', 'routes 100/0'],
    ]);
  });

  it('takes it back from a canary that is refused', () => {
    expect(rollback.outcome).toMatchObject({
      status: { phase: 'Failed', canaryWeight: 0, appliedIsPromoted: false },
      routes: { primary: 100, canary: 0 },
      target: { replicas: 0 },
      primary: { replicas: 1, images: [imageOf('1')] },
      calls: { confirm: 1, before: 1, load: 2, more: 1, promote: 0, undo: 3, after: 1 },
      alerts: [initialisedAlert, newRevisionAlert, scenarios.rollback.lastAlert],
    });
    expect(routesIn(rollback.effects)).toEqual(['routes 50/50', 'routes 100/0']);
  });

  it('leaves it with the canary when the primary cannot follow', () => {
    expect(failedPromotion.outcome).toMatchObject({
      status: { phase: 'Failed', canaryWeight: 100, appliedIsPromoted: false },
      routes: { primary: 0, canary: 100 },
      target: { replicas: 1, images: [imageOf('2')] },
      primary: { replicas: 1, images: [imageOf('2')] },
      calls: { confirm: 1, before: 1, load: 2, more: 3, promote: 1, undo: 3, after: 1 },
      alerts: [initialisedAlert, newRevisionAlert, scenarios.failedPromotion.lastAlert],
    });
    expect(routesIn(failedPromotion.effects)).toEqual(['routes 50/50', 'routes 0/100']);
  });
});

/** What would be missed: other side effects make cases by themselves. */
const kinds = [
  ...['event', 'status', 'routes', 'deployment app', 'deployment app-primary'],
  ...options.hooks.map(({ name }) => `hook ${name}`),
  'hook chat',
];

it.each(kinds)('%s is among the side effects', (kind) => {
  expect(promotion.effects).toContainEqual(expect.stringMatching(`^${kind}\\b`));
});

describe('a worker that is killed', () => {
  it.concurrent.each(casesOf('initialisation', initialisation.effects))('$name', async (aim) => {
    const { outcome } = await matrix.release(scenarios.initialisation, aim);
    expect(outcome).toEqual(initialisation.outcome);
  });

  it.concurrent.each(casesOf('promotion', promotion.effects))('$name', async (aim) => {
    const { outcome } = await matrix.release(scenarios.promotion, aim);
    expect(outcome).toEqual(promotion.outcome);
  });

  it.concurrent.each(casesOf('rollback', rollback.effects, promotion.effects))(
    '$name',
    async (aim) => {
      const { outcome } = await matrix.release(scenarios.rollback, aim);
      expect(outcome).toEqual(rollback.outcome);
    },
  );

  it.concurrent.each(casesOf('failed promotion', failedPromotion.effects, promotion.effects))(
    '$name',
    async (aim) => {
      const { outcome } = await matrix.release(scenarios.failedPromotion, aim);
      expect(outcome).toEqual(failedPromotion.outcome);
    },
  );
});

function routesIn(effects: readonly string[]): readonly string[] {
  return effects.filter((label) => label.startsWith('routes '));
}
