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

/** Built-in success rate and duration say what the clients saw. */
export function measuresOf(provider: PlaneProvider): void {
  let plane: Plane;
  beforeAll(async () => {
    // So long that what a busy machine adds is little beside it, and both, so that it is not busy.
    const DELAY_MS = delayOf(provider);
    plane = await openPlane(provider, {
      primaryEnv: { DELAY_MS },
      canaryEnv: { DELAY_MS, ERROR_RATE: '0.2', BUCKETS: buckets },
    });
  }, 120_000);
  afterAll(() => plane.remove());

  it('its built-in metrics are what the clients of the canary saw', async () => {
    await plane.write(50);
    await untilAnswered(plane.clients);
    const begun = performance.now();
    const answers = await timed(plane.clients, begun + leadInMs + windowMs);
    // What happened last is scraped a second later.
    await sleep(500);
    const observer = observers[observerOf[provider]];
    const [successRate, duration] = [
      await measured(plane, observer, 'successRate'),
      await measured(plane, observer, 'duration'),
    ];

    const seen = answers.filter(({ at }) => at > begun + leadInMs);
    const times = seen.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
    const good = seen.filter(({ status }) => status < 500).length;
    const saw = {
      successRate: (good / seen.length) * 100,
      // Skipper's is a mean, the others' a quantile.
      duration:
        provider === 'skipper'
          ? times.reduce((sum, one) => sum + one, 0) / times.length
          : times[Math.floor(times.length * 0.99)]!,
    };
    console.log(
      `${provider}: ${JSON.stringify({ requests: seen.length, successRate, duration, saw })}`,
    );
    expect(Math.abs(successRate / saw.successRate - 1)).toBeLessThan(0.05);
    expect(Math.abs(duration / saw.duration - 1)).toBeLessThan(0.05);
  }, 120_000);
}

interface Timed {
  readonly status: number;
  /** When the answer was there, and how long it took. */
  readonly at: number;
  readonly tookMs: number;
}

/** Sends as so many clients do, one request after the other each; returns the canary's answers. */
async function timed(clients: Clients, endsAt: number): Promise<readonly Timed[]> {
  const answers: Timed[] = [];
  const client = async (): Promise<void> => {
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

/** The gateway knows of the canary. */
async function untilAnswered(clients: Clients): Promise<void> {
  while ((await clients.ask()).version !== canary) await sleep(20);
}

async function measured(plane: Plane, observer: Observer, query: keyof Observer): Promise<number> {
  const metric: Metric = {
    ...{ name: query, interval: `${String(windowMs / 1_000)}s`, threshold: 0, variables: {} },
    ...{ onNoData: 'fail', onProviderError: 'fail' },
  };
  const rendered = renderQuery(observer[query], plane.canary, metric);
  if (!rendered.ok) throw new Error(rendered.problem);
  const { PROMETHEUS_URL: address = '' } = process.env;
  const answer = await prometheus({ address }).query(rendered.text);
  if (answer.kind !== 'value') throw new Error(`no value of ${rendered.text}`);
  return answer.value;
}
