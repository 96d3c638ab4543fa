import {
  afterCheck,
  afterFinish,
  afterInitialise,
  afterPods,
  afterPrepare,
  afterPromote,
  afterRollBack,
  afterRoute,
  afterScaleUp,
} from '../../domain/after.js';
import type { Move } from '../../domain/moves.js';
import { making, nextMove } from '../../domain/next-move.js';
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
    state = world.steer(state, now);
    const move = nextMove(plan, state, now);
    moves.push(move);
    if (move.kind === 'end') return { state, moves, now };
    if (move.kind === 'wait') {
      if (state.paused === undefined && move.until === undefined) {
        throw new Error('waits for a message that never comes');
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
      return afterRoute(turn, move.routes);
    case 'check':
      return afterCheck(turn, world.check(state));
    case 'promote':
      return afterPromote(turn, world.promote(state));
    case 'finish':
      return afterFinish(turn);
    case 'rollBack':
      return afterRollBack(turn);
  }
}
