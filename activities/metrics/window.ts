import type { ProviderConfig } from './provider.js';

/** The times between which points are asked for, in epoch milliseconds. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** How many intervals are looked back on, so that some point is in there that is complete. */
const intervals = 10;

/** The last ten intervals of a metric, to the whole second. */
export function windowOf(config: ProviderConfig): Window {
  const to = Math.floor(Date.now() / 1_000) * 1_000;
  return { from: to - intervals * intervalOf(config), to };
}

/** The milliseconds of the metric's interval; throws when it says none. */
export function intervalOf({ intervalMs }: ProviderConfig): number {
  if (intervalMs !== undefined && intervalMs > 0) return intervalMs;
  throw new Error("the metric's interval must be a duration such as 1m");
}
