import fc from 'fast-check';

import { afterRoute } from '../../domain/after.js';
import { begin } from '../../domain/begin.js';
import type { CanaryStatus } from '../../domain/canary.js';
import { details, planOf, why } from '../../domain/explain.js';
import { nextMove } from '../../domain/next-move.js';
import type { CheckResult, Plan, ReleaseState, Survey, Trigger } from '../../domain/release.js';
import { toCanary } from '../../domain/routes.js';
import { follow, orderNames, possibleOrders, refusal } from '../../domain/steering.js';
import { aPlan, failed } from '../workflows/fake-cluster.js';
import { goodWorld, simulate, type World } from './simulate.js';

function surveyed(
  plan: Plan,
  status: CanaryStatus,
  revision = 'v2',
): Extract<Survey, { kind: 'ready' }> {
  return { kind: 'ready', plan, generation: 1, status, revision, images: [] };
}

const promoted: CanaryStatus = {
  phase: 'Succeeded',
  lastAppliedSpec: 'v1',
  lastPromotedSpec: 'v1',
};

function begun(plan: Plan = aPlan(), status: CanaryStatus = promoted): ReleaseState {
  return begin(surveyed(plan, status), { kind: 'change' }, undefined, 1_000);
}

describe('a run begins', () => {
  it.each<[string, CanaryStatus, string, ReleaseState['stage']]>([
    ['by preparing a new canary', {}, 'v1', 'preparing'],
    ['by preparing one that never got ready', { phase: 'Initializing' }, 'v1', 'preparing'],
    ['by scaling up a new revision', promoted, 'v2', 'scaling-up'],
    ['with nothing to do for the promoted revision', promoted, 'v1', 'over'],
    [
      'with nothing to do for the revision that failed',
      { phase: 'Failed', lastAppliedSpec: 'v2', lastPromotedSpec: 'v1' },
      'v2',
      'over',
    ],
    [
      'by scaling up what came after a failure',
      { phase: 'Failed', lastAppliedSpec: 'v2', lastPromotedSpec: 'v1' },
      'v3',
      'scaling-up',
    ],
    [
      'by taking back an analysis nobody watched',
      { phase: 'Progressing', lastAppliedSpec: 'v2', lastPromotedSpec: 'v1', canaryWeight: 30 },
      'v2',
      'rolling-back',
    ],
    [
      'by going on with a promotion nobody watched',
      { phase: 'Promoting', lastAppliedSpec: 'v2', lastPromotedSpec: 'v1' },
      'v2',
      'copying',
    ],
    [
      'by finishing what was all but finished',
      { phase: 'Finalising', lastAppliedSpec: 'v2', lastPromotedSpec: 'v1' },
      'v2',
      'finishing',
    ],
  ])('%s', (_name, status, revision, stage) => {
    const state = begin(surveyed(aPlan(), status, revision), { kind: 'change' }, undefined, 0);

    expect(state.stage).toBe(stage);
  });

  it.each<[string, Trigger, ReleaseState['stage']]>([
    [
      'again when a person retries it',
      { kind: 'retry', actor: 'alice', revision: 'v2' },
      'scaling-up',
    ],
    ['again when CI asks for it', { kind: 'request' }, 'scaling-up'],
    [
      'not when the retry was of another',
      { kind: 'retry', actor: 'alice', revision: 'v9' },
      'over',
    ],
  ])('with the revision that failed: %s', (_name, trigger, stage) => {
    const status: CanaryStatus = { phase: 'Failed', lastAppliedSpec: 'v2', lastPromotedSpec: 'v1' };

    expect(begin(surveyed(aPlan(), status), trigger, undefined, 0).stage).toBe(stage);
  });
});

describe('a good release', () => {
  it.each([
    [[10, 20, 30], 3],
    [[100], 1],
    [[1, 7, 80], 3],
  ])('through the weights %j makes one check for each', (weights, checks) => {
    const { moves, state, now } = simulate(
      aPlan({ weights, intervalMs: 10_000 }),
      begun(),
      goodWorld,
    );

    expect(moves.filter(({ kind }) => kind === 'check')).toHaveLength(checks);
    expect(state.outcome).toBe('promoted');
    // The three moves before the first interval and the five behind the last one.
    expect(now - state.startedAt).toBe(checks * 10_000 + 8 * 10);
  });

  it('takes no more time than the interval between checks, however long the interval is', () => {
    const spent = (intervalMs: number) => {
      const { now, state } = simulate(aPlan({ intervalMs }), begun(), goodWorld);
      return now - state.startedAt - 2 * intervalMs;
    };

    expect(spent(10_000)).toBe(spent(3_600_000));
  });
});

describe('checks', () => {
  const timesOf = (stepMs: (check: number) => number) => {
    const plan = aPlan({ weights: [10, 20, 30, 40], intervalMs: 10_000 });
    const due: number[] = [];
    let state: ReleaseState = { ...begun(plan), stage: 'stepping' };
    for (let now = 0, check = 0; check < 4; check += 1) {
      state = afterRoute({ plan, state, now }, toCanary((check + 1) * 10));
      due.push(state.due);
      now = state.due + stepMs(check);
    }
    return due;
  };

  it('keep to the beat, whatever a check and a step take', () => {
    expect(timesOf(() => 300)).toEqual([10_000, 20_000, 30_000, 40_000]);
  });

  it('begin a new beat when one was far behind it', () => {
    expect(timesOf((check) => (check === 1 ? 5_000 : 0))).toEqual([10_000, 20_000, 35_000, 45_000]);
  });
});

describe('a failing check', () => {
  const failing = (failures: number): World => {
    let left = failures;
    return {
      ...goodWorld,
      check: () => (left-- > 0 ? failed : goodWorld.check({} as ReleaseState)),
    };
  };

  it('holds the weight', () => {
    const { moves, state } = simulate(aPlan({ threshold: 3 }), begun(), failing(2));

    expect(moves.flatMap((move) => (move.kind === 'route' ? [move.routes.canary] : []))).toEqual([
      20, 40, 0,
    ]);
    expect(state.outcome).toBe('promoted');
  });

  it('rolls back at once when it is one too many', () => {
    const plan = aPlan({ threshold: 2, intervalMs: 10_000 });
    const { state, now } = simulate(plan, begun(plan), failing(2));

    expect(state.outcome).toBe('rolled-back');
    expect(state.cause).toMatchObject({
      type: 'AnalysisFailed',
      check: 'request-success-rate',
      value: 42,
    });
    expect(now - state.startedAt).toBeLessThan(3 * 10_000);
  });
});

describe('whatever happens', () => {
  const anyCheck: fc.Arbitrary<CheckResult> = fc.oneof(
    { weight: 4, arbitrary: fc.constant<CheckResult>(goodWorld.check({} as ReleaseState)) },
    { weight: 2, arbitrary: fc.constant<CheckResult>(failed) },
    fc
      .constantFrom('primary' as const, 'canary' as const)
      .map((role): CheckResult => ({ verdict: 'unready', role, reason: 'x' })),
    fc.constant<CheckResult>({ verdict: 'hopeless', role: 'canary', reason: 'x' }),
    fc.constantFrom('v1', 'v3').map((revision): CheckResult => ({ verdict: 'changed', revision })),
  );
  const anyPlan = fc
    .record({
      weights: fc.uniqueArray(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 8 }),
      threshold: fc.integer({ min: 1, max: 5 }),
      stepWeightPromotion: fc.integer({ min: 0, max: 100 }),
      skipAnalysis: fc.boolean(),
    })
    .map(({ weights, ...rest }) => aPlan({ ...rest, weights: weights.sort((a, b) => a - b) }));
  const anyStatus = fc.constantFrom<CanaryStatus>(
    {},
    promoted,
    { ...promoted, phase: 'Progressing', canaryWeight: 30, lastAppliedSpec: 'v2' },
    { ...promoted, phase: 'Promoting', canaryWeight: 30, lastAppliedSpec: 'v2' },
    { ...promoted, phase: 'Finalising', lastAppliedSpec: 'v2' },
    { ...promoted, phase: 'Failed' },
  );

  it('weights add up to 100, the release ends, and rolled back means all traffic at the primary', () => {
    fc.assert(
      fc.property(
        anyPlan,
        anyStatus,
        fc.array(anyCheck, { maxLength: 40 }),
        fc.array(fc.boolean(), { maxLength: 12 }),
        fc.array(fc.constantFrom(undefined, undefined, undefined, ...orderNames), {
          maxLength: 60,
        }),
        (plan, status, checks, pods, orders) => {
          const trouble = { checks: [...checks], pods: [...pods], orders: [...orders] };
          const world: World = {
            check: () => trouble.checks.shift() ?? goodWorld.check({} as ReleaseState),
            pods: () =>
              (trouble.pods.shift() ?? true) ? { ready: true } : { ready: false, reason: 'x' },
            promote: goodWorld.promote,
            steer: (state, now) => steer(plan, state, now, trouble.orders.shift()),
          };
          const { moves, state } = simulate(plan, begun(plan, status), world);
          for (const move of moves) {
            if (!('routes' in move)) continue;
            const { primary, canary } = move.routes;
            if (primary + canary !== 100 || canary < 0 || canary > 100) {
              throw new Error(`weights ${String(primary)}/${String(canary)}`);
            }
          }
          const weight = state.outcome === 'promotion-failed' ? 100 : 0;
          if (state.weight !== weight && state.outcome !== 'failed')
            throw new Error('traffic left behind');
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it('every state says what it waits for, and every refusal what is possible', () => {
    fc.assert(
      fc.property(anyPlan, fc.constantFrom(...stages), fc.boolean(), (plan, stage, isPaused) => {
        const paused = { actor: 'bob', revision: 'v2', at: 0 };
        const state = { ...begun(plan), stage, ...(isPaused ? { paused } : {}) };
        expect(why(plan, state).waitingFor).not.toBe('');
        expect(details(plan, state)).toContain(state.revision);
        expect(planOf(plan, state).length).toBeGreaterThan(3);
        for (const name of orderNames) {
          const sentence = refusal(name, { actor: 'alice', revision: 'v2' }, state);
          expect(sentence === undefined).toBe(possibleOrders(state).includes(name));
        }
      }),
    );
  });

  /** Follows an order if it is possible, and never leaves a release paused, which would be no end. */
  function steer(
    plan: Plan,
    state: ReleaseState,
    now: number,
    name: (typeof orderNames)[number] | undefined,
  ): ReleaseState {
    const order = { actor: 'alice', revision: state.revision };
    if (state.paused !== undefined) return follow({ plan, state, now }, 'resume', order);
    if (name === undefined || refusal(name, order, state) !== undefined) return state;
    return follow({ plan, state, now }, name, order);
  }

  const stages: ReleaseState['stage'][] = [
    'preparing',
    'awaiting-first-primary',
    'initialising',
    'scaling-up',
    'awaiting-canary',
    'awaiting-recovery',
    'stepping',
    'analysing',
    'restarting',
    'copying',
    'awaiting-primary',
    'shifting-back',
    'finishing',
    'rolling-back',
    'failing-promotion',
    'over',
  ];
});

it('a pause holds only where holding is safe', () => {
  const paused = { actor: 'bob', revision: 'v2', at: 0 };

  expect(nextMove(aPlan(), { ...begun(), stage: 'analysing', paused }, 0)).toEqual({
    kind: 'wait',
    until: undefined,
  });
  expect(nextMove(aPlan(), { ...begun(), stage: 'rolling-back', paused }, 0).kind).toBe('rollBack');
});
