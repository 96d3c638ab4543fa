import { formatNumber } from '../../domain/number.js';
import type { Metric } from '../../domain/canary.js';
import {
  judge,
  unanswered,
  type Measurement,
  type MetricKind,
  type Question,
} from '../../domain/threshold.js';
import { aCanary } from '../activities/a-canary.js';

const names: Record<MetricKind, string> = {
  'success-rate': 'request-success-rate',
  duration: 'request-duration',
  inline: 'error-rate',
  template: 'latency',
};

function judged(kind: MetricKind, bounds: object, measured: number | undefined) {
  const canary = aCanary({ analysis: { metrics: [{ name: names[kind], ...bounds }] } });
  const measurement: Measurement =
    measured === undefined ? { kind: 'no-data' } : { kind: 'value', value: measured };
  return judge({ canary, metric: canary.analysis.metrics[0]!, kind }, measurement);
}

const range = (min?: number, max?: number) => ({ thresholdRange: { min, max } });

describe('a metric passes', () => {
  it.each<[string, MetricKind, object, number]>([
    ['on its minimum', 'success-rate', range(99), 99],
    ['on its maximum', 'duration', range(undefined, 500), 500],
    ['a fraction of a millisecond over its maximum', 'duration', range(undefined, 500), 500.9],
    ['between both bounds', 'template', range(1, 2), 1.5],
    [
      'without any bound, whatever the plain threshold',
      'inline',
      { thresholdRange: {}, threshold: 1 },
      99,
    ],
    ['above a plain success rate', 'success-rate', { threshold: 95 }, 96],
    ['with no threshold for a success rate', 'success-rate', {}, 0],
    ['below a plain threshold', 'inline', { threshold: 5 }, 4],
    ['at nothing when no threshold is given', 'template', {}, 0],
  ])('%s', (_, kind, bounds, value) => {
    expect(judged(kind, bounds, value)).toEqual({
      reading: expect.objectContaining({ metric: names[kind], passed: true }),
    });
  });
});

describe('a metric fails', () => {
  it.each<[MetricKind, object, number, string, string]>([
    ['success-rate', range(99), 98, 'success rate 98.00% < 99%', '>= 99%'],
    ['success-rate', range(undefined, 50.5), 98.127, 'success rate 98.13% > 50.5%', '<= 50.5%'],
    ['success-rate', { threshold: 99 }, 0, 'success rate 0.00% < 99%', '>= 99%'],
    ['duration', range(undefined, 500), 1515.7, 'request duration 1.515s > 500ms', '<= 500ms'],
    ['duration', range(undefined, 0.5), 1, 'request duration 1ms > 0s', '<= 0s'],
    ['duration', range(100), 99.9, 'request duration 99ms < 100ms', '>= 100ms'],
    ['duration', { threshold: 90_000 }, 90_001, 'request duration 1m30.001s > 1m30s', '<= 1m30s'],
    ['duration', {}, 1, 'request duration 1ms > 0s', '<= 0s'],
    ['inline', range(0.1, 1e6), 2e6, 'error-rate 2000000.00 > 1e+06', '>= 0.1 and <= 1e+06'],
    ['template', range(1e-5), 0, 'latency 0.00 < 1e-05', '>= 1e-05'],
    ['template', {}, 0.004, 'latency 0.00 > 0', '<= 0'],
  ])('%s with %j at %d', (kind, bounds, value, text, threshold) => {
    expect(judged(kind, bounds, value)).toEqual({
      reading: {
        metric: names[kind],
        value: kind === 'duration' ? Math.trunc(value) : value,
        threshold,
        passed: false,
      },
      halt: `Halt podinfo.test advancement ${text}`,
    });
  });

  it('on its minimum first when both bounds are crossed', () => {
    expect(judged('inline', range(10, 1), 5).halt).toBe(
      'Halt podinfo.test advancement error-rate 5.00 < 10',
    );
  });
});

describe('a metric without a value fails', () => {
  const halt = 'Halt advancement no values found for';
  const silent = 'probably podinfo.test is not receiving traffic';

  it.each<[MetricKind, string]>([
    [
      'success-rate',
      `${halt} contour metric request-success-rate ${silent}: running query failed: no values found`,
    ],
    ['duration', `${halt} contour metric request-duration ${silent}`],
    ['inline', `${halt} metric: error-rate`],
    ['template', `${halt} custom metric: latency: no values found`],
  ])('%s', (kind, text) => {
    const expected = {
      reading: { metric: names[kind], threshold: 'any', passed: false },
      halt: text,
    };

    for (const value of [undefined, NaN, Infinity, -Infinity]) {
      expect(judged(kind, { thresholdRange: {} }, value)).toEqual(expected);
    }
  });
});

describe('a metric that cannot be judged', () => {
  const asked = (change: Partial<Metric>): Question => {
    const canary = aCanary({ analysis: { metrics: [{ name: 'latency' }] } });
    const metric = { ...canary.analysis.metrics[0]!, ...change };
    return { canary, metric, kind: 'template' };
  };
  const nothing: Measurement = { kind: 'no-data' };
  const unmeasured = 'Halt advancement no values found for custom metric: latency: no values found';
  const reading = { metric: 'latency', threshold: '<= 0' };

  it.each<[Metric['onNoData'], object]>([
    ['fail', { reading: { ...reading, passed: false }, halt: unmeasured }],
    ['hold', { reading: { ...reading, passed: false }, halt: unmeasured, policy: 'hold' }],
    ['extend', { reading: { ...reading, passed: false }, halt: unmeasured, policy: 'extend' }],
    ['ignore', { reading: { ...reading, passed: true } }],
  ])('for want of data means what onNoData says: %s', (onNoData, expected) => {
    const onProviderError = onNoData === 'fail' ? 'ignore' : 'fail';
    expect(judge(asked({ onNoData, onProviderError }), nothing)).toEqual(expected);
  });

  it.each<[Metric['onProviderError'], object]>([
    ['fail', { reading: { ...reading, passed: false }, halt: 'down' }],
    ['hold', { reading: { ...reading, passed: false }, halt: 'down', policy: 'hold' }],
    ['extend', { reading: { ...reading, passed: false }, halt: 'down', policy: 'extend' }],
    ['ignore', { reading: { ...reading, passed: true } }],
  ])('for want of a provider means what onProviderError says: %s', (onProviderError, expected) => {
    const onNoData = onProviderError === 'fail' ? 'ignore' : 'fail';
    expect(unanswered(asked({ onNoData, onProviderError }), 'down')).toEqual(expected);
  });

  const few = 'Halt podinfo.test advancement latency rests on 9 of at least 10 requests';
  it.each<[string, Partial<Metric>, number | undefined, object]>([
    [
      'holds with too few requests',
      { minRequests: 10, onNoData: 'hold' },
      9,
      { reading: { ...reading, passed: false }, halt: few, policy: 'hold' },
    ],
    [
      'fails with too few requests',
      { minRequests: 10, onNoData: 'fail' },
      9,
      { reading: { ...reading, passed: false }, halt: few },
    ],
    [
      'is judged by enough requests',
      { minRequests: 10, onNoData: 'hold' },
      10,
      { reading: { ...reading, value: 0, passed: true } },
    ],
    [
      'is judged by what nobody counts',
      { minRequests: 10, onNoData: 'hold' },
      undefined,
      { reading: { ...reading, value: 0, passed: true } },
    ],
    [
      'is judged by any number when none is asked for',
      { onNoData: 'hold' },
      0,
      { reading: { ...reading, value: 0, passed: true } },
    ],
  ])('%s', (_, change, samples, expected) => {
    const measurement = { kind: 'value', value: 0, ...(samples === undefined ? {} : { samples }) };
    expect(judge(asked(change), measurement as Measurement)).toEqual(expected);
  });

  it('fails out of bounds, whatever happens without a value', () => {
    const judged = judge(asked({ onNoData: 'ignore', onProviderError: 'ignore' }), {
      kind: 'value',
      value: 1,
    });
    expect(judged).toMatchObject({ reading: { passed: false }, halt: expect.any(String) });
    expect(judged.policy).toBeUndefined();
  });
});

it.each([
  [99, '99'],
  [0, '0'],
  [0.1, '0.1'],
  [-5, '-5'],
  [100_000.5, '100000.5'],
  [999_999, '999999'],
  [1e6, '1e+06'],
  [1_234_567.25, '1.23456725e+06'],
  [1e22, '1e+22'],
  [0.0001, '0.0001'],
  [0.00001, '1e-05'],
  [Infinity, '+Inf'],
  [NaN, 'NaN'],
])('prints %d as Go does', (value, text) => {
  expect(formatNumber(value)).toBe(text);
});
