import { collectDefaultMetrics, Counter, Gauge, Histogram, type Registry } from 'prom-client';

import type { Telemetry } from '../activities/deps.js';
import type { Phase } from '../domain/canary.js';
import type { Outcome } from '../domain/release.js';
import type { CanaryCache, CanaryObject } from './canary-cache.js';
import type { Sending } from './wanted.js';

/** The metrics of the process: those activities bump, and those the worker itself counts. */
export interface WorkerTelemetry extends Telemetry {
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

/**
 * Registers the metrics of Flagger, with its names, labels and values (`name` is the target's), and
 * those of our own, which start with `sluice_` (`name` is the canary's).
 */
export function createTelemetry(options: TelemetryOptions): WorkerTelemetry {
  const { registry } = options;
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  registerGauges(options);

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
    watchSent: (kind) => signals.inc({ kind }),
    async forget({ metadata: { name, namespace = '' }, spec: { targetRef } }) {
      await Promise.all([
        ...[measured, checkSeconds, successes, failures].map((metric) =>
          removeSeries(metric, { namespace, name: targetRef.name }),
        ),
        ...[releases, releaseSeconds, waitSeconds].map((metric) =>
          removeSeries(metric, { namespace, name }),
        ),
      ]);
    },
  };
}

/** The gauges that are read off the Canaries at each scrape, so that none outlives its canary. */
function registerGauges({ registry, canaries, version, meshProvider }: TelemetryOptions): void {
  const registers = [registry];
  new Gauge({
    name: 'flagger_info',
    help: 'Version and default traffic provider',
    labelNames: ['version', 'mesh_provider'],
    registers,
  }).set({ version, mesh_provider: meshProvider }, 1);
  new Gauge({
    name: 'flagger_canary_total',
    help: 'Number of canaries',
    labelNames: ['namespace'],
    registers,
    collect() {
      this.reset();
      for (const { metadata } of canaries.values()) {
        this.inc({ namespace: metadata.namespace ?? '' });
      }
    },
  });
  new Gauge({
    name: 'flagger_canary_status',
    help: 'Last canary analysis result: 0 running, 1 successful, 2 failed',
    labelNames: ['name', 'namespace'],
    registers,
    collect() {
      this.reset();
      for (const { metadata, spec, status } of canaries.values()) {
        const { namespace = '' } = metadata;
        this.set({ name: spec.targetRef.name, namespace }, statusValue(status?.phase));
      }
    },
  });
  new Gauge({
    name: 'flagger_canary_weight',
    help: 'Percent of the traffic at a workload',
    labelNames: ['workload', 'namespace'],
    registers,
    collect() {
      this.reset();
      for (const { metadata, spec, status } of canaries.values()) {
        const { namespace = '' } = metadata;
        const weight = status?.canaryWeight ?? 0;
        this.set({ workload: `${spec.targetRef.name}-primary`, namespace }, 100 - weight);
        this.set({ workload: spec.targetRef.name, namespace }, weight);
      }
    },
  });
}

/** Flagger's numbers: alerts are written against `> 1`. */
function statusValue(phase: Phase | undefined): 0 | 1 | 2 {
  if (phase === 'Progressing') return 0;
  return phase === 'Failed' ? 2 : 1;
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
