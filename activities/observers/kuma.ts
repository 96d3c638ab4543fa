import type { Observer } from './observer.js';

/** The canary service, as Kuma names it: after the service, its namespace and its port. */
const canary = 'service=~"{{ service }}-canary_{{ namespace }}_svc_[0-9a-zA-Z-]+"';

/** Envoy's own counters, which Kuma labels with the service of the proxy they are of. */
export const kuma: Observer = {
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
