import type { Canary } from '../../domain/canary.js';
import type { CanaryRef, MetricReading } from '../../domain/release.js';
import { judge, unanswered, type Judgement, type Question } from '../../domain/threshold.js';
import type { Deps } from '../deps.js';
import { measure, questionsOf, Unmeasured } from './measure.js';

/** What the metrics of a check say together; without `halt` they have all passed. */
export interface Findings {
  readonly readings: readonly MetricReading[];
  readonly halt?: Halt;
}

/** Why a check did not pass; with a policy it is to be repeated, without one it has failed. */
export interface Halt {
  /** The metric, or the hook. */
  readonly check: string;
  /** The sentence of the event. */
  readonly reason: string;
  readonly policy?: Judgement['policy'];
}

/**
 * Asks the metrics of a Canary in order. The first that fails ends it. One that could not be judged
 * does not, because a later one may fail; of several, one that may not wait for ever decides.
 */
export async function judgeMetrics(
  deps: Deps,
  { ref, canary, signal }: { ref: CanaryRef; canary: Canary; signal: AbortSignal },
): Promise<Findings> {
  const readings: MetricReading[] = [];
  let undecided: Halt | undefined;
  for (const question of questionsOf(canary)) {
    signal.throwIfAborted();
    const { reading, halt, policy } = await answer(deps, ref, question, signal);
    readings.push(reading);
    if (halt === undefined) continue;
    const found = { check: question.metric.name, reason: halt };
    if (policy === undefined) return { readings, halt: found };
    if (undecided === undefined || (policy === 'extend' && undecided.policy === 'hold')) {
      undecided = { ...found, policy };
    }
  }
  return { readings, ...(undecided === undefined ? {} : { halt: undecided }) };
}

async function answer(
  deps: Deps,
  ref: CanaryRef,
  question: Question,
  signal: AbortSignal,
): Promise<Judgement> {
  const { canary, metric, kind } = question;
  try {
    const measurement = await measure(deps, question, signal);
    if (measurement.kind === 'value') {
      const value = kind === 'duration' ? measurement.value / 1_000 : measurement.value;
      deps.telemetry.metricMeasured({ ...ref, target: canary.target.name }, metric.name, value);
    }
    return judge(question, measurement);
  } catch (error) {
    if (error instanceof Unmeasured) return unanswered(question, error.message);
    throw error;
  }
}
