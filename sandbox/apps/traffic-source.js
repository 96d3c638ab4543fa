import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';

const TICK_MS = 10;
/** A proxy closes idle connections after a minute; closing them earlier here never races with it. */
const IDLE_MS = 30_000;
/** After a stall at most this much is sent later; the rest is given up rather than sent in one burst. */
const CATCH_UP_SECONDS = 1;

/**
 * Sends GET requests at a steady rate, never more than `concurrency` at once.
 * `onAnswer({ version, status })` and `onFailure(reason, error)` (`connection` or `timeout`) tell how each went.
 */
export class TrafficSource {
  #target;
  #events;
  #agent;
  #concurrency;
  #timeoutMs;
  #timer;
  #owed = 0;
  #inFlight = 0;
  #lastTickAt = performance.now();

  /**
   * `target` is `{ url, host, rate, keepAlive }`: the URL, the Host header ('' = the URL's own), requests per second, and whether
   * connections serve many requests. A Service balances connections, not requests: one that is kept stays with its pod.
   */
  constructor({ target, concurrency, timeoutMs, events }) {
    this.#target = target;
    this.#events = events;
    this.#concurrency = concurrency;
    this.#timeoutMs = timeoutMs;
    this.#agent = new Agent({ keepAlive: true, maxSockets: concurrency, timeout: IDLE_MS });
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  get target() {
    return this.#target;
  }

  /** Goes on with another target at once. */
  retarget(target) {
    this.#target = target;
    this.#owed = 0;
  }

  stop() {
    clearInterval(this.#timer);
    this.#agent.destroy();
  }

  #tick() {
    const now = performance.now();
    const { rate } = this.#target;
    this.#owed += (rate * (now - this.#lastTickAt)) / 1000;
    this.#owed = Math.min(this.#owed, Math.max(1, rate * CATCH_UP_SECONDS));
    this.#lastTickAt = now;
    for (; this.#owed >= 1 && this.#inFlight < this.#concurrency; this.#owed -= 1) this.#send();
  }

  #send() {
    this.#inFlight += 1;
    let timedOut = false;
    const { url, host, keepAlive } = this.#target;
    const sent = request(url, {
      agent: keepAlive && this.#agent,
      timeout: this.#timeoutMs,
      headers: host === '' ? {} : { host },
    });
    const fail = (error) => this.#events.onFailure(timedOut ? 'timeout' : 'connection', error);
    sent.once('timeout', () => {
      timedOut = true;
      sent.destroy(new Error(`no answer within ${this.#timeoutMs} ms`));
    });
    sent.once('error', fail);
    sent.once('close', () => (this.#inFlight -= 1));
    sent.once('response', (answer) => {
      // From here the answer itself reports what goes wrong; the request would tell of it a second time.
      sent.off('error', fail).on('error', () => undefined);
      answer.once('error', fail);
      answer.once('end', () => {
        const version = answer.headers['x-version'] ?? 'none';
        this.#events.onAnswer({ version, status: answer.statusCode });
      });
      answer.resume();
    });
    sent.end();
  }
}
