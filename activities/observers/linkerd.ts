import type { Observer } from './observer.js';

/** What reached the pods of the target, whose Deployment has the target's name. */
const canary = 'namespace="{{ namespace }}", deployment="{{ target }}", direction="inbound"';

/** Linkerd's own metrics: https://linkerd.io/2/reference/proxy-metrics/ */
export const linkerd: Observer = {
  successRate: `
    (
      sum(rate(response_total{${canary}, classification!="failure"}[{{ interval }}]))
      or 0 * sum(rate(response_total{${canary}}[{{ interval }}]))
    )
    / sum(rate(response_total{${canary}}[{{ interval }}]))
    * 100`,
  duration: `
    histogram_quantile(0.99,
      sum by (le) (rate(response_latency_ms_bucket{${canary}}[{{ interval }}])))`,
};
