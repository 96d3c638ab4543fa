import type { Canary } from './canary.js';
import { namesOf, type Names } from './names.js';
import { hasConclusion } from './endings.js';
import { hookTexts } from './hooks.js';
import type { EventText, Move, Report } from './moves.js';
import type { Cause, ClosedGate, Plan, ReleaseState, WaitingGate } from './release.js';
import { texts } from './texts.js';

/** How bad it is what people are told, from bad to worse. */
export const severities = ['info', 'warn', 'error'] as const;

export type Severity = (typeof severities)[number];

/** A message to people. It goes with an event, and is told once as that is. */
export interface Alert {
  readonly severity: Severity;
  readonly message: string;
  /** What the message is about, in the order in which it is shown. */
  readonly facts: readonly Fact[];
  /** Whether the settings of the analysis are shown too. */
  readonly withSettings?: true;
}

export interface Fact {
  readonly name: string;
  readonly value: string;
}

/**
 * The same move, with what people are told by message when it is made. The texts are Flagger's where
 * Flagger has one; beyond Flagger's, people hear of whatever waits for them and of every rollback.
 */
export function alerted(plan: Plan, state: ReleaseState, move: Move): Move {
  if (move.kind === 'awaitGate') {
    const { revision, announced } = state;
    return { ...move, revision, ...(announced ? { again: true as const } : {}) };
  }
  if (move.kind === 'wait') return isUntold(state) ? tellStuck(plan, state) : move;
  const alert = 'report' in move ? alertOf(plan, state, move) : undefined;
  if (alert === undefined || !('report' in move)) return move;
  return { ...move, report: withAlert(move.report, alert) };
}

/** What people are told by message when a move is made; undefined for most moves. */
function alertOf(plan: Plan, state: ReleaseState, move: Move): Alert | undefined {
  switch (move.kind) {
    case 'initialise':
      return {
        ...about(state, 'info', `New ${plan.targetKind} detected, initialization completed.`),
        withSettings: true,
      };
    case 'scaleUp':
      return {
        ...about(state, 'info', 'New revision detected, progressing canary analysis.'),
        withSettings: true,
      };
    case 'finish':
      return hasConclusion(plan) ? undefined : promotedAlert(plan, state);
    case 'conclude':
      return state.ended === 'promoted' ? promotedAlert(plan, state) : undefined;
    case 'rollBack':
      return state.cause && rollbackAlert(state, state.cause);
    case 'route':
      return move.ending?.outcome === 'promotion-failed'
        ? becauseOf(state, 'error', `Promotion failed, primary not ready: ${causeOf(state)}`)
        : undefined;
    case 'tell':
      return state.stage === 'holding' ? heldAlert(state) : gateAlert(plan, state);
    case 'putBack':
      return refusalAlert(plan, state);
    default:
      return undefined;
  }
}

/** The event of a closed HTTP gate, and the alert that goes with it unless the webhook mutes it. */
export function closedGateText(
  canary: Canary,
  { type, hook }: ClosedGate,
  revision: string | undefined,
): EventText {
  const event = hookTexts.closed(namesOf(canary), type, hook);
  const named = canary.analysis.webhooks.filter(
    ({ name, type: of }) => name === hook && of === type,
  );
  if (named.some(({ muteAlert }) => muteAlert)) return event;
  const facts = [
    ...(revision === undefined ? [] : [{ name: 'Revision', value: revision }]),
    { name: 'Gate', value: `webhook ${hook}` },
  ];
  return { ...event, alert: { severity: 'warn', message: waitingTexts[kindOf(type)], facts } };
}

/** After so many failed attempts, about a minute, an activity that fails is worth a message. */
const attemptsUntilAlert = 12;

/** The alert of an activity that fails again and again; once, as other attempts are silent. */
export function failingAlert(activity: string, attempt: number, error: string): Alert | undefined {
  if (attempt !== attemptsUntilAlert) return undefined;
  return {
    severity: 'warn',
    message: `Canary makes no progress: ${error}`,
    facts: [
      { name: 'Activity', value: activity },
      { name: 'Attempts', value: String(attempt) },
    ],
  };
}

/** The sentences of a release that waits; Flagger's. */
const waitingTexts = {
  rollout: 'Canary is waiting for approval.',
  'traffic-increase': 'Canary traffic increase is waiting for approval.',
  promotion: 'Canary promotion is waiting for approval.',
} as const satisfies Record<WaitingGate['before'], string>;

function kindOf(type: ClosedGate['type']): WaitingGate['before'] {
  if (type === 'confirm-promotion') return 'promotion';
  return type === 'confirm-traffic-increase' ? 'traffic-increase' : 'rollout';
}

function promotedAlert({ skipAnalysis }: Plan, state: ReleaseState): Alert {
  const what = skipAnalysis ? 'was skipped' : 'completed successfully';
  return about(state, 'info', `Canary analysis ${what}, promotion finished.`);
}

/** Rollbacks that people or manifests asked for are no errors. */
const deliberate: readonly Cause['type'][] = ['RolledBack', 'Rejected', 'Reverted', 'Cancelled'];

function rollbackAlert(state: ReleaseState, cause: Cause): Alert {
  const severity = deliberate.includes(cause.type) ? 'warn' : 'error';
  return becauseOf(state, severity, rollbackText(cause));
}

function rollbackText({ type, message }: Cause): string {
  return type === 'AnalysisFailed' || type === 'DeadlineExceeded'
    ? message.charAt(0).toUpperCase() + message.slice(1)
    : `Rolling back ${message}`;
}

function heldAlert(state: ReleaseState): Alert | undefined {
  const { cause } = state;
  if (cause === undefined) return undefined;
  const waiting = 'waiting for a person to promote, retry or roll back.';
  return becauseOf(state, 'error', `${rollbackText(cause)}, ${waiting}`);
}

function gateAlert({ gates }: Plan, state: ReleaseState): Alert | undefined {
  const { gate } = state;
  if (gate === undefined) return undefined;
  const { approvers = [] } = gates.find(({ name }) => name === gate.name) ?? {};
  const more = [
    { name: 'Gate', value: gate.name },
    { name: 'Approvers', value: approvers.join(', ') },
    { name: 'Until', value: gate.deadline === undefined ? '' : timeText(gate.deadline) },
  ];
  return about(state, 'warn', waitingTexts[gate.before], more);
}

function refusalAlert({ onNewRevision, names }: Plan, state: ReleaseState): Alert | undefined {
  const { next = '', revision } = state;
  if (onNewRevision !== 'refuse') return undefined;
  return about(state, 'warn', texts.refused(names, next, revision).message);
}

/** Whether nothing but a change of a manifest helps, and nobody has been told. */
function isUntold({ blocked, announced }: ReleaseState): boolean {
  return blocked !== undefined && !announced;
}

/** Under a key of its own: the move that is stuck keeps its key, and may have told a part already. */
function tellStuck({ names, generation }: Plan, state: ReleaseState): Move {
  const { blocked = '', reports } = state;
  const alert = about(state, 'error', `Canary is stuck until a manifest is changed: ${blocked}`);
  const key = `${String(reports)}/stuck/${String(generation)}`;
  return { kind: 'tell', report: { key, before: [{ ...stuck(names, blocked), alert }] } };
}

function stuck({ canary }: Names, why: string): EventText {
  return texts.warning(`Halt ${canary} advancement until its manifest is changed: ${why}`);
}

function causeOf({ cause }: ReleaseState): string {
  return cause?.message ?? '';
}

/** An alert on a release, with what decided about it. */
function becauseOf(state: ReleaseState, severity: Severity, message: string): Alert {
  const { check = '', value, threshold = '', actor = '', reason = '' } = state.cause ?? {};
  return about(state, severity, message, [
    { name: 'Check', value: check },
    { name: 'Value', value: value === undefined ? '' : String(Number(value.toFixed(3))) },
    { name: 'Threshold', value: threshold },
    { name: 'By', value: actor },
    // The sentence has it already, except where a check is what failed.
    { name: 'Reason', value: message.includes(reason) ? '' : reason },
  ]);
}

/** An alert on a release; facts without a value are left out. */
function about(
  { revision, images }: ReleaseState,
  severity: Severity,
  message: string,
  more: readonly Fact[] = [],
): Alert {
  const facts = [
    { name: 'Revision', value: revision },
    { name: 'Images', value: images.join(', ') },
    ...more,
  ];
  return { severity, message, facts: facts.filter(({ value }) => value !== '') };
}

function timeText(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** The alert goes with the first event of a report; one that tells nothing has none. */
function withAlert({ before = [], after = [], ...rest }: Report, alert: Alert): Report {
  const mark = (events: readonly EventText[]): readonly EventText[] =>
    events.map((event, index) => (index === 0 ? { ...event, alert } : event));
  return before.length > 0
    ? { ...rest, before: mark(before), ...(after.length > 0 ? { after } : {}) }
    : { ...rest, after: mark(after) };
}
