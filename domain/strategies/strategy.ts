import type { HookType } from '../canary.js';
import type { EventText } from '../moves.js';
import type { Names } from '../names.js';
import type { Routes } from '../routes.js';
import { abTesting } from './ab-testing.js';
import { blueGreen } from './blue-green.js';
import { weighted } from './weighted.js';

/** How a release lets the canary have traffic before it is promoted. */
export type Strategy =
  | Weighted
  /** As {@link Weighted}, but pods move between the workloads instead of traffic. */
  | ({ readonly kind: 'replicas' } & Pick<Weighted, 'weights'>)
  /** Only requests that match reach the canary, for a number of checks. */
  | { readonly kind: 'ab-testing'; readonly iterations: number }
  | BlueGreen;

/** More and more traffic goes to the canary. */
export interface Weighted {
  readonly kind: 'weighted';
  /** The canary's weights in order, in percent. */
  readonly weights: readonly number[];
  /** Whether the canary first gets copies of requests, whose answers nobody sees. */
  readonly mirror: boolean;
}

/** Users see the canary only after all its checks. */
export interface BlueGreen {
  readonly kind: 'blue-green';
  readonly iterations: number;
  /** Whether the canary gets copies of requests meanwhile. */
  readonly mirror: boolean;
  /** Whether there is a router; without one only the promotion brings users to the new version. */
  readonly routed: boolean;
}

/** How far the strategy has got. */
export interface Position {
  /** Percent of the traffic (with A/B testing: of the matching requests) at the canary. */
  readonly weight: number;
  readonly iterations: number;
  readonly mirrored: boolean;
}

/** One step of a strategy: where the traffic goes, and what is told of it. */
export interface Step extends Position {
  readonly routes: Routes;
  readonly events: readonly EventText[];
  /** What `Canary.status` shows of the position; each strategy counts by one of the two. */
  readonly shows: { readonly canaryWeight: number } | { readonly iterations: number };
  /** The HTTP gate asked before the step. */
  readonly gate?: Extract<HookType, 'confirm-traffic-increase' | 'confirm-promotion'>;
}

/** What a strategy decides. Pure functions of the position, so a release can go on from anywhere. */
export interface Steps {
  /** The step after a position; undefined when the promotion comes next. */
  readonly next: (names: Names, position: Position) => Step | undefined;
  /** The HTTP gates asked before the promotion, in order. */
  readonly promotionGates: readonly HookType[];
  /** Whether the traffic has to be led back to the primary after the promotion. */
  readonly routed: boolean;
}

/** The position of a release that has not begun. */
export const start: Position = { weight: 0, iterations: 0, mirrored: false };

/** The steps of a strategy. */
export function stepsOf(strategy: Strategy): Steps {
  switch (strategy.kind) {
    case 'weighted':
      return weighted(strategy);
    case 'replicas':
      return weighted({ ...strategy, kind: 'weighted', mirror: false });
    case 'ab-testing':
      return abTesting(strategy);
    case 'blue-green':
      return blueGreen(strategy);
  }
}

/** Every step of a strategy in order, as people read them. */
export function allSteps(strategy: Strategy, names: Names): Step[] {
  const { next } = stepsOf(strategy);
  const steps: Step[] = [];
  for (let step = next(names, start); step !== undefined; step = next(names, step)) {
    steps.push(step);
  }
  return steps;
}
