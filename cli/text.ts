import type { Ending, Status, Trouble } from '../api/client.js';
import type { PlannedStep } from '../domain/explain.js';
import type { Cause, CheckResult, MetricReading } from '../domain/release.js';
import { formatDuration } from '../domain/duration.js';
import { nameOf } from './arguments.js';
import type { HistoryShape, RunShape } from './shapes.js';

/** What is known of the newest run, on a few lines. `now` is in epoch milliseconds, as everywhere here. */
export function statusText(status: Status, now: number): string {
  const { ending, state } = status;
  const lines =
    ending === undefined
      ? [headLine(status), ...(state === undefined ? [] : [bar(state.weight)])]
      : [headLine(status), `${endingText(ending)} (${agoText(ending.endedAt, now)})`];
  return [...lines, ...checkLines(status), ...waitLines(status, now)].join('\n');
}

/** What a release waits for, what would end that, and what fails; or how it ended. */
export function whyText(status: Status, now: number): string {
  const { ending } = status;
  return ending === undefined
    ? [headLine(status), ...waitLines(status, now)].join('\n')
    : `${nameOf(status.canary)}: nothing is running; ${endingText(ending)} (${agoText(ending.endedAt, now)})`;
}

/** The one line that says where a release is, for logs. */
export function progressText(status: Status): string {
  const { state, why, troubles, ending } = status;
  if (ending !== undefined) return endingText(ending);
  if (state === undefined) return [...troubles.map(troubleText), 'is being looked at'][0] ?? '';
  const { stage, weight, checks, lastCheck, paused } = state;
  const waiting = paused === undefined ? stage.replaceAll('-', ' ') : 'paused';
  const check =
    lastCheck === undefined || checks === 0 ? '' : `, check ${checks} ${verdictText(lastCheck)}`;
  const wait = why === undefined ? '' : `; waits for ${why.waitingFor}`;
  const trouble = troubles[0] === undefined ? '' : ` (${troubleText(troubles[0])})`;
  return `${waiting} at ${weight}%${check}${wait}${trouble}`;
}

/** The steps, each with its mark. */
export function planText(steps: readonly PlannedStep[]): string {
  if (steps.length === 0) return 'the release has not made its plan yet';
  return steps.map(({ step, state }) => `${marks[state]} ${step}`).join('\n');
}

/** How a run ended, with what decided it. */
export function endingText({ message, cause }: Pick<Ending, 'message' | 'cause'>): string {
  const decided = cause === undefined ? '' : decidedText(cause, message);
  return decided === '' ? message : `${message} (${decided})`;
}

/** One line per run, of several canaries: where it stands or how it ended. */
export function releasesText(runs: readonly RunShape[]): string {
  const rows = runs.map((run) => [run.canary, resultOf(run), ...whatAndWhen(run)]);
  return table([['CANARY', 'OUTCOME', 'REVISION', 'STARTED', 'DURATION'], ...rows]);
}

/** One line per run of a canary, with how it ended, and below what could not be delivered. */
export function historyText(runs: readonly HistoryShape[]): string {
  const isTold = runs.some(({ deliveries }) => deliveries.length > 0);
  const rows = runs.map((run) => [
    ...[resultOf(run), ...whatAndWhen(run), run.runId],
    ...(isTold ? [deliveredOf(run)] : []),
    endingOf(run),
  ]);
  const head = ['OUTCOME', 'REVISION', 'STARTED', 'DURATION', 'RUN'];
  const told = isTold ? ['DELIVERED'] : [];
  return [table([[...head, ...told, 'HOW IT ENDED'], ...rows]), ...undelivered(runs)].join('\n');
}

const marks = { done: '✓', now: '▶', 'to do': '○' } as const;
const barWidth = 20;

function headLine({ canary, revision, state, running }: Status): string {
  const images = state === undefined ? '' : ` (${state.images.join(', ')})`;
  const phase = running ? `  ${state?.phase ?? 'starting'}` : '';
  const shown = revision === '' ? 'not known yet' : revision;
  return `${nameOf(canary)}  revision ${shown}${images}${phase}`;
}

function bar(weight: number): string {
  const filled = Math.round((weight / 100) * barWidth);
  return `${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)} ${weight}% canary`;
}

function checkLines({ state }: Status): string[] {
  const { lastCheck, checks = 0, failedChecks = 0 } = state ?? {};
  if (lastCheck === undefined) return [];
  const readings = 'readings' in lastCheck ? lastCheck.readings.map(readingText) : [];
  const failed = failedChecks === 0 ? '' : `, ${failedChecks} failed so far`;
  return [`check ${checks} ${verdictText(lastCheck)}${failed}`, ...readings];
}

function verdictText(check: CheckResult): string {
  return 'reason' in check ? `${check.verdict}: ${check.reason}` : check.verdict;
}

function readingText({ metric, value, threshold, passed }: MetricReading): string {
  const shown = value === undefined ? 'no data' : numberText(value);
  return `  ${passed ? '✓' : '✗'} ${metric} ${shown} (allowed ${threshold})`;
}

function waitLines({ why, troubles }: Status, now: number): string[] {
  const lines = troubles.map((trouble) => `! ${troubleText(trouble, now)}`);
  if (why === undefined) return lines;
  const { waitingFor, since, until, endsWhen } = why;
  const left = until === undefined ? '' : `, ${durationText(Math.max(0, until - now))} left`;
  const spent = `for ${durationText(Math.max(0, now - since))}`;
  return [`waits for ${waitingFor} (${spent}${left}); ends when ${endsWhen}`, ...lines];
}

/** What is wrong, in a sentence; with `now`, also when it is tried again. */
export function troubleText(trouble: Trouble, now?: number): string {
  switch (trouble.kind) {
    case 'no-worker':
      return `no worker answers on task queue ${trouble.taskQueue}: nothing moves until one does`;
    case 'workflow-task':
      return `the workflow's own code fails (${timesText(trouble.failures)}); see the worker's log`;
    case 'activity': {
      const { activity, failures, message, nextAttempt } = trouble;
      const next =
        nextAttempt === undefined || now === undefined
          ? ''
          : `; next attempt in ${durationText(Math.max(0, nextAttempt - now))}`;
      return `${activity} failed ${timesText(failures)}: ${message}${next}`;
    }
  }
}

function timesText(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

/** What tipped the scales, unless the message says so: a metric and its allowed range, or a person. */
function decidedText(
  { check, value, threshold, actor, reason = '' }: Cause,
  message: string,
): string {
  if (check !== undefined && value !== undefined) {
    return `${check} was ${numberText(value)}, allowed ${threshold ?? 'otherwise'}`;
  }
  const text = actor === undefined || message.includes(actor) ? '' : `by ${actor}`;
  return [text, message.includes(reason) ? '' : reason].filter((part) => part !== '').join(': ');
}

function resultOf({ running, phase, outcome }: RunShape): string {
  return (running ? phase : outcome) ?? 'starting';
}

function whatAndWhen({ revision, startedAt, durationSeconds }: RunShape): string[] {
  const duration = durationText(durationSeconds * 1_000);
  return [revision === '' ? '-' : revision, secondsOf(startedAt), duration];
}

/** A time in ISO 8601, to the second. */
function secondsOf(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z');
}

function endingOf({ message, cause }: RunShape): string {
  if (message === null) return '';
  return endingText({ message, ...(cause === null ? {} : { cause }) });
}

/** How much of what webhooks and people were to be told they were told. */
function deliveredOf({ deliveries }: HistoryShape): string {
  const delivered = deliveries.filter(({ outcome }) => outcome === 'delivered');
  return `${delivered.length}/${deliveries.length}`;
}

function undelivered(runs: readonly HistoryShape[]): string[] {
  return runs.flatMap(({ deliveries }) =>
    deliveries
      .filter(({ outcome }) => outcome !== 'delivered')
      .map(({ hook, event, outcome, attempts, fault, at }) => {
        const tried = outcome === 'given-up' ? ` after ${attempts} attempts` : '';
        const why = fault === null ? '' : `: ${fault}`;
        return `! ${secondsOf(at)} ${outcome} to ${hook}${tried}${why} (${event})`;
      }),
  );
}

function agoText(at: number, now: number): string {
  return `${durationText(Math.max(0, now - at))} ago`;
}

/** To the second below an hour, to the minute above. */
function durationText(ms: number): string {
  if (ms < 10_000) return formatDuration(Math.round(ms / 100) * 100);
  const step = ms < 3_600_000 ? 1_000 : 60_000;
  return formatDuration(Math.round(ms / step) * step).replace(/(\d[hm])0s$/, '$1');
}

function numberText(value: number): string {
  return String(Number(value.toFixed(3)));
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
