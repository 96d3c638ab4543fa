import { condition } from '@temporalio/workflow';

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
  type Turn,
} from '../domain/after.js';
import { summaryOf } from '../domain/explain.js';
import type { Move } from '../domain/moves.js';
import { making } from '../domain/next-move.js';
import type { CanaryRef, Plan, ReleaseState } from '../domain/release.js';
import type { Desk } from './desk.js';
import { interruptible } from './interruptible.js';
import { waits, writes } from './proxies.js';

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
  const { canary, plan, desk } = means;
  const state = making(means.state, move);
  const summary = summaryOf(plan, move);
  const turn = (): Turn => ({ plan, state, now: Date.now() });
  switch (move.kind) {
    case 'wait':
      await wait(desk, move.until, summary);
      return state;
    case 'awaitPods': {
      const pods = await interruptible(
        () => waits.awaitPods.executeWithOptions({ summary }, [input(move, canary)]),
        () => hasNews(desk),
      );
      return pods === undefined ? state : afterPods(turn(), pods);
    }
    case 'prepare':
      return afterPrepare(
        turn(),
        await writes.prepare.executeWithOptions({ summary }, [input(move, canary)]),
      );
    case 'initialise':
      await writes.initialise.executeWithOptions({ summary }, [input(move, canary)]);
      return afterInitialise(turn());
    case 'scaleUp': {
      const done = await unlessUrgent(desk, () =>
        writes.scaleUp.executeWithOptions({ summary }, [input(move, canary)]),
      );
      return done ? afterScaleUp(turn()) : state;
    }
    case 'route': {
      const done = await unlessUrgent(desk, () =>
        writes.route.executeWithOptions({ summary }, [input(move, canary)]),
      );
      return done ? afterRoute(turn(), move.routes) : state;
    }
    case 'check': {
      const result = await interruptible(
        () => writes.check.executeWithOptions({ summary }, [input(move, canary)]),
        () => isUrgent(desk),
      );
      return result === undefined ? state : afterCheck(turn(), result);
    }
    case 'promote': {
      const result = await interruptible(
        () => writes.promote.executeWithOptions({ summary }, [input(move, canary)]),
        () => isUrgent(desk),
      );
      return result === undefined ? state : afterPromote(turn(), result);
    }
    case 'finish':
      await writes.finish.executeWithOptions({ summary }, [input(move, canary)]);
      return afterFinish(turn());
    case 'rollBack':
      await writes.rollBack.executeWithOptions({ summary }, [input(move, canary)]);
      return afterRollBack(turn());
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

async function unlessUrgent(desk: Desk, work: () => Promise<void>): Promise<boolean> {
  const done = await interruptible(
    () => work().then(() => true as const),
    () => isUrgent(desk),
  );
  return done === true;
}

/** Any message ends a wait, because it may change what is waited for. */
function hasNews({ orders, change, cancelled }: Desk): boolean {
  return orders.length > 0 || change !== undefined || cancelled;
}

/** Only taking everything back interrupts a deed; a deed cut short is repeated or undone. */
function isUrgent({ orders, cancelled }: Desk): boolean {
  return cancelled || orders.some(({ name }) => name === 'rollback');
}
