import type { Observer } from './observer.js';

/** What was sent to the target. */
const canary =
  'destination_namespace="{{ namespace }}", destination_kind=~"Deployment|DaemonSet", destination_name="{{ target }}"';

/** Open Service Mesh's own metrics: https://release-v1-2.docs.openservicemesh.io/docs/guides/observability/metrics/ */
export const osm: Observer = {
  successRate: `
    (
      sum(rate(osm_request_total{${canary}, response_code!~"5.*"}[{{ interval }}]))
      or 0 * sum(rate(osm_request_total{${canary}}[{{ interval }}]))
    )
    / sum(rate(osm_request_total{${canary}}[{{ interval }}]))
    * 100`,
  duration: `
    histogram_quantile(0.99,
      sum by (le) (rate(osm_request_duration_ms_bucket{${canary}}[{{ interval }}])))`,
};
