import type { Canary, Metric, UnansweredPolicy } from './canary.js';
import { formatDuration } from './duration.js';
import { namesOf } from './names.js';
import { formatNumber } from './number.js';
import type { MetricReading } from './release.js';

/** What a metric provider answered. That it did not answer at all is an error, not a measurement. */
export type Measurement =
  | {
      readonly kind: 'value';
      readonly value: number;
      /** How many requests or points the value rests on, where the provider tells. */
      readonly samples?: number;
    }
  | { readonly kind: 'no-data' };

type Measured = Extract<Measurement, { kind: 'value' }>;

/** How a metric is asked for. It decides the unit, which way the plain threshold cuts, and the texts. */
export type MetricKind = 'success-rate' | 'duration' | 'inline' | 'template';

/** A metric of a Canary and how it was asked for. */
export interface Question {
  readonly canary: Canary;
  readonly metric: Metric;
  readonly kind: MetricKind;
}

/**
 * A reading; `halt` is the sentence of the event when the metric did not pass. With a `policy` it
 * has not failed either: the check is to be repeated.
 */
export interface Judgement {
  readonly reading: MetricReading;
  readonly halt?: string;
  readonly policy?: Extract<UnansweredPolicy, 'hold' | 'extend'>;
}

/**
 * Judges one measurement: bounds are inclusive. Values are percent, ms, or raw. No data, or fewer
 * samples than the metric asks for, means what its `onNoData` says.
 */
export function judge(question: Question, measurement: Measurement): Judgement {
  const { metric, kind } = question;
  if (measurement.kind === 'no-data') {
    return withoutValue(question, noValues(question), metric.onNoData);
  }
  const missing = missingIn(question, measurement);
  if (missing !== undefined) return withoutValue(question, missing, metric.onNoData);
  const limits = limitsOf(question);
  const reading = { metric: metric.name, threshold: describe(kind, limits) };
  const value = kind === 'duration' ? Math.trunc(measurement.value) : measurement.value;
  const crossed = crossing(limits, value);
  if (crossed === undefined) return { reading: { ...reading, value, passed: true } };
  return {
    reading: { ...reading, value, passed: false },
    halt: `Halt ${namesOf(question.canary).canary} advancement ${subjectOf(question)} ${printValue(kind, value)} ${crossed.sign} ${printBound(kind, crossed.bound)}`,
  };
}

/** Judges a metric that could not be asked for, as its `onProviderError` says. */
export function unanswered(question: Question, halt: string): Judgement {
  return withoutValue(question, halt, question.metric.onProviderError);
}

function withoutValue(question: Question, halt: string, policy: UnansweredPolicy): Judgement {
  const threshold = describe(question.kind, limitsOf(question));
  const reading = { metric: question.metric.name, threshold, passed: policy === 'ignore' };
  switch (policy) {
    case 'ignore':
      return { reading };
    case 'fail':
      return { reading, halt };
    case 'hold':
    case 'extend':
      return { reading, halt, policy };
  }
}

/** The sentence about a measurement that says too little; undefined when it is enough to judge by. */
function missingIn(question: Question, { value, samples }: Measured): string | undefined {
  // Infinity and NaN are no measurements: they would pass or fail a bound by accident.
  if (!Number.isFinite(value)) return noValues(question);
  const { metric, canary } = question;
  const { minRequests = 0 } = metric;
  return samples !== undefined && samples < minRequests
    ? `Halt ${namesOf(canary).canary} advancement ${subjectOf(question)} rests on ${formatNumber(samples)} of at least ${formatNumber(minRequests)} requests`
    : undefined;
}

interface Limits {
  readonly min?: number;
  readonly max?: number;
}

/** A range counts alone; the plain threshold is a minimum for success rates, else a maximum. */
function limitsOf({ metric: { range, threshold }, kind }: Question): Limits {
  const limits = range ?? (kind === 'success-rate' ? { min: threshold } : { max: threshold });
  return kind === 'duration' ? wholeMilliseconds(limits) : limits;
}

function wholeMilliseconds({ min, max }: Limits): Limits {
  return {
    ...(min === undefined ? {} : { min: Math.trunc(min) }),
    ...(max === undefined ? {} : { max: Math.trunc(max) }),
  };
}

function crossing(
  { min, max }: Limits,
  value: number,
): { readonly sign: '<' | '>'; readonly bound: number } | undefined {
  if (min !== undefined && value < min) return { sign: '<', bound: min };
  if (max !== undefined && value > max) return { sign: '>', bound: max };
  return undefined;
}

function describe(kind: MetricKind, { min, max }: Limits): string {
  const bounds = [
    ...(min === undefined ? [] : [`>= ${printBound(kind, min)}`]),
    ...(max === undefined ? [] : [`<= ${printBound(kind, max)}`]),
  ];
  return bounds.length === 0 ? 'any' : bounds.join(' and ');
}

function subjectOf({ metric, kind }: Question): string {
  if (kind === 'success-rate') return 'success rate';
  return kind === 'duration' ? 'request duration' : metric.name;
}

function printValue(kind: MetricKind, value: number): string {
  if (kind === 'duration') return formatDuration(value);
  return kind === 'success-rate' ? `${value.toFixed(2)}%` : value.toFixed(2);
}

function printBound(kind: MetricKind, bound: number): string {
  if (kind === 'duration') return formatDuration(bound);
  return kind === 'success-rate' ? `${formatNumber(bound)}%` : formatNumber(bound);
}

function noValues({ canary, metric, kind }: Question): string {
  const found = 'Halt advancement no values found for';
  if (kind === 'inline') return `${found} metric: ${metric.name}`;
  if (kind === 'template') return `${found} custom metric: ${metric.name}: no values found`;
  const silent = `${found} ${canary.provider} metric ${metric.name} probably ${namesOf(canary).target} is not receiving traffic`;
  return kind === 'duration' ? silent : `${silent}: running query failed: no values found`;
}
