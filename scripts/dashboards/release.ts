import * as units from '@grafana/grafana-foundation-sdk/units';

import { podsOf, workloadOf, type DataPlane, type Role } from './data-planes.js';
import type { DashboardPlan, Panel, Row, Variable } from './plan.js';

const roles = ['primary', 'canary'] as const;
/** The window of every rate: at least four scrapes, and what a pixel stands for. */
const window = '[$__rate_interval]';

const canary = 'namespace="${namespace}", name="${canary}"';

const variables: readonly Variable[] = [
  {
    name: 'namespace',
    label: 'Namespace',
    query: 'label_values(sluice_canary_info, namespace)',
  },
  {
    name: 'canary',
    label: 'Canary',
    query: 'label_values(sluice_canary_info{namespace="${namespace}"}, name)',
  },
  {
    name: 'target',
    label: 'Target',
    query: `label_values(sluice_canary_info{${canary}}, target)`,
    hidden: true,
  },
  {
    name: 'service',
    label: 'Service',
    query: `label_values(sluice_canary_info{${canary}}, service)`,
    hidden: true,
  },
];

/** A canary beside its primary: how the release goes, what their users see, and what they use up. */
export function releaseDashboard(plane: DataPlane): DashboardPlan {
  const { uid, title, description } = plane;
  const more = beside(plane.more);
  return {
    ...{ uid, title, description, variables },
    tags: ['sluice', 'canary'],
    rows: [
      progress,
      { title: 'RED: requests, errors and durations', panels: red(plane) },
      ...(more.length > 0 ? [{ title: 'Traffic', panels: more }] : []),
      { title: 'USE: utilisation and saturation of the pods', panels: beside(use) },
    ],
  };
}

/** Panels of both workloads, the primary's on the left. */
function beside(panelsOf: (role: Role) => readonly Panel[]): readonly Panel[] {
  const [left, right] = [panelsOf('primary'), panelsOf('canary')];
  return left.flatMap((panel, place) => [panel, ...right.slice(place, place + 1)]);
}

const progress: Row = {
  title: 'Release of ${canary}.${namespace}',
  panels: [
    {
      title: 'Phase',
      description: 'The phase of the Canary, as kubectl get canaries shows it.',
      unit: units.NoUnit,
      queries: { '{{phase}}': `max by (phase) (sluice_canary_phase{${canary}})` },
      width: 8,
      shape: 'stack',
    },
    {
      title: 'Weight',
      description: 'Share of the traffic that each workload is meant to get.',
      unit: units.Percent,
      queries: {
        '{{workload}}':
          'max by (workload) (flagger_canary_weight{namespace="${namespace}", workload=~"${target}(-primary)?"})',
      },
      width: 8,
      shape: 'stack',
    },
    {
      title: 'Metrics of the analysis',
      description:
        'What the last check measured, in the units of the Canary: percent for request-success-rate, seconds for request-duration.',
      unit: units.Short,
      queries: {
        '{{metric}}':
          'max by (metric) (flagger_canary_metric_analysis{namespace="${namespace}", name="${target}"})',
      },
      width: 8,
    },
  ],
};

function red(plane: DataPlane): readonly Panel[] {
  return [
    ...roles.flatMap((role) => numbers(plane, role)),
    ...beside((role) => [answers(plane, role), durations(plane, role)]),
  ];
}

function numbers({ requests, received, code }: DataPlane, role: Role): readonly Panel[] {
  const all = `sum(rate(${requests}{${received(role)}}${window}))`;
  const good = `sum(rate(${requests}{${received(role)}, ${code}!~"5.*"}${window}))`;
  return [
    {
      title: `Requests to the ${role}`,
      description: `Requests that reached the ${role} per second.`,
      unit: units.RequestsPerSecond,
      queries: { requests: all },
      width: 6,
      shape: 'number',
    },
    {
      title: `Success rate of the ${role}`,
      description: `Share of the requests to the ${role} that were not answered with 5xx.`,
      unit: units.PercentUnit,
      queries: { 'success rate': `(${good} or 0 * ${all}) / ${all}` },
      width: 6,
      shape: 'number',
      colours: [
        [null, 'red'],
        [0.95, 'orange'],
        [0.99, 'yellow'],
        [0.995, 'green'],
      ],
    },
  ];
}

function answers({ requests, received, code }: DataPlane, role: Role): Panel {
  return {
    title: `Answers of the ${role} by status`,
    description: `Answered requests of the ${role} per second, by HTTP status.`,
    unit: units.RequestsPerSecond,
    queries: {
      [`{{${code}}}`]: `sum by (${code}) (rate(${requests}{${received(role)}}${window}))`,
    },
    width: 12,
    shape: 'stack',
  };
}

function durations({ durations: { buckets, unit }, received }: DataPlane, role: Role): Panel {
  const quantile = (part: number): string =>
    `histogram_quantile(${String(part)}, sum by (le) (rate(${buckets}{${received(role)}}${window})))`;
  return {
    title: `Durations of the ${role}`,
    description: `How long half, 90% and 99% of the requests to the ${role} took at most.`,
    unit,
    queries: { P50: quantile(0.5), P90: quantile(0.9), P99: quantile(0.99) },
    width: 12,
  };
}

/** What cAdvisor knows of the containers, without those of the sandbox and the mesh. */
function use(role: Role): readonly Panel[] {
  const pods = `namespace="\${namespace}", ${podsOf(role, 'pod')}`;
  const containers = `${pods}, container!~"|POD|istio-proxy|envoy"`;
  const byPod = (series: string): string => `sum by (pod) (rate(${series}${window}))`;
  return [
    {
      title: `CPU of the ${role}`,
      description: `Processor cores that each pod of ${workloadOf(role)} uses.`,
      unit: units.Short,
      queries: { '{{pod}}': byPod(`container_cpu_usage_seconds_total{${containers}}`) },
      width: 12,
      shape: 'stack',
    },
    {
      title: `Throttling of the ${role}`,
      description: `Share of the scheduling periods in which a pod of ${workloadOf(role)} had to wait for its CPU limit.`,
      unit: units.PercentUnit,
      queries: {
        '{{pod}}': `${byPod(`container_cpu_cfs_throttled_periods_total{${containers}}`)} / ${byPod(`container_cpu_cfs_periods_total{${containers}}`)}`,
      },
      width: 12,
    },
    {
      title: `Memory of the ${role}`,
      description: `Memory of each pod of ${workloadOf(role)} that cannot be reclaimed.`,
      unit: units.BytesIEC,
      queries: { '{{pod}}': `sum by (pod) (container_memory_working_set_bytes{${containers}})` },
      width: 12,
      shape: 'stack',
    },
    {
      title: `Network of the ${role}`,
      description: `Bytes that the pods of ${workloadOf(role)} receive and transmit.`,
      unit: units.BytesPerSecondSI,
      queries: {
        received: `sum(rate(container_network_receive_bytes_total{${pods}}${window}))`,
        transmitted: `sum(rate(container_network_transmit_bytes_total{${pods}}${window}))`,
      },
      width: 12,
    },
  ];
}
