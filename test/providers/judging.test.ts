import type { Deps } from '../../activities/deps.js';
import { judgeMetrics, type Findings } from '../../activities/metrics/judging.js';
import { aCanary, someSettings } from '../activities/a-canary.js';
import { startMetricsServer, vectorOf, type MetricsServer } from './prometheus-server.js';

let server: MetricsServer;
beforeEach(async () => {
  server = await startMetricsServer();
});
afterEach(() => server.stop());

const measured: string[] = [];

/** Judges inline metrics, in order; the server answers all alike, with `answer`. */
async function judged(answer: string, ...metrics: object[]): Promise<Findings> {
  server.answer(200, answer);
  measured.splice(0);
  const telemetry = { metricMeasured: (_: unknown, metric: string) => measured.push(metric) };
  const settings = { ...someSettings, metricsServer: server.address };
  const canary = aCanary({
    analysis: { metrics: metrics.map((metric) => ({ query: 'up', ...metric })) },
  });
  const ref = { cluster: 'test', namespace: 'test', name: 'podinfo' };
  const { signal } = new AbortController();
  return judgeMetrics({ telemetry, settings } as unknown as Deps, { ref, canary, signal });
}

const holds = { name: 'holds', onNoData: 'hold' };
const extends_ = { name: 'extends', onNoData: 'extend' };
const ignores = { name: 'ignores', onNoData: 'ignore' };
const fails = { name: 'fails' };
const nothing = vectorOf();
const reasonOf = (metric: string): string =>
  `Halt advancement no values found for metric: ${metric}`;

it('passes with every metric', async () => {
  const found = await judged(
    vectorOf('1'),
    { name: 'a', threshold: 1 },
    { name: 'b', threshold: 1 },
  );
  expect(found.halt).toBeUndefined();
  expect(found.readings.map(({ metric, passed }) => [metric, passed])).toEqual([
    ['a', true],
    ['b', true],
  ]);
  expect(measured).toEqual(['a', 'b']);
});

it('ends with the first metric that fails', async () => {
  const { readings, halt } = await judged(vectorOf('1'), { name: 'a' }, { name: 'b' });
  expect(halt).toEqual({ check: 'a', reason: 'Halt podinfo.test advancement a 1.00 > 0' });
  expect(readings).toHaveLength(1);
});

describe('without data', () => {
  it.each<[string, object[], Findings['halt']]>([
    ['ignores a metric that may be ignored', [ignores], undefined],
    ['holds', [ignores, holds], { check: 'holds', reason: reasonOf('holds'), policy: 'hold' }],
    ['extends', [extends_], { check: 'extends', reason: reasonOf('extends'), policy: 'extend' }],
    [
      'may not wait for ever where one metric may not',
      [holds, extends_],
      { check: 'extends', reason: reasonOf('extends'), policy: 'extend' },
    ],
    [
      'may not wait for ever, whichever comes first',
      [extends_, holds],
      { check: 'extends', reason: reasonOf('extends'), policy: 'extend' },
    ],
    [
      'fails where one metric does, behind those that only wait',
      [holds, extends_, fails],
      { check: 'fails', reason: reasonOf('fails') },
    ],
  ])('%s', async (_, metrics, halt) => {
    const found = await judged(nothing, ...metrics);
    expect(found.halt).toEqual(halt);
    expect(found.readings).toHaveLength(metrics.length);
    expect(found.readings.every((reading) => reading.value === undefined)).toBe(true);
  });
});

it('does not take a provider that is down for missing data', async () => {
  const metric = { name: 'a', onNoData: 'fail', onProviderError: 'hold' };
  expect((await judged('no JSON', metric)).halt).toMatchObject({ policy: 'hold' });
});
