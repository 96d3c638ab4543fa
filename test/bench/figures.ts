/** The value below which a share of the values lies, 0 ≤ share ≤ 1; NaN without values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

/** Milliseconds as seconds, `1.23 s`. */
export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}

/** Milliseconds covered by at least one of the intervals. */
export function covered(intervals: readonly (readonly [from: number, to: number])[]): number {
  let total = 0;
  let reached = -Infinity;
  for (const [from, to] of [...intervals].sort(([one], [other]) => one - other)) {
    total += Math.max(0, to - Math.max(from, reached));
    reached = Math.max(reached, to);
  }
  return total;
}
