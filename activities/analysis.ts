import { Context } from '@temporalio/activity';
import { isDeepStrictEqual } from 'node:util';

import { closedGateText } from '../domain/alerts.js';
import type { Canary } from '../domain/canary.js';
import { closedStatus } from '../domain/gates.js';
import { hooksOf, hookTexts } from '../domain/hooks.js';
import { metricTexts } from '../domain/metric-texts.js';
import type { Shift } from '../domain/moves.js';
import { namesOf } from '../domain/names.js';
import type { KubeObject } from '../domain/objects.js';
import type { CheckResult, ClosedGate, MetricReading } from '../domain/release.js';
import { canaryUnderAnalysis } from './canaries.js';
import type { MoveInput } from './contract.js';
import type { Deps } from './deps.js';
import { askGates } from './gates.js';
import { judgeMetrics, type Findings, type Halt } from './metrics/judging.js';
import { perform, recordEvents, tell } from './reporting.js';
import { applyRoutes, liveRoutes, repairRoutes, type SeenRoutes } from './routing.js';
import { askHook } from './webhooks.js';
import { workloadOf } from './workloads/index.js';
import type { Workload } from './workloads/workload.js';

/** What a check has found by the time it makes the step that follows. */
interface Passed {
  readonly readings: readonly MetricReading[];
  readonly repaired: boolean;
}

/** Keeps what was found for the next attempt, should this one be cut off. */
type Remember = (found: Passed) => void;

/**
 * The `check` activity: is the target still the revision under analysis, are both workloads ready,
 * does no webhook ask for a rollback, are the routes as we left them, do the webhooks agree, and
 * are all metrics within their bounds? In this order, and the first "no" ends it. Then, if the gates
 * that follow are open, the step is made. What the cluster itself cannot answer now is thrown, to
 * be tried again.
 */
export async function check(
  deps: Deps,
  input: MoveInput<'check'>,
  remember: Remember,
): Promise<CheckResult> {
  const { cancellationSignal: signal, info } = Context.current();
  const ref = input.canary;
  const { canary, manifest } = await canaryUnderAnalysis(deps, ref, input.revision);
  const runId = info.workflowExecution?.runId ?? '';
  const round = { deps, input, canary, manifest, signal, key: `${runId}/${input.report.key}` };
  const startedAt = performance.now();
  try {
    return (await stepMadeBefore(round)) ?? (await checkOnce(round, remember));
  } finally {
    const seconds = (performance.now() - startedAt) / 1_000;
    deps.telemetry.checkTook({ ...ref, target: canary.target.name }, seconds);
  }
}

/** One attempt at one check. */
interface Round {
  readonly deps: Deps;
  readonly input: MoveInput<'check'>;
  readonly canary: Canary;
  /** What {@link canary} was read from. */
  readonly manifest: KubeObject;
  readonly signal: AbortSignal;
  /** What the keys of all calls of this check begin with. */
  readonly key: string;
  /** As they were found, or repaired. */
  readonly routes?: SeenRoutes;
}

/**
 * An attempt that was cut off after it had moved the traffic has judged everything: taking the
 * step back now would be wrong, so it is only told of. Undefined when there was no such attempt.
 */
async function stepMadeBefore(round: Round): Promise<CheckResult | undefined> {
  const { deps, canary, input } = round;
  const { info } = Context.current();
  const { step } = input.then;
  if (info.attempt === 1 || step === undefined) return undefined;
  // Where a step leaves the traffic as it is, nothing shows whether it was made.
  if (isDeepStrictEqual(step.routes, input.routes)) return undefined;
  if (!isDeepStrictEqual(await liveRoutes(deps, canary), step.routes)) return undefined;
  await makeStep(round, step);
  const found = info.heartbeatDetails as Passed | undefined;
  return { verdict: 'passed', ...(found ?? { readings: [], repaired: false }) };
}

async function checkOnce(round: Round, remember: Remember): Promise<CheckResult> {
  const { deps, canary, input, signal, manifest } = round;
  const workload = workloadOf(deps, canary);
  const trouble = (await workload.looksWell(input.revision))
    ? undefined
    : await troubleOf(workload, input.revision);
  if (trouble !== undefined) return trouble;
  const rollback = await rollbackAskedFor(round);
  if (rollback !== undefined) return { verdict: 'rollback', hook: rollback };
  signal.throwIfAborted();
  const { repaired, routes } = await repair(round);
  const { key, before: events = [] } = input.report;
  await recordEvents(deps, input.canary, { key: `${key}/before`, events, on: manifest });
  const { readings, halt } = await judged(round);
  if (halt !== undefined) return tellHalt(round, { readings, repaired }, halt);
  return goOn({ ...round, routes }, { readings, repaired }, remember);
}

/** Asks the rollback hooks; the first that agrees is the answer. */
async function rollbackAskedFor(round: Round): Promise<string | undefined> {
  const { deps, canary, input, signal, key, manifest } = round;
  const { phase = '' } = canary.status;
  for (const { hook, index } of hooksOf(canary, 'rollback')) {
    signal.throwIfAborted();
    const { ok } = await askHook(hook, { canary, phase, key: `${key}/${index}`, signal });
    const event = ok ? hookTexts.passed('rollback', hook.name) : hookTexts.noRollback(hook.name);
    const told = { key: `${input.report.key}/rollback/${index}`, events: [event], on: manifest };
    await recordEvents(deps, input.canary, told);
    if (ok) return hook.name;
  }
  return undefined;
}

/** Puts back what somebody changed in the routes, without touching the weight, and tells of it. */
async function repair({
  deps,
  canary,
  input,
  manifest,
}: Round): Promise<{ readonly repaired: boolean; readonly routes: SeenRoutes }> {
  const { drift, seen: routes } = await repairRoutes(deps, canary, input);
  if (drift === 'none') return { repaired: false, routes };
  const names = namesOf(canary);
  const event =
    drift === 'weights'
      ? metricTexts.weightRestored(names, input.routes.canary)
      : metricTexts.routesRestored(names, input.routes.canary);
  const told = { key: `${input.report.key}/repair`, events: [event], on: manifest };
  await recordEvents(deps, input.canary, told);
  return { repaired: true, routes };
}

/** Asks the hooks that are part of the check, and the metrics with those of the rollout. */
async function judged(round: Round): Promise<Findings> {
  const { deps, canary, input, signal } = round;
  if (input.hooks === 'none') return { readings: [] };
  const halt = await hooksHalt(round, input.hooks);
  if (halt !== undefined) return { readings: [], halt };
  if (input.hooks === 'pre-rollout') return { readings: [] };
  return judgeMetrics(deps, { ref: input.canary, canary, signal });
}

async function hooksHalt(
  { deps, canary, input, signal, key, manifest }: Round,
  type: 'pre-rollout' | 'rollout',
): Promise<Halt | undefined> {
  for (const { hook, index } of hooksOf(canary, type)) {
    signal.throwIfAborted();
    const occasion = { canary, phase: 'Progressing', key: `${key}/${index}`, signal } as const;
    const answer = await askHook(hook, occasion);
    if (!answer.ok) {
      const reason = hookTexts.failed(namesOf(canary), type, hook.name, answer.error);
      return { check: hook.name, reason };
    }
    if (type === 'rollout') continue;
    const events = [hookTexts.passed(type, hook.name)];
    const told = { key: `${input.report.key}/hook/${index}`, events, on: manifest };
    await recordEvents(deps, input.canary, told);
  }
  return undefined;
}

async function tellHalt(
  { deps, input, manifest }: Round,
  found: Passed,
  { check, reason, policy }: Halt,
): Promise<CheckResult> {
  const { key, status } = input.report;
  if (policy !== undefined) {
    const events = [metricTexts.undecided(reason, policy)];
    await recordEvents(deps, input.canary, { key: `${key}/undecided`, events, on: manifest });
    return { verdict: 'undecided', ...found, policy, check, reason };
  }
  const report = {
    key: `${key}/failed`,
    before: [{ type: 'Warning', message: reason }],
    status: { ...status, failedChecks: input.failedChecks + 1 },
  } as const;
  await tell(deps, { canary: input.canary, report, on: manifest });
  return { verdict: 'failed', ...found, check, reason };
}

/** What follows a check that passed: the gates, and the step if they are open. */
async function goOn(round: Round, found: Passed, remember: Remember): Promise<CheckResult> {
  const closed = await closedGate(round);
  if (closed !== undefined) {
    await tellClosed(round, closed);
    return { verdict: 'passed', ...found, closed };
  }
  round.signal.throwIfAborted();
  if (round.input.then.step !== undefined) {
    remember(found);
    await makeStep(round, round.input.then.step);
  }
  return { verdict: 'passed', ...found };
}

async function closedGate(round: Round): Promise<ClosedGate | undefined> {
  const { deps, input, canary, signal, key, manifest } = round;
  for (const type of input.then.gates) {
    const closed = await askGates(deps, type, {
      ...{ canary, key, signal, phase: 'Progressing', on: manifest },
      ref: input.canary,
      reportKey: input.report.key,
    });
    if (closed !== undefined) return closed;
  }
  return undefined;
}

/** A closed gate is told of once, not at every check. */
async function tellClosed(
  { deps, input, canary, manifest }: Round,
  gate: ClosedGate,
): Promise<void> {
  if (isDeepStrictEqual(gate, input.then.told)) return;
  const status = closedStatus(gate);
  const after = [closedGateText(canary, gate, input.revision)];
  const report = { key: `${input.report.key}/closed`, status, after };
  await tell(deps, { canary: input.canary, report, on: manifest });
}

async function makeStep(round: Round, step: Shift): Promise<void> {
  const { deps, canary, input, manifest, routes } = round;
  const told = { canary: input.canary, report: step.report, on: manifest };
  await perform(deps, told, () => applyRoutes(deps, canary, step, routes));
}

/** A watch can lag behind, so bad news is had from the API server itself before it is believed. */
async function troubleOf(workload: Workload, expected: string): Promise<CheckResult | undefined> {
  const { revision } = await workload.target();
  if (revision !== expected) return { verdict: 'changed', revision };
  for (const role of ['primary', 'canary'] as const) {
    const readiness = await workload.readiness(role);
    if (readiness.ready) continue;
    const { hopeless, reason } = readiness;
    return { verdict: hopeless ? 'hopeless' : 'unready', role, reason };
  }
  return undefined;
}
