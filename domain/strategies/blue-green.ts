import { allToCanary, allToPrimary, mirrored } from '../routes.js';
import { texts } from '../texts.js';
import type { BlueGreen, Steps } from './strategy.js';

/**
 * Blue/Green: the canary is checked `iterations` times while users stay on the primary; then they
 * are all led to the canary, and after one more check it is promoted. The last check is made
 * without a router too, as Flagger counts it.
 */
export function blueGreen({ iterations: all, mirror, routed }: BlueGreen): Steps {
  const gate = 'confirm-promotion';
  return {
    next(names, { iterations }) {
      const next = iterations + 1;
      if (next <= all) {
        return {
          routes: mirror ? mirrored : allToPrimary,
          weight: 0,
          iterations: next,
          mirrored: mirror,
          shows: { iterations: next },
          events: [texts.iterated(names, next, all)],
        };
      }
      if (next > all + 1) return undefined;
      return {
        routes: routed ? allToCanary : allToPrimary,
        weight: routed ? 100 : 0,
        iterations: next,
        mirrored: false,
        shows: { iterations: next },
        events: routed ? [mirror ? texts.allFromMirrorToCanary() : texts.allToCanary()] : [],
        gate,
      };
    },
    promotionGates: [gate],
    routed,
  };
}
