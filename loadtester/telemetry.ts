import { collectDefaultMetrics, Counter, Gauge, Histogram, type Registry } from 'prom-client';

import { taskTypes } from './tasks/index.js';
import type { TaskType } from './tasks/task.js';

/** Counts tasks, by type only: what else a task has may be secret or endless. */
export interface Telemetry {
  started(type: TaskType): void;
  ended(type: TaskType, ok: boolean, seconds: number): void;
  /** A request for what runs already; it was skipped, or waits for that run. */
  twin(type: TaskType): void;
}

/** A tenth of a second to an hour, the limit of a task unless it is set. */
const buckets = [0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600];

/** Registers the metrics of the process. Every type has its series from the start. */
export function createTelemetry(registry: Registry): Telemetry {
  const shared = { labelNames: ['type'] as const, registers: [registry] };
  collectDefaultMetrics({ register: registry });
  const running = new Gauge({
    name: 'sluice_loadtester_tasks_running',
    help: 'Tasks that run now',
    ...shared,
  });
  const done = new Counter({
    name: 'sluice_loadtester_tasks_done_total',
    help: 'Tasks that ended well',
    ...shared,
  });
  const failed = new Counter({
    name: 'sluice_loadtester_tasks_failed_total',
    help: 'Tasks that failed or were ended at their time-out',
    ...shared,
  });
  const twins = new Counter({
    name: 'sluice_loadtester_tasks_twins_total',
    help: 'Requests for what ran already, which were skipped or wait for that run',
    ...shared,
  });
  const seconds = new Histogram({
    name: 'sluice_loadtester_task_duration_seconds',
    help: 'Seconds a task took',
    buckets,
    ...shared,
  });
  for (const type of taskTypes) {
    running.set({ type }, 0);
    for (const counter of [done, failed, twins]) counter.inc({ type }, 0);
    seconds.zero({ type });
  }
  return {
    started: (type) => running.inc({ type }),
    ended(type, ok, took) {
      running.dec({ type });
      (ok ? done : failed).inc({ type });
      seconds.observe({ type }, took);
    },
    twin: (type) => twins.inc({ type }),
  };
}
