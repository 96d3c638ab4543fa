/** Keys waiting to be worked on. */
export interface WorkQueue {
  /** Asks for the key to be worked on; asking again before that happens changes nothing. */
  add(key: string): void;
  /** Drops what waits and resolves when the work under way is done. */
  stop(): Promise<void>;
}

export interface WorkQueueOptions {
  /** Brings one key up to date. A failure repeats it later. */
  readonly work: (key: string) => Promise<void>;
  readonly failed: (key: string, error: unknown, retryInMs: number) => void;
  /** Keys worked on at once. */
  readonly concurrency: number;
  readonly minDelayMs?: number;
  readonly maxDelayMs?: number;
}

/**
 * The work queue of a level-based controller: one key is never worked on twice at once, a key added
 * meanwhile is worked on again afterwards, and one that fails comes back with growing delays.
 */
export function workQueue({
  work,
  failed,
  concurrency,
  minDelayMs = 250,
  maxDelayMs = 15_000,
}: WorkQueueOptions): WorkQueue {
  const waiting = new Set<string>();
  const running = new Map<string, Promise<void>>();
  const failures = new Map<string, number>();
  const timers = new Map<string, NodeJS.Timeout>();
  let stopped = false;

  function startSome(): void {
    for (const key of waiting) {
      if (stopped || running.size >= concurrency) return;
      if (running.has(key)) continue;
      waiting.delete(key);
      running.set(key, Promise.resolve(key).then(run));
    }
  }

  async function run(key: string): Promise<void> {
    // The retry timer, if there is one, is overtaken by this run.
    clearTimeout(timers.get(key));
    timers.delete(key);
    try {
      await work(key);
      failures.delete(key);
    } catch (error) {
      retry(key, error);
    }
    running.delete(key);
    startSome();
  }

  function retry(key: string, error: unknown): void {
    const count = failures.get(key) ?? 0;
    failures.set(key, count + 1);
    const delay = Math.min(maxDelayMs, minDelayMs * 2 ** count);
    failed(key, error, delay);
    if (!stopped) timers.set(key, setTimeout(add, delay, key));
  }

  function add(key: string): void {
    if (stopped) return;
    waiting.add(key);
    startSome();
  }

  return {
    add,
    async stop() {
      stopped = true;
      waiting.clear();
      for (const timer of timers.values()) clearTimeout(timer);
      await Promise.all(running.values());
    },
  };
}
