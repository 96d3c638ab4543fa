import { collectDefaultMetrics, Counter, Gauge, Histogram, type Registry } from 'prom-client';

import type { Telemetry } from '../activities/deps.js';
import type { DeliveryOutcome } from '../domain/deliveries.js';
import type { CanaryRef, Outcome } from '../domain/release.js';
import type { ActivityCounters } from './activity-counters.js';
import type { CanaryCache, CanaryObject } from './canary-cache.js';
import { registerCanaryGauges } from './canary-gauges.js';
import type { Sending } from './wanted.js';

/** The metrics of the process: those activities bump, and those the worker itself counts. */
export interface WorkerTelemetry extends Telemetry, ActivityCounters {
  /** Something was sent to a release: it was started, told of a change, or started again. */
  watchSent(kind: Sending): void;
  /** Removes every series of a canary that was deleted. */
  forget(canary: CanaryObject): Promise<void>;
}

export interface TelemetryOptions {
  readonly registry: Registry;
  readonly canaries: Pick<CanaryCache, 'values'>;
  readonly version: string;
  readonly meshProvider: string;
}

/** Ten seconds to a day: from a skipped analysis to a release that waited for somebody overnight. */
const releaseBuckets = [
  10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400,
];
/** A person may answer at once. */
const waitBuckets = [1, ...releaseBuckets];
/** Ten milliseconds, at rest, to ten minutes, behind a queue that hardly moves. */
const delayBuckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

/** What has a series from the start, or else `increase` would not see the first of its kind. */
const watchedOutcomes = [
  'promoted',
  'rolled-back',
  'promotion-failed',
  'failed',
  'superseded',
] as const satisfies readonly Outcome[];
const deliveryOutcomes = [
  'delivered',
  'given-up',
  'dropped',
] as const satisfies readonly DeliveryOutcome[];

/**
 * Registers the metrics of Flagger, with its names, labels and values (`name` is the target's), and
 * those of our own, which start with `sluice_` (`name` is the canary's).
 */
export function createTelemetry(options: TelemetryOptions): WorkerTelemetry {
  const { registry, canaries } = options;
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  registerCanaryGauges(options);

  const measured = new Gauge({
    name: 'flagger_canary_metric_analysis',
    help: 'Last value of each metric of the canary analysis',
    labelNames: ['name', 'namespace', 'metric'],
    registers,
  });
  const checkSeconds = new Histogram({
    name: 'flagger_canary_duration_seconds',
    help: 'Seconds spent performing one canary analysis check',
    labelNames: ['name', 'namespace'],
    registers,
  });
  const ends = ['name', 'namespace', 'deployment_strategy', 'analysis_status'] as const;
  const successes = new Counter({
    name: 'flagger_canary_successes_total',
    help: 'Number of canaries that were promoted',
    labelNames: ends,
    registers,
  });
  const failures = new Counter({
    name: 'flagger_canary_failures_total',
    help: 'Number of canaries that failed',
    labelNames: ends,
    registers,
  });
  const releaseLabels = ['namespace', 'name', 'outcome'] as const;
  const releases = new Counter({
    name: 'sluice_releases_total',
    help: 'Releases that ended',
    labelNames: releaseLabels,
    registers,
    collect() {
      for (const { namespace, name } of refsOf(canaries)) {
        for (const outcome of watchedOutcomes) this.inc({ namespace, name, outcome }, 0);
      }
    },
  });
  const releaseSeconds = new Histogram({
    name: 'sluice_release_duration_seconds',
    help: 'Seconds from the start of a release to its end',
    labelNames: releaseLabels,
    buckets: releaseBuckets,
    registers,
  });
  const waitSeconds = new Histogram({
    name: 'sluice_release_people_wait_seconds',
    help: 'Seconds of a release spent waiting for people',
    labelNames: releaseLabels,
    buckets: waitBuckets,
    registers,
  });
  const signals = new Counter({
    name: 'sluice_watch_signals_total',
    help: 'What the watch sent to releases',
    labelNames: ['kind'],
    registers,
  });

  const deliveries = new Counter({
    name: 'sluice_deliveries_total',
    help: 'Events and alerts that came to their end, by what became of them',
    labelNames: ['namespace', 'name', 'outcome'],
    registers,
    collect() {
      for (const { namespace, name } of refsOf(canaries)) {
        for (const outcome of deliveryOutcomes) this.inc({ namespace, name, outcome }, 0);
      }
    },
  });
  const startDelays = new Histogram({
    name: 'sluice_activity_start_delay_seconds',
    help: 'Seconds from when an attempt of an activity was due to when it began',
    labelNames: ['activity'],
    buckets: delayBuckets,
    registers,
  });
  const activityFailures = new Counter({
    name: 'sluice_activity_failures_total',
    help: 'Attempts of activities that failed; most are repeated',
    labelNames: ['activity'],
    registers,
  });

  return {
    metricMeasured({ namespace, target }, metric, value) {
      measured.set({ name: target, namespace, metric }, value);
    },
    checkTook({ namespace, target }, seconds) {
      checkSeconds.observe({ name: target, namespace }, seconds);
    },
    releaseEnded({ namespace, name, target }, ended) {
      const { outcome, skippedAnalysis, seconds, waitedForPeopleSeconds } = ended;
      const labels = { namespace, name, outcome };
      releases.inc(labels);
      releaseSeconds.observe(labels, seconds);
      waitSeconds.observe(labels, waitedForPeopleSeconds);
      const flagger = { name: target, namespace, deployment_strategy: 'canary' };
      if (outcome === 'promoted') {
        successes.inc({ ...flagger, analysis_status: skippedAnalysis ? 'skipped' : 'completed' });
      } else if (isFailure(outcome)) {
        failures.inc({ ...flagger, analysis_status: 'completed' });
      }
    },
    activityBegan(activity, delaySeconds) {
      startDelays.observe({ activity }, delaySeconds);
      activityFailures.inc({ activity }, 0);
    },
    activityFailed: (activity) => activityFailures.inc({ activity }),
    deliveryEnded: ({ namespace, name }, outcome) => deliveries.inc({ namespace, name, outcome }),
    watchSent: (kind) => signals.inc({ kind }),
    async forget({ metadata: { name, namespace = '' }, spec: { targetRef } }) {
      await Promise.all([
        ...[measured, checkSeconds, successes, failures].map((metric) =>
          removeSeries(metric, { namespace, name: targetRef.name }),
        ),
        ...[releases, releaseSeconds, waitSeconds, deliveries].map((metric) =>
          removeSeries(metric, { namespace, name }),
        ),
      ]);
    },
  };
}

function refsOf(canaries: TelemetryOptions['canaries']): readonly Omit<CanaryRef, 'cluster'>[] {
  return [...canaries.values()].map(({ metadata: { namespace = '', name } }) => ({
    namespace,
    name,
  }));
}

function isFailure(outcome: Outcome): boolean {
  return outcome === 'rolled-back' || outcome === 'promotion-failed' || outcome === 'failed';
}

async function removeSeries(
  metric: Gauge | Counter | Histogram,
  of: Readonly<Record<string, string>>,
): Promise<void> {
  const { values } = await metric.get();
  for (const { labels } of values) {
    const { le: _, ...series } = labels as Record<string, string | number>;
    if (Object.entries(of).every(([key, value]) => series[key] === value)) metric.remove(series);
  }
}
