import { rollBack, supersede, to, type Turn } from './after.js';
import { isBeforePromotion, isPromoting } from './begin.js';
import { doing } from './explain.js';
import type { Order, ReleaseState } from './release.js';

/** What people can ask of a release. The words are the names of the updates and the signals. */
export const orderNames = [
  'promote',
  'rollback',
  'pause',
  'resume',
  'retry',
  'approve',
  'reject',
] as const;

export type OrderName = (typeof orderNames)[number];

/**
 * Why an order cannot be followed now, as a sentence that also says what is possible; undefined when
 * it can. Orders are bound to a revision, so that one meant for A never hits B.
 */
export function refusal(
  name: OrderName,
  order: Partial<Order>,
  state: ReleaseState,
): string | undefined {
  const { actor, revision } = order;
  if (!isText(actor)) return `${name} needs an actor: who asks for it`;
  if (!isText(revision)) {
    return `${name} needs the revision it is meant for (now: ${state.revision})`;
  }
  if (revision !== state.revision) {
    return `${name} is meant for revision ${revision}, but the release is of ${state.revision}`;
  }
  return isPossible(name, state) ? undefined : whyNot(name, state);
}

/** The state after an order that {@link refusal} let pass. */
export function follow(turn: Turn, name: OrderName, wanted: Partial<Order>): ReleaseState {
  const { state, now } = turn;
  const order: Order = { actor: '', revision: state.revision, ...wanted };
  switch (name) {
    case 'promote':
      return to(resumed(turn), 'copying', { due: now });
    case 'rollback':
      return rollBack(resumed(turn), {
        type: 'RolledBack',
        message: `as ${order.actor} asked${isText(order.reason) ? `: ${order.reason}` : ''}`,
        actor: order.actor,
        ...(order.reason === undefined ? {} : { reason: order.reason }),
      });
    case 'pause':
      return { ...state, paused: { ...order, at: now } };
    case 'resume':
      return resumed(turn).state;
    case 'retry':
      return supersede(resumed(turn), state.revision);
    case 'approve':
    case 'reject':
      return state;
  }
}

/** What can be asked of a release in this state. */
export function possibleOrders(state: ReleaseState): OrderName[] {
  return orderNames.filter((name) => isPossible(name, state));
}

function isPossible(name: OrderName, { stage, paused }: ReleaseState): boolean {
  const early = isBeforePromotion(stage);
  switch (name) {
    case 'pause':
      return paused === undefined && (early || isPromoting(stage));
    case 'resume':
      return paused !== undefined && stage !== 'over';
    case 'rollback':
      return early || isPromoting(stage);
    case 'promote':
    case 'retry':
      return early && stage !== 'scaling-up' && stage !== 'restarting';
    case 'approve':
    case 'reject':
      return false;
  }
}

function whyNot(name: OrderName, state: ReleaseState): string {
  const choice = possibleOrders(state);
  const instead = choice.length === 0 ? 'nothing' : choice.join(', ');
  return `${reason(name, state)} (revision ${state.revision}; possible now: ${instead})`;
}

function reason(name: OrderName, state: ReleaseState): string {
  if (name === 'approve' || name === 'reject') return 'nothing waits for approval';
  if (name === 'pause' && state.paused !== undefined) {
    return `it is paused already, by ${state.paused.actor}`;
  }
  if (name === 'resume') return 'it is not paused';
  return `${name} is not possible while ${doing(state)}`;
}

/** Ends a pause, if there is one, and counts the time people took. */
function resumed(turn: Turn): Turn {
  const { paused, ...state } = turn.state;
  if (paused === undefined) return turn;
  const waitedForPeopleMs = state.waitedForPeopleMs + turn.now - paused.at;
  return { ...turn, state: { ...state, waitedForPeopleMs } };
}

function isText(value: string | undefined): value is string {
  return typeof value === 'string' && value !== '';
}
