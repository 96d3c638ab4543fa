import type { Observer } from './observer.js';

/** Requests of the Ingress that took another backend than its own: the canary service's. */
const canary =
  'namespace="{{ namespace }}", ingress="{{ ingress }}", canary=~"{{ namespace }}-{{ service }}-canary-[0-9a-zA-Z-]+"';

/** Ingress NGINX: its series carry the name of the user's Ingress, and that of the backend taken. */
export const nginx: Observer = {
  successRate: `
    (
      sum(rate(nginx_ingress_controller_requests{${canary}, status!~"5.*"}[{{ interval }}]))
      or 0 * sum(rate(nginx_ingress_controller_requests{${canary}}[{{ interval }}]))
    )
    / sum(rate(nginx_ingress_controller_requests{${canary}}[{{ interval }}]))
    * 100`,
  duration: `
    sum(rate(nginx_ingress_controller_response_duration_seconds_sum{${canary}}[{{ interval }}]))
    / sum(rate(nginx_ingress_controller_response_duration_seconds_count{${canary}}[{{ interval }}]))
    * 1000`,
};
