import type { Observer } from './observer.js';

/** Proxies of the target's pods; those of the primary have one part more in their names. */
const canary = `kubernetes_namespace="{{ namespace }}", kubernetes_pod_name=~"{{ target }}-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)"`;

/** Envoy's own counters, scraped from the proxies beside the pods. */
export const appMesh: Observer = {
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
