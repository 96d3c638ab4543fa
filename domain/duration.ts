const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/**
 * Milliseconds of a Go duration such as `1m30s`, `500ms` or `0`; undefined when it is not one.
 * Grammar: https://pkg.go.dev/time#ParseDuration
 */
export function parseDuration(text: string): number | undefined {
  const match = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+)$/.exec(text);
  if (text === '0') return 0;
  if (match === null) return undefined;
  let total = 0;
  for (const [, amount, unit] of (match[2] ?? '').matchAll(
    /(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)/g,
  )) {
    total += Number(amount) * (unitMs[unit ?? ''] ?? 0);
  }
  return match[1] === '-' ? -total : total;
}

/** Prints milliseconds as Go does: `1.515s`, `500ms`, `1m30s`, `0s`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  if (Math.abs(ms) < 1_000) return `${String(ms)}ms`;
  const sign = ms < 0 ? '-' : '';
  const seconds = Math.abs(ms) / 1_000;
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  const rest = `${String(Number((seconds % 60).toFixed(9)))}s`;
  if (hours > 0) return `${sign}${String(hours)}h${String(minutes)}m${rest}`;
  return minutes > 0 ? `${sign}${String(minutes)}m${rest}` : `${sign}${rest}`;
}
