import { Registry } from 'prom-client';

import { createTelemetry as createLoadTesterTelemetry } from '../../loadtester/telemetry.js';
import { createTelemetry } from '../../worker/telemetry.js';

/** What other programs export, as far as it is used here. */
const others = {
  // https://istio.io/latest/docs/reference/config/metrics/
  istio: ['istio_requests_total', 'istio_request_duration_milliseconds_bucket'],
  // https://www.envoyproxy.io/docs/envoy/latest/configuration/upstream/cluster_manager/cluster_stats
  envoy: [
    'envoy_cluster_upstream_rq',
    'envoy_cluster_upstream_rq_time_bucket',
    'envoy_cluster_upstream_cx_rx_bytes_total',
    'envoy_cluster_upstream_cx_tx_bytes_total',
  ],
  // https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md
  cadvisor: [
    'container_cpu_usage_seconds_total',
    'container_cpu_cfs_periods_total',
    'container_cpu_cfs_throttled_periods_total',
    'container_memory_working_set_bytes',
    'container_network_receive_bytes_total',
    'container_network_transmit_bytes_total',
  ],
  // What docs/monitoring.md asks of applications that are judged by themselves.
  application: ['http_request_duration_seconds_count', 'http_request_duration_seconds_bucket'],
  // https://docs.temporal.io/references/sdk-metrics
  temporal: [
    'temporal_workflow_task_schedule_to_start_latency_bucket',
    'temporal_workflow_task_execution_failed',
    'temporal_worker_task_slots_available',
    'temporal_request_failure',
    'temporal_sticky_cache_size',
  ],
};

/** The names of all series there are. */
export function knownSeries(): ReadonlySet<string> {
  const worker = new Registry();
  const canaries = { values: () => [] };
  createTelemetry({ registry: worker, canaries, version: '', meshProvider: '' });
  const loadTester = new Registry();
  createLoadTesterTelemetry(loadTester);
  return new Set([
    ...Object.values(others).flat(),
    ...exportedBy(worker),
    ...exportedBy(loadTester),
  ]);
}

function exportedBy(registry: Registry): readonly string[] {
  return registry.getMetricsAsArray().flatMap(({ name, type }) =>
    // The client library numbers the types in its own way, whatever its types say.
    String(type) === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name],
  );
}
