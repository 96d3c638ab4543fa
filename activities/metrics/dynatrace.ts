import type { Measurement } from '../../domain/threshold.js';
import { list, measured, noData, object, objectOf, UnexpectedAnswer } from './answers.js';
import { connect } from './back-end.js';
import type { MetricProvider, ProviderConfig } from './provider.js';
import { credential } from './secrets.js';
import { windowOf } from './window.js';

/**
 * Dynatrace. The query is a metric selector over the last ten intervals as one point; of several
 * series the last one counts.
 * API: https://docs.dynatrace.com/docs/dynatrace-api/environment-api/metric-v2/get-data-points
 */
export function dynatrace(config: ProviderConfig): MetricProvider {
  const token = credential(config, 'dynatrace_token');
  const ask = connect(config, {
    example: 'https://abc12345.live.dynatrace.com',
    timeoutMs: 5_000,
    login: { Authorization: `Api-Token ${token}` },
    secrets: [token],
  });

  return {
    async query(text, signal) {
      const { from, to } = windowOf(config);
      const params = new URLSearchParams({
        metricSelector: text.trim(),
        resolution: 'Inf',
        from: String(from),
        to: String(to),
      });
      return ask({ path: 'api/v2/metrics/query', params, read: readDynatrace, signal });
    },
    ping(signal) {
      const params = new URLSearchParams({ pageSize: '1' });
      return ask({ path: 'api/v2/metrics', params, read: () => undefined, signal });
    },
  };
}

/** Reads the answer to a query of data points; one without a result has none. */
export function readDynatrace(body: string): Measurement {
  const { result = [], error } = objectOf(body);
  if (error !== undefined) throw new UnexpectedAnswer('query refused');
  const [selected] = list(result, 'result');
  if (selected === undefined) return noData;
  const { data } = object(selected, 'a result');
  const series = list(data, 'data').at(-1);
  if (series === undefined) return noData;
  const { values } = object(series, 'a series');
  const [value] = list(values, 'values');
  return value === undefined ? noData : measured(value);
}
