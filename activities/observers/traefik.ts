import type { Observer } from './observer.js';

/** Traefik names a service after namespace, name and port, and where it learnt of it. */
const canary = 'service=~"{{ namespace }}-{{ service }}-canary-[0-9a-zA-Z-]+@kubernetescrd"';

/** Traefik's own histogram; the bucket without a bound counts every request. */
export const traefik: Observer = {
  successRate: `
    (
      sum(rate(traefik_service_request_duration_seconds_bucket{${canary}, code!~"5..", le="+Inf"}[{{ interval }}]))
      or 0 * sum(rate(traefik_service_request_duration_seconds_bucket{${canary}, le="+Inf"}[{{ interval }}]))
    )
    / sum(rate(traefik_service_request_duration_seconds_bucket{${canary}, le="+Inf"}[{{ interval }}]))
    * 100`,
  duration: `
    histogram_quantile(0.99,
      sum by (le) (rate(traefik_service_request_duration_seconds_bucket{${canary}}[{{ interval }}])))
    * 1000`,
};
