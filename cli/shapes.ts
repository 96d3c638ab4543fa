import type {
  CanaryName,
  DeliveryRecord,
  Ending,
  Run,
  RunOutcome,
  Status,
  Trouble,
} from '../api/client.js';
import { isOfRun } from '../domain/deliveries.js';
import type { PlannedStep } from '../domain/explain.js';
import type { Cause, MetricReading, ReleaseState, WaitingGate } from '../domain/release.js';
import { nameOf } from './arguments.js';
import { troubleText } from './text.js';

/**
 * The documents of `--output json`. Times are ISO 8601, durations seconds; what is not known, or does
 * not apply, is null. Fields may be added, but none is renamed or taken away.
 */

/** How a run ended: the answer of `wait` and of `release --wait`. */
export interface EndingShape {
  /** `NAMESPACE/NAME`, as in every document. */
  readonly canary: string;
  readonly revision: string;
  readonly outcome: RunOutcome;
  /** One sentence. */
  readonly message: string;
  /** Why it did not end well; `check`, `value` and `threshold` or `actor` and `reason` decided. */
  readonly cause: Cause | null;
  readonly runId: string;
  readonly startedAt: string;
  readonly endedAt: string;
}

/** The newest run: the answer of `status` and `why`, and each line of `watch`. */
export interface StatusShape {
  readonly canary: string;
  readonly revision: string;
  readonly running: boolean;
  readonly phase: string | null;
  readonly stage: string | null;
  readonly images: readonly string[];
  /** Percent of the traffic at the canary. */
  readonly weight: number | null;
  /** Checks done of A/B testing or Blue/Green. */
  readonly iterations: number | null;
  readonly checks: number | null;
  readonly failedChecks: number | null;
  /** The metrics as the last check saw them. */
  readonly readings: readonly MetricReading[];
  readonly paused: {
    readonly actor: string;
    readonly reason: string | null;
    readonly at: string;
  } | null;
  /** The gate that waits for a person. */
  readonly gate: {
    readonly name: string;
    readonly before: string;
    readonly since: string;
    readonly deadline: string | null;
  } | null;
  readonly approvals: readonly {
    readonly gate: string;
    readonly actor: string;
    readonly reason: string | null;
    readonly at: string;
  }[];
  readonly waitingFor: string | null;
  readonly since: string | null;
  readonly until: string | null;
  readonly endsWhen: string | null;
  readonly troubles: readonly TroubleShape[];
  readonly outcome: RunOutcome | null;
  readonly message: string | null;
  readonly cause: Cause | null;
  readonly workflowId: string;
  readonly runId: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
}

/** What fails, or is missing: `activity`, `workflow-task` or `no-worker`. */
export interface TroubleShape {
  readonly kind: Trouble['kind'];
  /** The sentence people get. */
  readonly message: string;
  readonly activity: string | null;
  readonly failures: number | null;
  readonly nextAttempt: string | null;
}

/** One run in `list` and `history`; `message` and `cause` are told by `history` only. */
export interface RunShape {
  readonly canary: string;
  readonly revision: string;
  readonly running: boolean;
  readonly phase: string | null;
  readonly outcome: RunOutcome | null;
  readonly message: string | null;
  readonly cause: Cause | null;
  readonly runId: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly durationSeconds: number;
}

/** One run in `history`, with what event webhooks and people were told of it. */
export interface HistoryShape extends RunShape {
  readonly deliveries: readonly DeliveryShape[];
}

/** One event for one webhook, or one alert: `delivered`, `given-up`, or `dropped` as nobody wants it. */
export interface DeliveryShape {
  readonly hook: string;
  readonly event: string;
  readonly outcome: DeliveryRecord['outcome'];
  readonly attempts: number;
  readonly at: string;
  readonly fault: string | null;
}

/** The answer of `plan`. */
export interface PlanShape {
  readonly canary: string;
  readonly steps: readonly PlannedStep[];
}

/** The answer of `release` and of the orders. */
export interface AcceptedShape {
  readonly canary: string;
  /** The order's name, or `release`. */
  readonly request: string;
  readonly actor: string;
  readonly revision: string;
  readonly message: string;
  readonly runId: string;
}

/** What is printed in place of any of these when a command fails. */
export interface ErrorShape {
  readonly error: { readonly kind: string; readonly message: string };
}

/** The document for an ending. */
export function endingShape(canary: CanaryName, ending: Ending): EndingShape {
  const { revision, outcome, message, cause = null, runId, startedAt, endedAt } = ending;
  return {
    canary: nameOf(canary),
    revision,
    outcome,
    message,
    cause,
    runId,
    startedAt: iso(startedAt),
    endedAt: iso(endedAt),
  };
}

/** The document for the newest run. */
export function statusShape(status: Status): StatusShape {
  const { canary, workflowId, runId, running, revision, startedAt, troubles } = status;
  return {
    canary: nameOf(canary),
    revision,
    running,
    ...progressShape(status),
    ...whyShape(status),
    troubles: troubles.map(troubleShape),
    ...endShape(status),
    workflowId,
    runId,
    startedAt: iso(startedAt),
  };
}

/** The document for one run.
 *
 * @param now epoch milliseconds, up to which an open run has lasted
 */
export function runShape(run: Run, now: number, ending?: Ending): RunShape {
  const { canary, running, phase, runId, startedAt, endedAt } = run;
  const { revision, outcome = null } = ending ?? run;
  return {
    canary: nameOf(canary),
    revision,
    running,
    phase: phase === '' ? null : phase,
    outcome,
    message: ending?.message ?? null,
    cause: ending?.cause ?? null,
    runId,
    startedAt: iso(startedAt),
    endedAt: endedAt === undefined ? null : iso(endedAt),
    durationSeconds: ((endedAt ?? now) - startedAt) / 1_000,
  };
}

/** The document for one run of a history, given what was delivered about its canary. */
export function historyShape(run: RunShape, delivered: readonly DeliveryRecord[]): HistoryShape {
  const deliveries = delivered
    .filter((record) => isOfRun(record, run.runId))
    .map(({ hook, event, outcome, attempts, at, fault = null }) => ({
      ...{ hook, event, outcome, attempts, fault },
      at: iso(at),
    }));
  return { ...run, deliveries };
}

type Progress = Pick<
  StatusShape,
  | 'phase'
  | 'stage'
  | 'images'
  | 'weight'
  | 'iterations'
  | 'checks'
  | 'failedChecks'
  | 'readings'
  | 'paused'
  | 'gate'
  | 'approvals'
>;

const noProgress: Progress = {
  phase: null,
  stage: null,
  images: [],
  weight: null,
  iterations: null,
  checks: null,
  failedChecks: null,
  readings: [],
  paused: null,
  gate: null,
  approvals: [],
};

function progressShape({ state }: Status): Progress {
  if (state === undefined) return noProgress;
  const { phase, stage, images, weight, iterations, checks, failedChecks } = state;
  const { lastCheck, paused, gate, approvals } = state;
  return {
    phase,
    stage,
    images,
    weight,
    iterations,
    checks,
    failedChecks,
    readings: lastCheck !== undefined && 'readings' in lastCheck ? lastCheck.readings : [],
    paused: paused === undefined ? null : pauseShape(paused),
    gate: gate === undefined ? null : gateShape(gate),
    approvals: approvals.map(({ gate: name, actor, reason = null, at }) => ({
      gate: name,
      actor,
      reason,
      at: iso(at),
    })),
  };
}

function gateShape({ name, before, since, deadline }: WaitingGate): StatusShape['gate'] {
  return {
    name,
    before,
    since: iso(since),
    deadline: deadline === undefined ? null : iso(deadline),
  };
}

function pauseShape(paused: NonNullable<ReleaseState['paused']>): StatusShape['paused'] {
  return { actor: paused.actor, reason: paused.reason ?? null, at: iso(paused.at) };
}

function troubleShape(trouble: Trouble): TroubleShape {
  const facts = { activity: null, failures: null, ...trouble };
  const nextAttempt = 'nextAttempt' in trouble ? iso(trouble.nextAttempt) : null;
  const { kind, activity, failures } = facts;
  return { kind, message: troubleText(trouble), activity, failures, nextAttempt };
}

function whyShape({
  why,
}: Status): Pick<StatusShape, 'waitingFor' | 'since' | 'until' | 'endsWhen'> {
  return {
    waitingFor: why?.waitingFor ?? null,
    since: why === undefined ? null : iso(why.since),
    until: why?.until === undefined ? null : iso(why.until),
    endsWhen: why?.endsWhen ?? null,
  };
}

function endShape({
  ending,
}: Status): Pick<StatusShape, 'outcome' | 'message' | 'cause' | 'endedAt'> {
  return {
    outcome: ending?.outcome ?? null,
    message: ending?.message ?? null,
    cause: ending?.cause ?? null,
    endedAt: ending === undefined ? null : iso(ending.endedAt),
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
