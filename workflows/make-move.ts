import { condition } from '@temporalio/workflow';

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
  afterShift,
  afterScaleUp,
  afterTell,
} from '../domain/after.js';
import { summaryOf } from '../domain/explain.js';
import type { Move } from '../domain/moves.js';
import { making } from '../domain/next-move.js';
import type { CanaryRef, Plan, ReleaseState } from '../domain/release.js';
import type { Turn } from '../domain/turn.js';
import type { Desk } from './desk.js';
import { interruptible } from './interruptible.js';
import { checks, hooks, waits, writes } from './proxies.js';

/** What a move is made with. */
export interface Means {
  readonly canary: CanaryRef;
  readonly plan: Plan;
  readonly state: ReleaseState;
  readonly desk: Desk;
}

/** Makes one move, or is interrupted by a message, and says where that leaves the release. */
export async function makeMove(
  means: Means,
  move: Exclude<Move, { kind: 'end' }>,
): Promise<ReleaseState> {
  const { plan, desk } = means;
  const state = making(means.state, move);
  if (move.kind === 'wait') {
    await wait(desk, move.until, summaryOf(plan, move));
    return state;
  }
  const after = await makeDeed(means, move);
  return after === undefined ? state : after({ plan, state, now: Date.now() });
}

type Deed = Exclude<Move, { kind: 'end' | 'wait' }>;

/** What a deed that was done makes of the release; undefined for one that was cut short. */
type After = (turn: Turn) => ReleaseState;

async function makeDeed({ canary, plan, desk }: Means, move: Deed): Promise<After | undefined> {
  const options = { summary: summaryOf(plan, move) };
  const urgent = (): boolean => isUrgent(desk);
  const news = (): boolean => hasNews(desk);
  switch (move.kind) {
    case 'awaitPods': {
      const pods = await interruptible(
        () => waits.awaitPods.executeWithOptions(options, [input(move, canary)]),
        news,
      );
      return pods && ((turn) => afterPods(turn, pods));
    }
    case 'awaitGate': {
      const open = await interruptible(
        () => waits.awaitGate.executeWithOptions(options, [input(move, canary)]).then(yes),
        news,
      );
      return open && afterGate;
    }
    case 'check': {
      const result = await interruptible(
        () => checks.check.executeWithOptions(options, [input(move, canary)]),
        () => urgent() || desk.orders.some(({ name }) => name === 'pause'),
      );
      return result && ((turn) => afterCheck(turn, result, move));
    }
    case 'route': {
      const result = await interruptible(
        () =>
          writes.route
            .executeWithOptions(options, [input(move, canary)])
            .then((instead) => ({ instead })),
        urgent,
      );
      return result && ((turn) => afterShift(turn, result.instead, move));
    }
    case 'promote': {
      const result = await interruptible(
        () => writes.promote.executeWithOptions(options, [input(move, canary)]),
        urgent,
      );
      return result && ((turn) => afterPromote(turn, result));
    }
    case 'scaleUp': {
      const scaled = await interruptible(
        () => writes.scaleUp.executeWithOptions(options, [input(move, canary)]).then(yes),
        urgent,
      );
      return scaled && afterScaleUp;
    }
    case 'prepare': {
      const primary = await writes.prepare.executeWithOptions(options, [input(move, canary)]);
      return (turn) => afterPrepare(turn, primary);
    }
    case 'conclude':
      await hooks.conclude.executeWithOptions(options, [input(move, canary)]);
      return afterConclude;
    default:
      return makePlainDeed(canary, move, options);
  }
}

type Plain = Exclude<
  Deed,
  {
    kind:
      | 'awaitPods'
      | 'awaitGate'
      | 'check'
      | 'route'
      | 'promote'
      | 'scaleUp'
      | 'prepare'
      | 'conclude';
  }
>;

/** Deeds that nothing interrupts and that answer nothing. */
async function makePlainDeed(
  canary: CanaryRef,
  move: Plain,
  options: { readonly summary: string },
): Promise<After> {
  switch (move.kind) {
    case 'initialise':
      await writes.initialise.executeWithOptions(options, [input(move, canary)]);
      return afterInitialise;
    case 'reconcile':
      await writes.reconcile.executeWithOptions(options, [input(move, canary)]);
      return afterReconcile;
    case 'recover':
      await writes.recover.executeWithOptions(options, [input(move, canary)]);
      return afterRecover;
    case 'putBack':
      await writes.putBack.executeWithOptions(options, [input(move, canary)]);
      return afterPutBack;
    case 'finish':
      await writes.finish.executeWithOptions(options, [input(move, canary)]);
      return afterFinish;
    case 'rollBack':
      await writes.rollBack.executeWithOptions(options, [input(move, canary)]);
      return afterRollBack;
    case 'revert':
      await writes.revert.executeWithOptions(options, [input(move, canary)]);
      return afterRevert;
    case 'tell':
      await writes.tell.executeWithOptions(options, [input(move, canary)]);
      return afterTell;
  }
}

function input<M extends Move>(
  move: M,
  canary: CanaryRef,
): Omit<M, 'kind'> & { readonly canary: CanaryRef } {
  const { kind, ...rest } = move;
  return { ...rest, canary };
}

/** Waits until the time has come or a message has. */
async function wait(desk: Desk, until: number | undefined, summary: string): Promise<void> {
  if (until === undefined) {
    await condition(() => hasNews(desk));
    return;
  }
  await condition(() => hasNews(desk), Math.max(1, until - Date.now()), { summary });
}

/** What an activity that answers nothing stands for when it was done. */
function yes(): true {
  return true;
}

/** Any message ends a wait, because it may change what is waited for. */
function hasNews({ orders, change, cancelled }: Desk): boolean {
  return orders.length > 0 || change !== undefined || cancelled;
}

/** Only taking everything back interrupts a deed; a deed cut short is repeated or undone. */
function isUrgent({ orders, cancelled }: Desk): boolean {
  return cancelled || orders.some(({ name }) => name === 'rollback');
}
