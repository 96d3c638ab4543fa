import { mirrored, toCanary } from '../routes.js';
import { texts } from '../texts.js';
import type { Steps, Weighted } from './strategy.js';

/** A weighted canary: each weight in turn, with copies of requests before the first if mirrored. */
export function weighted({ weights, mirror }: Weighted): Steps {
  return {
    next(names, { weight, mirrored: isMirrored }) {
      if (mirror && weight === 0 && !isMirrored) {
        return {
          routes: mirrored,
          weight: 0,
          iterations: 0,
          mirrored: true,
          shows: { canaryWeight: 0 },
          events: [texts.advanced(names, 0)],
          gate: 'confirm-traffic-increase',
        };
      }
      const next = weights.find((candidate) => candidate > weight);
      if (next === undefined) return undefined;
      return {
        routes: toCanary(next),
        weight: next,
        iterations: 0,
        mirrored: false,
        shows: { canaryWeight: next },
        events: [texts.advanced(names, next)],
        // As in Flagger: what was agreed to for the mirroring counts for the step that ends it.
        ...(isMirrored ? {} : { gate: 'confirm-traffic-increase' as const }),
      };
    },
    promotionGates: ['confirm-traffic-increase', 'confirm-promotion'],
    routed: true,
  };
}
