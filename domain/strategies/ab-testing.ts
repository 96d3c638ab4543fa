import { allToCanary } from '../routes.js';
import { texts } from '../texts.js';
import type { Steps, Strategy } from './strategy.js';

/** A/B testing: all matching requests go to the canary while it is checked `iterations` times. */
export function abTesting({ iterations: all }: Extract<Strategy, { kind: 'ab-testing' }>): Steps {
  return {
    next(names, { iterations }) {
      if (iterations >= all) return undefined;
      return {
        routes: allToCanary,
        weight: 100,
        iterations: iterations + 1,
        mirrored: false,
        shows: { iterations: iterations + 1 },
        events: [texts.iterated(names, iterations + 1, all)],
      };
    },
    promotionGates: ['confirm-promotion'],
    routed: true,
  };
}
