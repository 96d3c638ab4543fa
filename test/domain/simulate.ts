import {
  afterCheck,
  afterConclude,
  afterFinish,
  afterGate,
  afterInitialise,
  afterPods,
  afterPrepare,
  afterPromote,
  afterPutBack,
  afterReconcile,
  afterRecover,
  afterRevert,
  afterRollBack,
  afterRoute,
  afterScaleUp,
  afterTell,
} from '../../domain/after.js';
import { settle } from '../../domain/gates.js';
import type { Move } from '../../domain/moves.js';
import { making, nextMove } from '../../domain/next-move.js';
import { possibleOrders } from '../../domain/steering.js';
import type {
  CheckResult,
  Plan,
  PodsResult,
  PromoteResult,
  ReleaseState,
} from '../../domain/release.js';

/** What the world answers to the moves of a simulated release. */
export interface World {
  check(state: ReleaseState): CheckResult;
  pods(state: ReleaseState): PodsResult;
  promote(state: ReleaseState): PromoteResult;
  /** Called before each move; may return a state that a message made. */
  steer(state: ReleaseState, now: number): ReleaseState;
}

/** A world in which all goes well. */
export const goodWorld: World = {
  check: () => ({ verdict: 'passed', readings: [], repaired: false }),
  pods: () => ({ ready: true }),
  promote: () => ({ copied: true, primaryBefore: '1' }),
  steer: (state) => state,
};

/** Plays a release in a clock of its own; gives up, by throwing, after `limit` moves. */
export function simulate(
  plan: Plan,
  begun: ReleaseState,
  world: World,
  limit = 2_000,
): { readonly state: ReleaseState; readonly moves: readonly Move[]; readonly now: number } {
  const moves: Move[] = [];
  let state = begun;
  let now = begun.startedAt;
  for (let i = 0; i < limit; i++) {
    state = settle({ plan, state: world.steer(state, now), now });
    const move = nextMove(plan, state, now);
    moves.push(move);
    if (move.kind === 'end') return { state, moves, now };
    if (move.kind === 'wait') {
      const isExit = state.blocked !== undefined || possibleOrders(state).length > 0;
      if (move.until === undefined && !isExit) {
        throw new Error(`nobody can end the wait in ${state.stage}`);
      }
      now = move.until ?? now;
      continue;
    }
    now += 10;
    state = make(plan, state, move, world, now);
  }
  throw new Error(`no end after ${String(limit)} moves: ${state.stage}`);
}

function make(
  plan: Plan,
  state: ReleaseState,
  move: Exclude<Move, { kind: 'wait' | 'end' }>,
  world: World,
  now: number,
): ReleaseState {
  const turn = { plan, state: making(state, move), now };
  switch (move.kind) {
    case 'prepare':
      return afterPrepare(turn, { revision: state.revision });
    case 'awaitPods':
      return afterPods(turn, world.pods(state));
    case 'initialise':
      return afterInitialise(turn);
    case 'scaleUp':
      return afterScaleUp(turn);
    case 'route':
      return afterRoute(turn, move);
    case 'check':
      return afterCheck(turn, world.check(state), move);
    case 'promote':
      return afterPromote(turn, world.promote(state));
    case 'finish':
      return afterFinish(turn);
    case 'rollBack':
      return afterRollBack(turn);
    case 'reconcile':
      return afterReconcile(turn);
    case 'recover':
      return afterRecover(turn);
    case 'awaitGate':
      return afterGate(turn);
    case 'putBack':
      return afterPutBack(turn);
    case 'conclude':
      return afterConclude(turn);
    case 'revert':
      return afterRevert(turn);
    case 'tell':
      return afterTell(turn);
  }
}
