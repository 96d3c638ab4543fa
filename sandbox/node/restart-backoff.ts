/** How long a crashing container (or a failing image look-up) waits; times in milliseconds. */
export type Backoff = { readonly delayMs: number; readonly updatedAtMs: number };

/** The kubelet's figures: 10 s doubling to 5 min, forgotten after twice the longest delay. */
const firstDelayMs = 10_000;
const longestDelayMs = 300_000;

/**
 * The back-off after a failure at `nowMs`: none yet for the first one (it restarts at once), then 10 s,
 * 20 s, 40 s ... 5 min. A container that ran longer than 10 min starts over.
 */
export function nextBackoff(
  previous: Backoff | undefined,
  nowMs: number,
): { readonly waitMs: number; readonly backoff: Backoff } {
  const isForgotten = previous === undefined || nowMs - previous.updatedAtMs > 2 * longestDelayMs;
  if (isForgotten) {
    return { waitMs: 0, backoff: { delayMs: firstDelayMs, updatedAtMs: nowMs } };
  }
  const waitMs = previous.delayMs;
  return {
    waitMs,
    backoff: { delayMs: Math.min(2 * waitMs, longestDelayMs), updatedAtMs: nowMs + waitMs },
  };
}

/** A delay in the kubelet's words: `10s`, `1m20s`, `5m0s`. */
export function delayText(delayMs: number): string {
  const seconds = Math.round(delayMs / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
