import type { Gate, HookType } from './canary.js';
import type { Approval, ClosedGate, Plan, ReleaseState, WaitingGate } from './release.js';
import { stepsOf, type Position, type Step } from './strategies/strategy.js';
import { rollBack, to, type Turn } from './turn.js';

/** What a gate stands before, seen from where a release is. */
type Before = Gate['before'];

/** The step a release makes after the next check that passes; undefined for the promotion. */
export function nextStep({ strategy, names }: Plan, position: Position): Step | undefined {
  return stepsOf(strategy).next(names, position);
}

/** The HTTP gates asked before a step, or before the promotion; only those that have hooks. */
export function hooksBefore(plan: Plan, state: ReleaseState, step: Step | undefined): HookType[] {
  const all = step === undefined ? stepsOf(plan.strategy).promotionGates : [step.gate];
  return all.filter(
    (type): type is HookType =>
      type !== undefined &&
      (plan.hooks[type]?.length ?? 0) > 0 &&
      // Whoever waits for the promotion has all the traffic there is to be had.
      !(type === 'confirm-traffic-increase' && state.phase === 'WaitingPromotion'),
  );
}

/** The first gate a person still has to open before a step, or before the promotion. */
export function closedBefore(
  plan: Plan,
  state: ReleaseState,
  step: Step | undefined,
): Gate | undefined {
  return closedGate(plan, state, kindsBefore(state, step));
}

/** What a closed HTTP gate shows in the status: waiting for the promotion is a phase of its own. */
export function closedStatus({ type }: ClosedGate): { readonly phase?: 'WaitingPromotion' } {
  return type === 'confirm-promotion' ? { phase: 'WaitingPromotion' } : {};
}

/** A release at the door of its rollout: it has to be let in, or may scale up at once. */
export function toRollout(turn: Turn): ReleaseState {
  const { plan, state } = turn;
  const asks = !state.confirmed && (plan.hooks['confirm-rollout']?.length ?? 0) > 0;
  if (asks) return to(turn, 'gating');
  const gate = closedGate(plan, state, ['rollout']);
  return gate === undefined
    ? to(turn, 'scaling-up')
    : { ...to(turn, 'gating'), ...waiting(turn, gate) };
}

/** A release whose check has passed: at the next closed gate, or on its way. */
export function onward(turn: Turn): ReleaseState {
  const { plan, state } = turn;
  const step = nextStep(plan, state);
  const gate = closedBefore(plan, state, step);
  if (gate !== undefined) {
    return state.gate?.name === gate.name ? state : { ...state, ...waiting(turn, gate) };
  }
  return to(turn, step === undefined ? 'copying' : 'stepping');
}

/** The state after somebody, or time, opened the gate that waited. */
export function pass(turn: Turn, approval: Approval): ReleaseState {
  const { gate, ...rest } = turn.state;
  const state = { ...rest, announced: false, approvals: [...rest.approvals, approval] };
  const next = { ...turn, state };
  if (state.stage === 'gating') return toRollout(next);
  if (state.stage !== 'analysing') return state;
  const step = nextStep(turn.plan, state);
  if (closedBefore(turn.plan, state, step) !== undefined) return onward(next);
  // The next check decides where the last one did not pass, or where webhooks have to be asked.
  const isReady =
    state.lastCheck?.verdict === 'passed' && hooksBefore(turn.plan, state, step).length === 0;
  return isReady ? onward(next) : { ...state, due: Math.min(state.due, turn.now) };
}

/** What time, or an edit of the manifest, has made of the gate that waits. */
export function settle(turn: Turn): ReleaseState {
  const { plan, state, now } = turn;
  const { gate } = state;
  if (gate === undefined) return state;
  const rule = plan.gates.find(({ name, before }) => name === gate.name && before === gate.before);
  if (rule === undefined) return pass(turn, approvalBy('the manifest', gate, now));
  if (gate.deadline === undefined || now < gate.deadline) return state;
  switch (rule.onTimeout) {
    case 'approve':
      return pass(turn, approvalBy('time-out', gate, now));
    case 'reject':
      return rejected(turn, 'time-out', 'nobody approved it in time');
    case 'hold': {
      const { deadline, ...held } = gate;
      return { ...state, gate: held };
    }
  }
}

/** The state after somebody, or time, refused to open the gate that waited. */
export function rejected(turn: Turn, actor: string, reason: string | undefined): ReleaseState {
  const { gate, ...state } = turn.state;
  return rollBack(
    { ...turn, state },
    {
      type: 'Rejected',
      message: `as ${actor} rejected gate ${gate?.name ?? ''}${reason === undefined ? '' : `: ${reason}`}`,
      actor,
      ...(reason === undefined ? {} : { reason }),
    },
  );
}

/** An approval of an increase is used up by it: the next one has to be agreed to anew. */
export function afterIncrease(plan: Plan, approvals: readonly Approval[]): readonly Approval[] {
  const spent = plan.gates.filter(({ before }) => before === 'traffic-increase');
  return approvals.filter(({ gate }) => !spent.some(({ name }) => name === gate));
}

function kindsBefore(position: Position, step: Step | undefined): Before[] {
  if (step === undefined) return ['promotion'];
  const increase: Before[] = step.weight > position.weight ? ['traffic-increase'] : [];
  return step.gate === 'confirm-promotion' ? [...increase, 'promotion'] : increase;
}

function closedGate(
  { gates }: Plan,
  { approvals }: ReleaseState,
  kinds: readonly Before[],
): Gate | undefined {
  return gates.find(
    ({ name, before }) => kinds.includes(before) && !approvals.some(({ gate }) => gate === name),
  );
}

function waiting(
  { now }: Turn,
  { name, before, timeoutMs }: Gate,
): { readonly gate: WaitingGate; readonly announced: false } {
  const deadline = timeoutMs === undefined ? {} : { deadline: now + timeoutMs };
  return { gate: { name, before, since: now, ...deadline }, announced: false };
}

function approvalBy(actor: string, { name }: WaitingGate, at: number): Approval {
  return { gate: name, actor, at };
}
