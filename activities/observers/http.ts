import type { Observer } from './observer.js';

/** Pods of the target's Deployment; those of the primary have one part more in their names. */
const canary = `kubernetes_namespace="{{ namespace }}", kubernetes_pod_name=~"{{ target }}-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)"`;

/** The application's own request histogram, for gateways without metrics per backend. */
export const http: Observer = {
  successRate: `
    (
      sum(rate(http_request_duration_seconds_count{${canary}, status!~"5.*"}[{{ interval }}]))
      or 0 * sum(rate(http_request_duration_seconds_count{${canary}}[{{ interval }}]))
    )
    / sum(rate(http_request_duration_seconds_count{${canary}}[{{ interval }}]))
    * 100`,
  duration: `
    histogram_quantile(0.99,
      sum by (le) (rate(http_request_duration_seconds_bucket{${canary}}[{{ interval }}])))
    * 1000`,
};
