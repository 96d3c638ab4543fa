import * as units from '@grafana/grafana-foundation-sdk/units';

import type { DashboardPlan, Panel, Row } from './plan.js';

const window = '[$__rate_interval]';
const scope = 'namespace=~"${namespace}"';
/** Every replica of the worker says the same of a canary. */
const canaries = (series: string): string => `max by (namespace, name, phase) (${series})`;
const inPhase = (phases: string): string =>
  canaries(`sluice_canary_phase{${scope}, phase=~"${phases}"}`);
const underWay = inPhase('Initializing|Waiting|Progressing|WaitingPromotion|Promoting|Finalising');
/** What every process exports, of the workers alone. */
const ofWorkers = (series: string): string => `${series} and on (job, instance) flagger_info`;

/** The controller itself: what it has to do, whether it keeps up, and what goes wrong. */
export const sluiceDashboard: DashboardPlan = {
  uid: 'sluice',
  title: 'Sluice',
  description: 'Releases and the workers that carry them out.',
  tags: ['sluice'],
  variables: [
    {
      name: 'namespace',
      label: 'Namespace',
      query: 'label_values(sluice_canary_info, namespace)',
      all: true,
    },
  ],
  rows: [
    { title: 'Now', panels: now() },
    { title: 'Releases that ended', panels: endings() },
    { title: 'Checks and deliveries', panels: checks() },
    { title: 'Workers', panels: workers() },
    temporal(),
    loadTester(),
  ],
};

function now(): readonly Panel[] {
  const count = (of: string): string => `count(${of}) or vector(0)`;
  const number = { unit: units.NoUnit, width: 6, shape: 'number' } as const;
  return [
    {
      title: 'Releases under way',
      description: 'Canaries that are being initialised, analysed, promoted, or wait for approval.',
      queries: { releases: count(underWay) },
      ...number,
    },
    {
      title: 'Waiting for approval',
      description:
        'Canaries in the phases Waiting and WaitingPromotion; sluice why says for whom or what.',
      queries: { releases: count(inPhase('Waiting|WaitingPromotion')) },
      ...number,
      colours: [
        [null, 'green'],
        [1, 'blue'],
      ],
    },
    {
      title: 'Failed canaries',
      description: 'Canaries whose last release failed or was rolled back.',
      queries: {
        canaries: count(`max by (namespace, name) (flagger_canary_status{${scope}}) > 1`),
      },
      ...number,
      colours: [
        [null, 'green'],
        [1, 'red'],
      ],
    },
    {
      title: 'Workers',
      description: 'Worker processes that Prometheus reaches.',
      queries: { workers: count('flagger_info') },
      ...number,
      colours: [
        [null, 'red'],
        [1, 'green'],
      ],
    },
    {
      title: 'Canaries by phase',
      description: 'How many canaries are in each phase.',
      unit: units.NoUnit,
      queries: {
        '{{phase}}': `count by (phase) (${canaries(`sluice_canary_phase{${scope}}`)})`,
      },
      width: 12,
      shape: 'stack',
    },
    {
      title: 'Time since the last change of releases under way',
      description:
        'Since phase, weight or failed checks changed. What grows for longer than an interval waits: for a person, for pods, or for somebody to mend a manifest.',
      unit: units.Seconds,
      queries: {
        '{{name}}.{{namespace}}': `time() - max by (namespace, name) (sluice_canary_last_transition_timestamp_seconds{${scope}}) and on (namespace, name) ${underWay}`,
      },
      width: 12,
    },
  ];
}

function endings(): readonly Panel[] {
  const quantile = (part: number): string =>
    `histogram_quantile(${String(part)}, sum by (le) (sluice_release_duration_seconds_bucket{${scope}, outcome="promoted"}))`;
  return [
    {
      title: 'Outcomes',
      description: 'Releases that ended in the last hour, by how.',
      unit: units.NoUnit,
      queries: {
        '{{outcome}}': `sum by (outcome) (increase(sluice_releases_total{${scope}}[1h]))`,
      },
      width: 8,
      shape: 'stack',
    },
    {
      title: 'Durations of promoted releases',
      description: 'Half and 90% of the releases promoted since the workers started took at most.',
      unit: units.Seconds,
      queries: { P50: quantile(0.5), P90: quantile(0.9) },
      width: 8,
    },
    {
      title: 'Time spent waiting for people',
      description: 'Mean of a release, since the workers started, by outcome.',
      unit: units.Seconds,
      queries: {
        '{{outcome}}': `sum by (outcome) (sluice_release_people_wait_seconds_sum{${scope}}) / sum by (outcome) (sluice_release_people_wait_seconds_count{${scope}})`,
      },
      width: 8,
    },
  ];
}

function checks(): readonly Panel[] {
  const quantile = (part: number, buckets: string): string =>
    `histogram_quantile(${String(part)}, sum by (le) (rate(${buckets}${window})))`;
  const took = `flagger_canary_duration_seconds_bucket{${scope}}`;
  const delays = 'sluice_activity_start_delay_seconds_bucket{activity="check"}';
  return [
    {
      title: 'Checks',
      description: 'Checks of analyses per second.',
      unit: units.OpsPerSecond,
      queries: { checks: `sum(rate(flagger_canary_duration_seconds_count{${scope}}${window}))` },
      width: 8,
    },
    {
      title: 'Check durations',
      description:
        'How long half and 99% of the checks took at most: metrics, webhooks and the step.',
      unit: units.Seconds,
      queries: { P50: quantile(0.5, took), P99: quantile(0.99, took) },
      width: 8,
    },
    {
      title: 'Check lateness',
      description:
        'How long half and 99% of the checks lay in the task queue before a worker began them. More than a second: the workers have too much to do.',
      unit: units.Seconds,
      queries: { P50: quantile(0.5, delays), P99: quantile(0.99, delays) },
      width: 8,
    },
    {
      title: 'Failed attempts of activities',
      description:
        'Per second, by activity. Most are repeated; what keeps failing holds releases up.',
      unit: units.OpsPerSecond,
      queries: {
        '{{activity}}': `sum by (activity) (rate(sluice_activity_failures_total${window}))`,
      },
      width: 8,
    },
    {
      title: 'Deliveries',
      description: 'Events and alerts in the last hour, by what became of them.',
      unit: units.NoUnit,
      queries: {
        '{{outcome}}': `sum by (outcome) (increase(sluice_deliveries_total{${scope}}[1h]))`,
      },
      width: 8,
      shape: 'stack',
    },
    {
      title: 'Messages from the watch',
      description: 'What the watch of the cluster sent to releases, per second, by kind.',
      unit: units.OpsPerSecond,
      queries: { '{{kind}}': `sum by (kind) (rate(sluice_watch_signals_total${window}))` },
      width: 8,
    },
  ];
}

function workers(): readonly Panel[] {
  return [
    {
      title: 'CPU',
      description: 'Processor cores each worker uses.',
      unit: units.Short,
      queries: { '{{instance}}': ofWorkers(`rate(process_cpu_seconds_total${window})`) },
      width: 8,
    },
    {
      title: 'Memory',
      description: 'Resident memory of each worker.',
      unit: units.BytesIEC,
      queries: { '{{instance}}': ofWorkers('process_resident_memory_bytes') },
      width: 8,
    },
    {
      title: 'Event loop lag',
      description:
        'P99 of the time a callback waits in each worker. Above 100 ms the process is busy with itself.',
      unit: units.Seconds,
      queries: { '{{instance}}': ofWorkers('nodejs_eventloop_lag_p99_seconds') },
      width: 8,
    },
  ];
}

/** https://docs.temporal.io/references/sdk-metrics */
function temporal(): Row {
  const late = 'temporal_workflow_task_schedule_to_start_latency_bucket';
  return {
    title: 'Temporal, as its SDK sees it (--temporal-metrics-port)',
    panels: [
      {
        title: 'Workflow task lateness',
        description:
          'How long half and 99% of the decisions of releases lay in the task queue. Together with the lateness of checks it says whether the workers keep up.',
        unit: units.Milliseconds,
        queries: {
          P50: `histogram_quantile(0.5, sum by (le) (rate(${late}${window})))`,
          P99: `histogram_quantile(0.99, sum by (le) (rate(${late}${window})))`,
        },
        width: 6,
      },
      {
        title: 'Task slots left',
        description: 'Tasks the workers could take on besides, by kind; at 0 the rest waits.',
        unit: units.NoUnit,
        queries: {
          '{{worker_type}}': 'sum by (worker_type) (temporal_worker_task_slots_available)',
        },
        width: 6,
      },
      {
        title: 'Failed requests',
        description: 'Requests to Temporal that failed per second, by operation.',
        unit: units.RequestsPerSecond,
        queries: {
          all: `sum(rate(temporal_request_failure${window})) or vector(0)`,
          '{{operation}}': `sum by (operation) (rate(temporal_request_failure${window}))`,
        },
        width: 6,
      },
      {
        title: 'Releases in memory',
        description: 'Workflows in the cache of the workers; the limit is --max-cached-workflows.',
        unit: units.NoUnit,
        queries: { workflows: 'sum(temporal_sticky_cache_size)' },
        width: 6,
      },
    ],
  };
}

function loadTester(): Row {
  return {
    title: 'Load tester',
    panels: [
      {
        title: 'Running tasks',
        description: 'Load tests and other tasks that run now, by type.',
        unit: units.NoUnit,
        queries: { '{{type}}': 'sum by (type) (sluice_loadtester_tasks_running)' },
        width: 8,
        shape: 'stack',
      },
      {
        title: 'Ended tasks',
        description: 'Tasks of the last hour that ended well, and that failed.',
        unit: units.NoUnit,
        queries: {
          done: 'sum(increase(sluice_loadtester_tasks_done_total[1h]))',
          failed: 'sum(increase(sluice_loadtester_tasks_failed_total[1h]))',
        },
        width: 8,
        shape: 'stack',
      },
      {
        title: 'Mean duration of tasks',
        description: 'Of tasks that ended since the load testers started, by type.',
        unit: units.Seconds,
        queries: {
          '{{type}}':
            'sum by (type) (sluice_loadtester_task_duration_seconds_sum) / sum by (type) (sluice_loadtester_task_duration_seconds_count)',
        },
        width: 8,
      },
    ],
  };
}
