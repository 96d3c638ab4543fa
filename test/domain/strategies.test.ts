import { namesOf } from '../../domain/names.js';
import { allSteps, start, stepsOf, type Strategy } from '../../domain/strategies/strategy.js';
import { aCanary } from '../activities/a-canary.js';

const names = namesOf(aCanary());

/** The steps as `primary/canary`, with `m` for copies and the count of iterations behind a colon. */
function storyOf(strategy: Strategy): string[] {
  return allSteps(strategy, names).map(
    ({ routes: { primary, canary, mirror }, iterations }) =>
      `${primary}/${canary}${mirror === true ? 'm' : ''}${iterations > 0 ? `:${iterations}` : ''}`,
  );
}

describe('the steps of a strategy', () => {
  it.each<[string, Strategy, string[]]>([
    [
      'weighted',
      { kind: 'weighted', weights: [20, 40, 60], mirror: false },
      ['80/20', '60/40', '40/60'],
    ],
    [
      'weighted behind copies',
      { kind: 'weighted', weights: [10, 20], mirror: true },
      ['100/0m', '90/10', '80/20'],
    ],
    ['pods instead of traffic', { kind: 'replicas', weights: [25, 100] }, ['75/25', '0/100']],
    ['A/B testing', { kind: 'ab-testing', iterations: 3 }, ['0/100:1', '0/100:2', '0/100:3']],
    [
      'Blue/Green',
      { kind: 'blue-green', iterations: 2, mirror: false, routed: true },
      ['100/0:1', '100/0:2', '0/100:3'],
    ],
    [
      'Blue/Green with copies',
      { kind: 'blue-green', iterations: 2, mirror: true, routed: true },
      ['100/0m:1', '100/0m:2', '0/100:3'],
    ],
    [
      'Blue/Green without a router',
      { kind: 'blue-green', iterations: 2, mirror: false, routed: false },
      ['100/0:1', '100/0:2', '100/0:3'],
    ],
  ])('%s', (_name, strategy, steps) => {
    expect(storyOf(strategy)).toEqual(steps);
  });

  it('go on from a weight that an edited manifest does not list', () => {
    const { next } = stepsOf({ kind: 'weighted', weights: [30, 60], mirror: false });

    expect(next(names, { ...start, weight: 45 })?.weight).toBe(60);
    expect(next(names, { ...start, weight: 70 })).toBeUndefined();
  });

  it('go on from an iteration past the last one of an edited manifest', () => {
    expect(
      stepsOf({ kind: 'ab-testing', iterations: 2 }).next(names, { ...start, iterations: 5 }),
    ).toBeUndefined();
  });
});

describe('the gates of a strategy', () => {
  it('ask before each increase of a weighted canary, but not when copying ends', () => {
    const steps = allSteps({ kind: 'weighted', weights: [10, 20], mirror: true }, names);

    expect(steps.map(({ gate }) => gate)).toEqual([
      'confirm-traffic-increase',
      undefined,
      'confirm-traffic-increase',
    ]);
  });

  it('ask before users are led to the new version of Blue/Green', () => {
    const steps = allSteps(
      { kind: 'blue-green', iterations: 1, mirror: false, routed: true },
      names,
    );

    expect(steps.map(({ gate }) => gate)).toEqual([undefined, 'confirm-promotion']);
  });
});
