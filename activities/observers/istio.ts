import type { Observer } from './observer.js';

/** What reached the pods of the target: counted by them, so that they need a sidecar. */
const canary =
  'reporter="destination", destination_workload_namespace="{{ namespace }}", destination_workload=~"{{ target }}"';

/** Istio's standard metrics: https://istio.io/latest/docs/reference/config/metrics/ */
export const istio: Observer = {
  successRate: `
    (
      sum(rate(istio_requests_total{${canary}, response_code!~"5.*"}[{{ interval }}]))
      or 0 * sum(rate(istio_requests_total{${canary}}[{{ interval }}]))
    )
    / sum(rate(istio_requests_total{${canary}}[{{ interval }}]))
    * 100`,
  duration: `
    histogram_quantile(0.99,
      sum by (le) (rate(istio_request_duration_milliseconds_bucket{${canary}}[{{ interval }}])))`,
};
