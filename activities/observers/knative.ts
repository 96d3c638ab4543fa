import type { Observer } from './observer.js';

/** The cluster of the revision under analysis, as Kourier names it. */
const canary = 'envoy_cluster_name=~"{{ namespace }}/{{ route }}"';

/** Envoy's own counters, as Kourier's gateway has them: one cluster for each revision. */
export const knative: Observer = {
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
