import type { Observer } from './observer.js';

/** Gloo names a cluster after the Upstream and its namespace. */
const canary =
  'envoy_cluster_name=~"{{ namespace }}-{{ service }}-canaryupstream-[0-9a-zA-Z-]+_[0-9a-zA-Z-]+"';

/** Envoy's own counters. */
export const gloo: Observer = {
  successRate: `
    (
      sum(rate(envoy_cluster_upstream_rq{${canary}, envoy_response_code!~"5.*"}[{{ interval }}]))
      or 0 * sum(rate(envoy_cluster_upstream_rq{${canary}}[{{ interval }}]))
    )
    / sum(rate(envoy_cluster_upstream_rq{${canary}}[{{ interval }}]))
    * 100`,
  duration: `
    histogram_quantile(0.99,
      sum by (le) (rate(envoy_cluster_upstream_rq_time_bucket{${canary}}[{{ interval }}])))`,
};
