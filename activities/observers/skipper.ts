import type { Observer } from './observer.js';

/** A name as Skipper has it in the ids of its routes. */
const word = (name: string) => `{{ ${name} | replace "-" "_" | replace "." "_" }}`;

/** The routes to the canary service that Skipper makes of the copy of the Ingress. */
const canary = `route=~"kube(ew)?_${word('namespace')}__${word('ingress')}_canary__.*__${word('service')}_canary(_[0-9]+)?"`;

/** Skipper's own histograms; the bucket without a bound counts every request. */
export const skipper: Observer = {
  successRate: `
    (
      sum(rate(skipper_response_duration_seconds_bucket{${canary}, code!~"5..", le="+Inf"}[{{ interval }}]))
      or 0 * sum(rate(skipper_response_duration_seconds_bucket{${canary}, le="+Inf"}[{{ interval }}]))
    )
    / sum(rate(skipper_response_duration_seconds_bucket{${canary}, le="+Inf"}[{{ interval }}]))
    * 100`,
  duration: `
    sum(rate(skipper_serve_route_duration_seconds_sum{${canary}}[{{ interval }}]))
    / sum(rate(skipper_serve_route_duration_seconds_count{${canary}}[{{ interval }}]))
    * 1000`,
};
