import { Context } from '@temporalio/activity';

import type { Canary } from '../domain/canary.js';
import { metricTexts } from '../domain/metric-texts.js';
import type { EventText } from '../domain/moves.js';
import { namesOf } from '../domain/names.js';
import { readinessOf } from '../domain/readiness.js';
import type { CheckResult, MetricReading } from '../domain/release.js';
import { judge, unanswered, type Judgement, type Question } from '../domain/threshold.js';
import { readCanary } from './canaries.js';
import type { Activities, MoveInput } from './contract.js';
import type { Deps } from './deps.js';
import { isBuiltIn, measure, metricsServerOf, questionsOf, Unmeasured } from './metrics/measure.js';
import type { MetricProvider } from './metrics/provider.js';
import { messageOf, openTemplate, TemplateTrouble } from './metrics/templates.js';
import { tell } from './reporting.js';
import { revisionOf } from './revision.js';
import { repairRoutes } from './routing.js';
import { workloadOf } from './workloads/index.js';
import type { Workload } from './workloads/workload.js';

/**
 * The `check` activity: is the target still the revision under analysis, are both workloads ready,
 * are the routes as we left them, and are all metrics within their bounds? In this order, and the
 * first "no" ends it. Only metrics make a check fail; what the cluster itself cannot answer now is
 * thrown, to be tried again.
 */
export function createCheck(deps: Deps): Activities['check'] {
  return async (input) => {
    const canary = await readCanary(deps, input.canary);
    const subject = { ...input.canary, target: canary.target.name };
    const startedAt = performance.now();
    try {
      return await check(deps, canary, input);
    } finally {
      deps.telemetry.checkTook(subject, (performance.now() - startedAt) / 1_000);
    }
  };
}

/**
 * Asks every metric provider of a Canary whether it is there, for the event that tells so while
 * the canary is initialised. Undefined when the analysis is skipped anyway.
 */
export async function probeProviders(deps: Deps, canary: Canary): Promise<EventText | undefined> {
  if (canary.skipAnalysis) return undefined;
  const signal = Context.current().cancellationSignal;
  try {
    await pingAll(deps, canary, signal);
    return metricTexts.available;
  } catch (error) {
    signal.throwIfAborted();
    const lead = error instanceof TemplateTrouble ? 'metric ' : '';
    return metricTexts.unavailable(`${lead}${messageOf(error)}`);
  }
}

type CheckInput = MoveInput<'check'>;

async function check(deps: Deps, canary: Canary, input: CheckInput): Promise<CheckResult> {
  const trouble = looksWell(deps, canary, input.revision)
    ? undefined
    : await troubleOf(workloadOf(deps, canary), input.revision);
  return trouble ?? (await judgeMetrics(deps, canary, input));
}

/** Judges both workloads as the watch last saw them, which costs no call. */
function looksWell({ deployments }: Deps, canary: Canary, revision: string): boolean {
  const { namespace, analysis } = canary;
  const { targetWorkload, primaryWorkload } = namesOf(canary);
  const target = deployments.get({ namespace, name: targetWorkload });
  const primary = deployments.get({ namespace, name: primaryWorkload });
  return (
    target !== undefined &&
    primary !== undefined &&
    revisionOf(target.spec.template) === revision &&
    readinessOf(primary, analysis.primaryReadyThreshold).ready &&
    readinessOf(target, analysis.canaryReadyThreshold).ready
  );
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

async function judgeMetrics(deps: Deps, canary: Canary, input: CheckInput): Promise<CheckResult> {
  const repaired = await repair(deps, canary, input);
  const readings: MetricReading[] = [];
  // Without traffic there is nothing to measure.
  for (const question of input.routes.canary === 0 ? [] : questionsOf(canary)) {
    const { reading, halt } = await answer(deps, input, question);
    readings.push(reading);
    if (halt === undefined) continue;
    await tell(deps, input.canary, {
      ...input.report,
      before: [...(input.report.before ?? []), { type: 'Warning', message: halt }],
      status: { ...input.report.status, failedChecks: input.failedChecks + 1 },
    });
    return { verdict: 'failed', readings, repaired, check: question.metric.name, reason: halt };
  }
  return { verdict: 'passed', readings, repaired };
}

/** Puts back what somebody changed in the routes, without touching the weight, and tells of it. */
async function repair(
  deps: Deps,
  canary: Canary,
  { routes, report, canary: ref }: CheckInput,
): Promise<boolean> {
  const drift = await repairRoutes(deps, canary, routes);
  if (drift === 'none') return false;
  const names = namesOf(canary);
  const event =
    drift === 'weights'
      ? metricTexts.weightRestored(names, routes.canary)
      : metricTexts.routesRestored(names, routes.canary);
  await tell(deps, ref, { key: `${report.key}/repair`, before: [event] });
  return true;
}

async function answer(deps: Deps, input: CheckInput, question: Question): Promise<Judgement> {
  const { canary, metric, kind } = question;
  try {
    const measurement = await measure(deps, question, Context.current().cancellationSignal);
    if (measurement.kind === 'value') {
      const value = kind === 'duration' ? measurement.value / 1_000 : measurement.value;
      const subject = { ...input.canary, target: canary.target.name };
      deps.telemetry.metricMeasured(subject, metric.name, value);
    }
    return judge(question, measurement);
  } catch (error) {
    if (error instanceof Unmeasured) return unanswered(question, error.message);
    throw error;
  }
}

async function pingAll(deps: Deps, canary: Canary, signal: AbortSignal): Promise<void> {
  for (const metric of canary.analysis.metrics) {
    if (isBuiltIn(metric)) {
      const provider = metricsServerOf(deps, canary);
      await ping(provider, 'prometheus', signal);
    } else if (metric.template !== undefined) {
      const { provider, type, title } = await openTemplate(deps.kube, metric.template, signal);
      await ping(provider, `${type} in metric template ${title}`, signal);
    }
  }
}

async function ping(provider: MetricProvider, what: string, signal: AbortSignal): Promise<void> {
  try {
    await provider.ping(signal);
  } catch (error) {
    throw new Error(metricTexts.notAvailable(what, messageOf(error)), { cause: error });
  }
}
