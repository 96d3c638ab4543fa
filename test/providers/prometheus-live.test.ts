import { prometheus } from '../../activities/metrics/prometheus.js';
import type { Measurement } from '../../domain/threshold.js';
import { failureOf } from './laws.js';

const address = process.env['PROMETHEUS_URL'] ?? '';

const ask = (query: string): Promise<Measurement> => prometheus({ address }).query(query);

it.each([
  ['a vector of one series', 'vector(99.5)', 99.5],
  [
    'the last of several series',
    'sort(vector(1) or label_replace(vector(2), "a", "b", "", ""))',
    2,
  ],
  ['a query over lines', 'vector(\n  4\n)\n', 4],
])('measures %s', async (_, query, value) => {
  expect(await ask(query)).toEqual({ kind: 'value', value });
});

it.each([
  ['no series', 'nobody_counts_this'],
  ['no number', 'vector(0) / vector(0)'],
  ['no finite number', 'vector(1) / vector(0)'],
])('has nothing to measure in %s', async (_, query) => {
  expect(await ask(query)).toEqual({ kind: 'no-data' });
});

it.each([
  ['a range', 'vector(1)[1m:10s]', 'multiple values returned'],
  ['a scalar', '2', 'the answer is no instant vector'],
])('refuses %s', async (_, query, message) => {
  expect((await failureOf(ask(query))).message).toContain(message);
});

it('names what Prometheus says of a query that it does not understand', async () => {
  expect((await failureOf(ask('sum(rate('))).message).toMatch(/^HTTP 400: .*parse error/s);
});

it('answers a ping', async () => {
  await expect(prometheus({ address }).ping()).resolves.toBeUndefined();
});
