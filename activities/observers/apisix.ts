import type { Observer } from './observer.js';

/** The rules of the copy of the ApisixRoute; APISIX tells their two backends apart nowhere. */
const both = 'route=~"{{ namespace }}_{{ route }}-{{ service }}-canary_.+"';

/** The `prometheus` plugin with `prefer_name`: canary and primary together, for want of better. */
export const apisix: Observer = {
  successRate: `
    (
      sum(rate(apisix_http_status{${both}, code!~"5.."}[{{ interval }}]))
      or 0 * sum(rate(apisix_http_status{${both}}[{{ interval }}]))
    )
    / sum(rate(apisix_http_status{${both}}[{{ interval }}]))
    * 100`,
  duration: `
    histogram_quantile(0.99,
      sum by (le) (rate(apisix_http_latency_bucket{${both}, type=~"request"}[{{ interval }}])))`,
};
