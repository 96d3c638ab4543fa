import type { Observer } from './observer.js';

const canary = 'envoy_cluster_name=~"{{ namespace }}_{{ service }}-canary_[0-9a-zA-Z-]+"';

/** Envoy's own counters; Contour names a cluster after namespace, service and port. */
export const contour: Observer = {
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
