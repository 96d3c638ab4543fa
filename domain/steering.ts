import { isBeforePromotion, isPromoting } from './begin.js';
import { doing } from './explain.js';
import { closedBefore, pass, rejected } from './gates.js';
import type { Approval, Order, Plan, ReleaseState } from './release.js';
import { rollBack, supersede, to, type Turn } from './turn.js';

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
  plan: Plan,
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
  if (!isPossible(name, state)) return whyNot(name, state);
  return name === 'approve' || name === 'reject'
    ? refusalOfGate(name, { ...order, actor }, plan, state)
    : refusalOfSkipping(name, plan, state);
}

function refusalOfGate(
  name: OrderName,
  { actor, gate }: Partial<Order> & Pick<Order, 'actor'>,
  { gates }: Plan,
  state: ReleaseState,
): string | undefined {
  const waiting = state.gate?.name ?? '';
  if (gate !== undefined && gate !== waiting) {
    return `${name} is meant for gate ${gate}, but gate ${waiting} is the one that waits`;
  }
  const { approvers = [] } = gates.find((rule) => rule.name === waiting) ?? {};
  return approvers.length === 0 || approvers.includes(actor)
    ? undefined
    : `gate ${waiting} is not for ${actor} to decide (approvers: ${approvers.join(', ')})`;
}

/** Whoever may promote may skip the analysis, but not the people a gate names. */
function refusalOfSkipping(name: OrderName, plan: Plan, state: ReleaseState): string | undefined {
  const gate = name === 'promote' ? closedBefore(plan, state, undefined) : undefined;
  return gate && `promote would pass gate ${gate.name}, which has to be approved first`;
}

/** Why a new revision cannot be asked for now; undefined when it can. */
export function refusalOfRequest(
  release: { readonly plan: Plan; readonly state: ReleaseState } | undefined,
): string | undefined {
  if (release === undefined || release.plan.onNewRevision !== 'refuse') return undefined;
  const { stage, revision } = release.state;
  return isBeforePromotion(stage) || isPromoting(stage)
    ? `revision ${revision} is being released, and spec.onNewRevision is refuse`
    : undefined;
}

/** The state after an order that {@link refusal} let pass. */
export function follow(turn: Turn, name: OrderName, wanted: Partial<Order>): ReleaseState {
  const { state, now } = turn;
  const order: Order = { actor: '', revision: state.revision, ...wanted };
  switch (name) {
    case 'promote':
      return to(withoutGate(resumed(turn)), 'copying', { due: now });
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
      return pass(waitedFor(turn), approvalOf(order, state.gate?.name ?? '', now));
    case 'reject':
      return rejected(waitedFor(turn), order.actor, order.reason);
  }
}

function approvalOf({ actor, reason }: Order, gate: string, at: number): Approval {
  return { gate, actor, at, ...(reason === undefined ? {} : { reason }) };
}

/** What can be asked of a release in this state. */
export function possibleOrders(state: ReleaseState): OrderName[] {
  return orderNames.filter((name) => isPossible(name, state));
}

function isPossible(name: OrderName, { stage, paused, gate }: ReleaseState): boolean {
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
      return (
        early &&
        stage !== 'gating' &&
        stage !== 'scaling-up' &&
        stage !== 'restarting' &&
        stage !== 'putting-back'
      );
    case 'approve':
    case 'reject':
      return gate !== undefined && stage !== 'over';
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

/** Counts the time people took to decide. */
function waitedFor(turn: Turn): Turn {
  const { gate, waitedForPeopleMs } = turn.state;
  const waited = waitedForPeopleMs + turn.now - (gate?.since ?? turn.now);
  return { ...turn, state: { ...turn.state, waitedForPeopleMs: waited } };
}

function withoutGate(turn: Turn): Turn {
  const { gate, ...state } = turn.state;
  return { ...turn, state };
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
