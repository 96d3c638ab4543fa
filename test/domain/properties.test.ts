import fc from 'fast-check';

import { afterCancellation, afterDeleting, afterFailure } from '../../domain/after.js';
import { begin, beginReverting } from '../../domain/begin.js';
import type { CanaryStatus, Gate, HookType } from '../../domain/canary.js';
import { details, planOf, why } from '../../domain/explain.js';
import type { Move } from '../../domain/moves.js';
import { nextMove } from '../../domain/next-move.js';
import type { CheckResult, Plan, ReleaseState } from '../../domain/release.js';
import { follow, orderNames, possibleOrders, refusal } from '../../domain/steering.js';
import { allSteps, type Strategy } from '../../domain/strategies/strategy.js';
import { supersede, type Turn } from '../../domain/turn.js';
import { aGate, aPlan, failed } from '../workflows/fake-cluster.js';
import { goodWorld, simulate, type World } from './simulate.js';

const passed = goodWorld.check({} as ReleaseState);
const httpGates: readonly HookType[] = ['confirm-traffic-increase', 'confirm-promotion'];

const anyStrategy: fc.Arbitrary<Strategy> = fc.oneof(
  fc
    .record({
      weights: fc.uniqueArray(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 8 }),
      mirror: fc.boolean(),
    })
    .map(({ weights, mirror }): Strategy => ({
      kind: 'weighted',
      weights: weights.sort((a, b) => a - b),
      mirror,
    })),
  fc
    .uniqueArray(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 8 })
    .map((weights): Strategy => ({ kind: 'replicas', weights: weights.sort((a, b) => a - b) })),
  fc
    .integer({ min: 1, max: 6 })
    .map((iterations): Strategy => ({ kind: 'ab-testing', iterations })),
  fc.record({
    kind: fc.constant('blue-green' as const),
    iterations: fc.integer({ min: 1, max: 6 }),
    mirror: fc.boolean(),
    routed: fc.boolean(),
  }),
);

const anyGate: fc.Arbitrary<Gate> = fc
  .record({
    before: fc.constantFrom<Gate['before']>('rollout', 'traffic-increase', 'promotion'),
    onTimeout: fc.constantFrom<Gate['onTimeout']>('reject', 'approve', 'hold'),
    timeoutMs: fc.option(fc.integer({ min: 1, max: 1_000 }), { nil: undefined }),
  })
  .map(({ before, onTimeout, timeoutMs }) =>
    aGate(before, { onTimeout, ...(timeoutMs === undefined ? {} : { timeoutMs }) }),
  );

const anyPlan: fc.Arbitrary<Plan> = fc
  .record({
    strategy: anyStrategy,
    threshold: fc.integer({ min: 1, max: 5 }),
    stepWeightPromotion: fc.integer({ min: 0, max: 100 }),
    skipAnalysis: fc.boolean(),
    gates: fc.uniqueArray(anyGate, { maxLength: 3, selector: ({ name }) => name }),
    hooks: fc
      .subarray<HookType>([
        'confirm-rollout',
        'pre-rollout',
        'rollout',
        'post-rollout',
        ...httpGates,
      ])
      .map((types) => Object.fromEntries(types.map((type) => [type, [`the ${type}`]]))),
    affinity: fc.constantFrom(undefined, { cookieName: 'a', primaryCookieName: 'b' }),
    onFailure: fc.constantFrom('rollback' as const, 'hold' as const),
    onNewRevision: fc.constantFrom('restart' as const, 'queue' as const, 'refuse' as const),
    generation: fc.constantFrom(1, 2),
  })
  .map(({ affinity, ...plan }) =>
    aPlan({ ...plan, ...(affinity === undefined ? {} : { affinity }) }),
  );

const promoted: CanaryStatus = {
  phase: 'Succeeded',
  lastAppliedSpec: 'v1',
  lastPromotedSpec: 'v1',
  observedGeneration: 1,
};
const anyStatus = fc.constantFrom<CanaryStatus>(
  {},
  promoted,
  { ...promoted, phase: 'Waiting' },
  { ...promoted, phase: 'Progressing', canaryWeight: 30, lastAppliedSpec: 'v2' },
  { ...promoted, phase: 'WaitingPromotion', canaryWeight: 50, lastAppliedSpec: 'v2' },
  { ...promoted, phase: 'Promoting', canaryWeight: 30, lastAppliedSpec: 'v2' },
  { ...promoted, phase: 'Finalising', lastAppliedSpec: 'v2' },
  { ...promoted, phase: 'Failed' },
  { ...promoted, phase: 'Failed', canaryWeight: 100, lastAppliedSpec: 'v9' },
);

const anyCheck: fc.Arbitrary<CheckResult> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(passed) },
  { weight: 2, arbitrary: fc.constant<CheckResult>(failed) },
  fc
    .constantFrom(...httpGates)
    .map((type): CheckResult => ({ ...passed, closed: { type, hook: 'x' } }) as CheckResult),
  fc
    .constantFrom('hold' as const, 'extend' as const)
    .map((policy): CheckResult => ({ ...failed, verdict: 'undecided', policy }) as CheckResult),
  fc
    .constantFrom('primary' as const, 'canary' as const)
    .map((role): CheckResult => ({ verdict: 'unready', role, reason: 'x' })),
  fc.constant<CheckResult>({ verdict: 'hopeless', role: 'canary', reason: 'x' }),
  fc.constant<CheckResult>({ verdict: 'rollback', hook: 'x' }),
  fc.constantFrom('v1', 'v3').map((revision): CheckResult => ({ verdict: 'changed', revision })),
);

/** What may come over a release between two moves. */
type Trouble =
  | { readonly kind: 'order'; readonly name: (typeof orderNames)[number] }
  | { readonly kind: 'revision'; readonly revision: string }
  | { readonly kind: 'cancel' | 'delete' }
  | { readonly kind: 'failure'; readonly of: Move['kind'] };

const anyTrouble: fc.Arbitrary<Trouble | undefined> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(undefined) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(...orderNames).map((name): Trouble => ({ kind: 'order', name })),
  },
  fc.constantFrom('v1', 'v3').map((revision): Trouble => ({ kind: 'revision', revision })),
  fc.constantFrom('cancel' as const, 'delete' as const).map((kind): Trouble => ({ kind })),
  fc
    .constantFrom<Move['kind']>('reconcile', 'check', 'route', 'conclude')
    .map((of): Trouble => ({ kind: 'failure', of })),
);

function begun(plan: Plan, status: CanaryStatus): ReleaseState {
  const survey = { kind: 'ready', plan, status, revision: 'v2', images: ['app:2'] } as const;
  return begin(survey, { kind: 'change' }, undefined, 1_000);
}

/** Lets trouble come over a release where it can, and never leaves it waiting for a person for ever. */
function suffer(plan: Plan, state: ReleaseState, now: number, trouble?: Trouble): ReleaseState {
  const turn = { plan, state, now };
  if (state.outcome !== undefined) return state;
  if (state.blocked !== undefined) return afterDeleting(turn);
  const freed = freeing(turn, trouble === undefined);
  if (freed !== undefined) return freed;
  switch (trouble?.kind) {
    case 'order':
      return obey(turn, trouble.name) ?? state;
    case 'revision':
      return possibleOrders(state).includes('rollback') && state.stage !== 'copying'
        ? supersede(turn, trouble.revision)
        : state;
    case 'cancel':
      return afterCancellation(turn);
    case 'delete':
      return state.stage === 'over' ? state : afterDeleting(turn);
    case 'failure':
      return nextMove(plan, state, now).kind === trouble.of
        ? afterFailure(turn, { type: 'InvalidSpec', message: 'impossible' }, trouble.of)
        : state;
    case undefined:
      return state;
  }
}

/** What a person does about a release that waits for one; undefined when it does not. */
function freeing(turn: Turn, isQuiet: boolean): ReleaseState | undefined {
  const { paused, stage, gate, announced } = turn.state;
  if (paused !== undefined) return obey(turn, 'resume');
  if (!announced) return undefined;
  if (stage === 'holding') return obey(turn, 'rollback');
  return gate !== undefined && isQuiet ? obey(turn, 'approve') : undefined;
}

/** The state after an order, if it can be followed. */
function obey(turn: Turn, name: (typeof orderNames)[number]): ReleaseState | undefined {
  const order = { actor: 'alice', revision: turn.state.revision };
  return refusal(name, order, turn.plan, turn.state) === undefined
    ? follow(turn, name, order)
    : undefined;
}

describe('whatever happens', () => {
  it('weights add up to 100, the release ends, and rolled back means all traffic at the primary', () => {
    fc.assert(
      fc.property(
        anyPlan,
        anyStatus,
        fc.array(anyCheck, { maxLength: 40 }),
        fc.array(fc.boolean(), { maxLength: 12 }),
        fc.array(anyTrouble, { maxLength: 60 }),
        (plan, status, checks, pods, troubles) => {
          const ahead = { checks: [...checks], pods: [...pods], troubles: [...troubles] };
          const world: World = {
            check: () => ahead.checks.shift() ?? passed,
            pods: () =>
              (ahead.pods.shift() ?? true) ? { ready: true } : { ready: false, reason: 'x' },
            promote: goodWorld.promote,
            steer: (state, now) => suffer(plan, state, now, ahead.troubles.shift()),
          };
          const { moves, state } = simulate(plan, begun(plan, status), world);
          moves.flatMap(routesOf).forEach(({ primary, canary, mirror }) => {
            const isSplit = primary + canary === 100 && canary >= 0 && canary <= 100;
            if (!isSplit || (mirror === true && canary > 0)) {
              throw new Error(`weights ${String(primary)}/${String(canary)}`);
            }
          });
          expect(leftBehind(state)).toBe(false);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it('a release whose checks pass ends within a bound that its plan tells', () => {
    fc.assert(
      fc.property(anyPlan, fc.array(anyCheck, { maxLength: 20 }), (plan, checks) => {
        const ahead = [...checks];
        const world: World = {
          ...goodWorld,
          check: () => ahead.shift() ?? passed,
          steer: (state, now) => suffer(plan, state, now),
        };
        const { state, now } = simulate(plan, begun(plan, promoted), world);
        const steps = allSteps(plan.strategy, plan.names).length;
        const back = plan.stepWeightPromotion > 0 ? Math.ceil(100 / plan.stepWeightPromotion) : 1;
        const intervals = checks.length + steps + back + 2;
        const waits = plan.gates.length * (steps + 1) * 1_000;
        const deeds = (4 * (checks.length + steps + back) + 40) * 10;
        expect(now - state.startedAt).toBeLessThanOrEqual(
          intervals * plan.intervalMs + waits + deeds,
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it('every state says what it waits for, and every refusal what is possible', () => {
    fc.assert(
      fc.property(anyPlan, fc.constantFrom(...stages), fc.boolean(), (plan, stage, isPaused) => {
        const paused = { actor: 'bob', revision: 'v2', at: 0 };
        const state = { ...begun(plan, promoted), stage, ...(isPaused ? { paused } : {}) };
        expect(why(plan, state).waitingFor).not.toBe('');
        expect(details(plan, state)).toContain(state.revision);
        expect(planOf(plan, state).length).toBeGreaterThan(3);
        for (const name of orderNames) {
          const sentence = refusal(name, { actor: 'alice', revision: 'v2' }, plan, state);
          if (sentence === undefined) expect(possibleOrders(state)).toContain(name);
          else expect(sentence).toMatch(/possible now: |has to be approved first/);
        }
      }),
    );
  });

  it('a Canary that is deleted is given back from any phase', () => {
    fc.assert(
      fc.property(anyPlan, anyStatus, (plan, status) => {
        const state = beginReverting({ kind: 'deleting', plan, status }, 0);
        expect(simulate(plan, state, goodWorld).state.outcome).toBe('reverted');
      }),
    );
  });
});

function routesOf(move: Move): { primary: number; canary: number; mirror?: true }[] {
  const routes = 'routes' in move ? [move.routes] : [];
  return move.kind === 'check' && move.then.step !== undefined
    ? [...routes, move.then.step.routes]
    : routes;
}

/** Whether a release ended with traffic where nobody would look for it. */
function leftBehind({ outcome, weight }: ReleaseState): boolean {
  const anywhere = ['failed', 'reverted', 'gone', 'unchanged'];
  if (outcome === undefined || anywhere.includes(outcome)) return false;
  return weight !== (outcome === 'promotion-failed' ? 100 : 0);
}

const stages: ReleaseState['stage'][] = [
  'preparing',
  'awaiting-first-primary',
  'initialising',
  'recovering',
  'gating',
  'scaling-up',
  'awaiting-canary',
  'awaiting-recovery',
  'stepping',
  'analysing',
  'restarting',
  'putting-back',
  'holding',
  'copying',
  'awaiting-primary',
  'shifting-back',
  'finishing',
  'rolling-back',
  'failing-promotion',
  'concluding',
  'reverting',
  'over',
];
