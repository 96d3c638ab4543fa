import * as units from '@grafana/grafana-foundation-sdk/units';

import type { Panel } from './plan.js';

/** Which of the two workloads of a release. */
export type Role = 'primary' | 'canary';

/** How the requests to a workload are counted. */
export interface DataPlane {
  readonly uid: string;
  readonly title: string;
  /** What has to be scraped for it. */
  readonly description: string;
  /** The label matchers of what reached a workload. */
  readonly received: (role: Role) => string;
  readonly requests: string;
  /** The label that holds the HTTP status. */
  readonly code: string;
  readonly durations: { readonly buckets: string; readonly unit: string };
  /** What only this data plane can show. */
  readonly more: (role: Role) => readonly Panel[];
}

/** The workload of a role, by the variable `target` of the dashboard. */
export const workloadOf = (role: Role): string =>
  role === 'primary' ? '${target}-primary' : '${target}';

/** Matchers of the pods of a workload; of a DaemonSet, those of the primary are named like the canary's. */
export function podsOf(role: Role, label: string): string {
  const names = (of: Role): string => `"${workloadOf(of)}-[0-9a-z]+(-[0-9a-z]+)?"`;
  const others = role === 'canary' ? `, ${label}!~${names('primary')}` : '';
  return `${label}=~${names(role)}${others}`;
}

const envoyRequests = {
  requests: 'envoy_cluster_upstream_rq',
  code: 'envoy_response_code',
  durations: { buckets: 'envoy_cluster_upstream_rq_time_bucket', unit: units.Milliseconds },
} as const;

/** Envoy's bytes, as seen from the proxy: what it receives is what the workload sent. */
const envoyTraffic =
  (received: DataPlane['received']): DataPlane['more'] =>
  (role) => [
    {
      title: `Traffic of the ${role}`,
      description: `Bytes between Envoy and the ${role}: answers it sent, and requests it got.`,
      unit: units.BytesPerSecondSI,
      queries: {
        answers: `sum(rate(envoy_cluster_upstream_cx_rx_bytes_total{${received(role)}}[$__rate_interval]))`,
        requests: `sum(rate(envoy_cluster_upstream_cx_tx_bytes_total{${received(role)}}[$__rate_interval]))`,
      },
      width: 12,
    },
  ];

/** Contour names a cluster after namespace, service and port. */
const contourClusters = (role: Role): string =>
  `envoy_cluster_name=~"\${namespace}_\${service}-${role}_[0-9a-zA-Z-]+"`;

/** The pods that are scraped themselves, with the labels the usual scrape configuration gives them. */
const scrapedPods = (role: Role): string =>
  `kubernetes_namespace="\${namespace}", ${podsOf(role, 'kubernetes_pod_name')}`;

const istioReceived = (role: Role): string =>
  `reporter="destination", destination_workload_namespace="\${namespace}", destination_workload="${workloadOf(role)}"`;

const istioSent = (role: Role): string =>
  `reporter="source", source_workload_namespace="\${namespace}", source_workload="${workloadOf(role)}"`;

/** The data planes that have a dashboard, by the name of its file. */
export const dataPlanes = {
  istio: {
    uid: 'sluice-istio',
    title: 'Istio canary',
    description: "A release through Istio, by the proxies' standard metrics.",
    received: istioReceived,
    requests: 'istio_requests_total',
    code: 'response_code',
    durations: { buckets: 'istio_request_duration_milliseconds_bucket', unit: units.Milliseconds },
    more: (role) => [
      {
        title: `Who calls the ${role}`,
        description: `Requests the ${role} got, by workload and status; mTLS where the connection was mutually authenticated.`,
        unit: units.RequestsPerSecond,
        queries: {
          '{{source_workload}}.{{source_workload_namespace}} {{response_code}} mTLS': `sum by (source_workload, source_workload_namespace, response_code) (rate(istio_requests_total{${istioReceived(role)}, connection_security_policy="mutual_tls"}[$__rate_interval]))`,
          '{{source_workload}}.{{source_workload_namespace}} {{response_code}}': `sum by (source_workload, source_workload_namespace, response_code) (rate(istio_requests_total{${istioReceived(role)}, connection_security_policy!="mutual_tls"}[$__rate_interval]))`,
        },
        width: 12,
      },
      {
        title: `Whom the ${role} calls`,
        description: `Requests the ${role} sent, by service and status.`,
        unit: units.RequestsPerSecond,
        queries: {
          '{{destination_service}} {{response_code}}': `sum by (destination_service, response_code) (rate(istio_requests_total{${istioSent(role)}}[$__rate_interval]))`,
        },
        width: 12,
      },
    ],
  },
  envoy: {
    uid: 'sluice-envoy',
    title: 'Envoy canary',
    description: "A release through Contour, by HTTPProxy or HTTPRoute, by Envoy's own counters.",
    received: contourClusters,
    ...envoyRequests,
    more: envoyTraffic(contourClusters),
  },
  'app-mesh': {
    uid: 'sluice-app-mesh',
    title: 'App Mesh canary',
    description: 'A release through App Mesh, by the counters of the Envoys beside the pods.',
    received: scrapedPods,
    ...envoyRequests,
    more: envoyTraffic(scrapedPods),
  },
  'gateway-api': {
    uid: 'sluice-gateway-api',
    title: 'Gateway API canary',
    description:
      "A release through any implementation of the Gateway API, or without one, by the application's own histogram http_request_duration_seconds.",
    received: scrapedPods,
    requests: 'http_request_duration_seconds_count',
    code: 'status',
    durations: { buckets: 'http_request_duration_seconds_bucket', unit: units.Seconds },
    more: () => [],
  },
} as const satisfies Record<string, DataPlane>;
