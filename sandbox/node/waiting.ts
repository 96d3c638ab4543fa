import { setTimeout as sleep } from 'node:timers/promises';

/** Lets loops wait for "something changed" with an upper limit. */
export class Bell {
  private ringing = new AbortController();

  /** Wakes everyone who waits. */
  ring(): void {
    this.ringing.abort();
    this.ringing = new AbortController();
  }

  /** Resolves when the bell rings, after `limitMs`, or when `stop` is aborted. */
  wait(limitMs: number, stop: AbortSignal): Promise<void> {
    return pause(limitMs, AbortSignal.any([this.ringing.signal, stop]));
  }
}

/** Sleeps, but not past the abort of `stop`. */
export async function pause(ms: number, stop: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal: stop });
  } catch {
    // Cut short, as asked.
  }
}

/** Lets at most `limit` pieces of work run at a time. */
export class Gate {
  private running = 0;
  private readonly queue: (() => void)[] = [];

  constructor(private readonly limit: number) {}

  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= this.limit) await new Promise<void>((resolve) => this.queue.push(resolve));
    else this.running++;
    try {
      return await work();
    } finally {
      const next = this.queue.shift();
      if (next === undefined) this.running--;
      else next();
    }
  }
}
