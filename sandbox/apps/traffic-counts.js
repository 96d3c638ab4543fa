/** Seconds of traffic kept apart; older traffic remains in the totals only. */
const KEPT_SECONDS = 600;

/**
 * Counts of answered and failed requests, in total and per second for the last ten minutes.
 *
 * Counts look like `{ requests, failed, byVersion, byStatus, failures: { connection, timeout, serverErrors } }`:
 * `requests` includes the failed ones; `byVersion`, `byStatus` and `serverErrors` (5xx answers by version) map a name to a number.
 */
export class TrafficCounts {
  #total = emptyCounts();
  #seconds = new Map();

  /** Records an answer that arrived at `now` (Unix milliseconds). */
  recordAnswer({ version, status }, now) {
    for (const counts of [this.#total, this.#second(now)]) {
      counts.requests += 1;
      increment(counts.byVersion, version);
      increment(counts.byStatus, status);
      if (status < 500) continue;
      counts.failed += 1;
      increment(counts.failures.serverErrors, version);
    }
  }

  /** Records a request without an answer; `reason` is `connection` or `timeout`. */
  recordFailure(reason, now) {
    for (const counts of [this.#total, this.#second(now)]) {
      counts.requests += 1;
      counts.failed += 1;
      counts.failures[reason] += 1;
    }
  }

  /** Everything since the start. */
  total() {
    return this.#total;
  }

  /**
   * The sum of the seconds that lie wholly in [since, until), both in Unix milliseconds: a window opened right after a change of
   * weights holds nothing from before it.
   */
  between(since, until) {
    const sum = emptyCounts();
    for (const [second, counts] of this.#seconds) {
      if (second * 1000 >= since && (second + 1) * 1000 <= until) add(sum, counts);
    }
    return sum;
  }

  #second(now) {
    const second = Math.floor(now / 1000);
    const known = this.#seconds.get(second);
    if (known) return known;
    const counts = emptyCounts();
    this.#seconds.set(second, counts);
    for (const old of this.#seconds.keys()) {
      if (old > second - KEPT_SECONDS) break;
      this.#seconds.delete(old);
    }
    return counts;
  }
}

function emptyCounts() {
  return {
    requests: 0,
    failed: 0,
    byVersion: {},
    byStatus: {},
    failures: { connection: 0, timeout: 0, serverErrors: {} },
  };
}

function increment(numbers, name, by = 1) {
  numbers[name] = (numbers[name] ?? 0) + by;
}

function add(sum, counts) {
  for (const [name, value] of Object.entries(counts)) {
    if (typeof value === 'number') increment(sum, name, value);
    else add((sum[name] ??= {}), value);
  }
}
