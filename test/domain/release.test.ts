import { afterCheck } from '../../domain/after.js';
import { begin } from '../../domain/begin.js';
import type { CanaryStatus } from '../../domain/canary.js';
import { nextMove } from '../../domain/next-move.js';
import type { Plan, ReleaseState, Survey, Trigger } from '../../domain/release.js';
import { aPlan, inWeights, failed } from '../workflows/fake-cluster.js';
import { goodWorld, simulate, type World } from './simulate.js';

function surveyed(
  plan: Plan,
  status: CanaryStatus,
  revision = 'v2',
): Extract<Survey, { kind: 'ready' }> {
  return {
    kind: 'ready',
    plan,
    status: { observedGeneration: plan.generation, ...status },
    revision,
    images: [],
  };
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
      aPlan({ strategy: inWeights(...weights), intervalMs: 10_000 }),
      begun(),
      goodWorld,
    );

    // One more at the start, which makes the first step.
    expect(moves.filter(({ kind }) => kind === 'check')).toHaveLength(checks + 1);
    expect(state.outcome).toBe('promoted');
    // The moves before the first interval and those behind the last one.
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
  const passed = goodWorld.check({} as ReleaseState);
  const timesOf = (stepMs: (check: number) => number) => {
    const plan = aPlan({ strategy: inWeights(10, 20, 30, 40), intervalMs: 10_000 });
    const due: number[] = [];
    let state: ReleaseState = { ...begun(plan), stage: 'analysing', due: 0 };
    for (let now = 0, check = 0; check < 4; check += 1) {
      const move = nextMove(plan, state, now);
      if (move.kind !== 'check') throw new Error(`a ${move.kind}`);
      state = afterCheck({ plan, state, now }, passed, move);
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

  it('make the next step in one go, so that nothing comes in between', () => {
    const plan = aPlan();
    const move = nextMove(plan, { ...begun(plan), stage: 'analysing' }, 2_000);

    expect(move).toMatchObject({
      kind: 'check',
      routes: { primary: 100, canary: 0 },
      hooks: 'pre-rollout',
      then: { gates: [], step: { routes: { primary: 80, canary: 20 } } },
    });
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

    expect(moves.flatMap((move) => (move.kind === 'check' ? [move.routes.canary] : []))).toEqual([
      0, 0, 0, 20, 40,
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

it('a pause holds only where holding is safe', () => {
  const paused = { actor: 'bob', revision: 'v2', at: 0 };

  expect(nextMove(aPlan(), { ...begun(), stage: 'analysing', paused }, 0)).toEqual({
    kind: 'wait',
    until: undefined,
  });
  expect(nextMove(aPlan(), { ...begun(), stage: 'rolling-back', paused }, 0).kind).toBe('rollBack');
});
