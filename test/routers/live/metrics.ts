import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

import { prometheus } from '../../../activities/metrics/prometheus.js';
import { renderQuery } from '../../../activities/metrics/templates.js';
import { observers } from '../../../activities/observers/index.js';
import type { Observer } from '../../../activities/observers/observer.js';
import type { Metric } from '../../../domain/canary.js';
import { observerOf } from '../../../domain/providers.js';
import type { Clients } from '../../e2e/requests.js';
import { canary, openPlane, type Plane, type PlaneProvider } from './plane.js';

/** The window of the queries, and how much longer the clients send before they are asked. */
const [windowMs, leadInMs] = [10_000, 5_000];
/** Envoy's bounds next to this one are 1 and 2.5 s, those of the others lie close together. */
const delayOf = (provider: PlaneProvider): string => (provider === 'contour' ? '2420' : '2000');
const buckets = '.01,.1,.5,1,1.5,2,2.05,2.1,2.15,2.2,2.3,2.4,2.5,3,5,10';
/** So many that it matters little which of them are just within the window. */
const clientCount = 192;

/** How often the measuring is tried until nothing held it up. */
const tries = 4;

/** Built-in success rate and duration say what the clients saw. */
export function measuresOf(provider: PlaneProvider): void {
  // So long that what a busy machine adds is little beside it, and both, so that it is not busy.
  const DELAY_MS = delayOf(provider);
  let plane: Plane;
  beforeAll(async () => {
    plane = await openPlane(provider, {
      primaryEnv: { DELAY_MS },
      canaryEnv: { DELAY_MS, ERROR_RATE: '0.2', BUCKETS: buckets },
    });
  }, 120_000);
  afterAll(() => plane.remove());

  it('its built-in metrics are what the clients of the canary saw', async () => {
    await plane.write(50);
    await untilAnswered(plane.clients);
    const { measured, saw, requests } = await undisturbed(plane, provider, Number(DELAY_MS));

    console.log(`${provider}: ${JSON.stringify({ requests, measured, saw })}`);
    expect(Math.abs(measured.successRate / saw.successRate - 1)).toBeLessThan(0.05);
    expect(Math.abs(measured.duration / saw.duration - 1)).toBeLessThan(0.05);
  }, 120_000);
}

interface Figures {
  /** Percent. */
  readonly successRate: number;
  /** Milliseconds. */
  readonly duration: number;
}

/** What the metrics say of a window, and what the clients saw in it. */
interface Comparison {
  readonly requests: number;
  readonly measured: Figures;
  readonly saw: Figures;
}

/**
 * Compares in a window in which the machine did not hold up the requests: a histogram cannot tell
 * by how much they were late. Nothing that the metrics say decides which window that is.
 */
async function undisturbed(
  plane: Plane,
  provider: PlaneProvider,
  delayMs: number,
): Promise<Comparison> {
  for (let left = tries - 1; ; left -= 1) {
    const begun = performance.now();
    const answers = await timed(plane.clients, delayMs, begun + leadInMs + windowMs);
    // What happened last is scraped a second later.
    await sleep(500);
    const measured = {
      successRate: await measure(plane, provider, 'successRate'),
      duration: await measure(plane, provider, 'duration'),
    };
    const isHeldUp = quantileOf(timesOf(answers), 0.99) > delayMs * 1.03;
    if (isHeldUp && left > 0) continue;

    const seen = answers.filter(({ at }) => at > begun + leadInMs);
    const good = seen.filter(({ status }) => status < 500).length;
    const times = timesOf(seen);
    const saw = {
      successRate: (good / seen.length) * 100,
      // Skipper's is a mean, the others' a quantile.
      duration:
        provider === 'skipper'
          ? times.reduce((sum, one) => sum + one, 0) / times.length
          : quantileOf(times, 0.99),
    };
    return { requests: seen.length, measured, saw };
  }
}

interface Timed {
  readonly status: number;
  /** When the answer was there, and how long it took. */
  readonly at: number;
  readonly tookMs: number;
}

/**
 * Sends as so many clients do, one request after the other each; returns the canary's answers.
 * The clients begin one after the other, or all would wait for their turn at once, again and again.
 */
async function timed(clients: Clients, delayMs: number, endsAt: number): Promise<readonly Timed[]> {
  const answers: Timed[] = [];
  const client = async (_: unknown, index: number): Promise<void> => {
    await sleep((index * delayMs) / clientCount);
    while (performance.now() < endsAt) {
      const begun = performance.now();
      const { version, status } = await clients.ask();
      const at = performance.now();
      if (version === canary) answers.push({ status, at, tookMs: at - begun });
    }
  };
  await Promise.all(Array.from({ length: clientCount }, client));
  return answers;
}

/** Ascending. */
function timesOf(answers: readonly Timed[]): readonly number[] {
  return answers.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
}

function quantileOf(ascending: readonly number[], quantile: number): number {
  return ascending[Math.floor(ascending.length * quantile)]!;
}

/** The gateway knows of the canary. */
async function untilAnswered(clients: Clients): Promise<void> {
  while ((await clients.ask()).version !== canary) await sleep(20);
}

async function measure(
  plane: Plane,
  provider: PlaneProvider,
  query: keyof Observer,
): Promise<number> {
  const metric: Metric = {
    ...{ name: query, interval: `${String(windowMs / 1_000)}s`, threshold: 0, variables: {} },
    ...{ onNoData: 'fail', onProviderError: 'fail' },
  };
  const rendered = renderQuery(observers[observerOf[provider]][query], plane.canary, metric);
  if (!rendered.ok) throw new Error(rendered.problem);
  const { PROMETHEUS_URL: address = '' } = process.env;
  const answer = await prometheus({ address }).query(rendered.text);
  if (answer.kind !== 'value') throw new Error(`no value of ${rendered.text}`);
  return answer.value;
}
