import type { Measurement } from '../../domain/threshold.js';
import { list, measured, noData, object, objectOf, QueryRefused } from './answers.js';
import { connect } from './back-end.js';
import type { MetricProvider, ProviderConfig } from './provider.js';
import { credential } from './secrets.js';
import { windowOf } from './window.js';

/**
 * Datadog. The query is about the last ten intervals, and of the first series the oldest point
 * counts, because the newest is not complete yet.
 * API: https://docs.datadoghq.com/api/latest/metrics/#query-timeseries-points
 */
export function datadog(config: ProviderConfig): MetricProvider {
  const key = credential(config, 'datadog_api_key');
  const applicationKey = credential(config, 'datadog_application_key');
  const ask = connect(config, {
    address: 'https://api.datadoghq.com',
    timeoutMs: 5_000,
    login: { 'DD-API-KEY': key, 'DD-APPLICATION-KEY': applicationKey },
    secrets: [key, applicationKey],
  });

  return {
    async query(text, signal) {
      const { from, to } = windowOf(config);
      const params = new URLSearchParams({
        query: text,
        from: String(Math.floor(from / 1_000)),
        to: String(Math.floor(to / 1_000)),
      });
      return ask({ path: 'api/v1/query', params, read: readDatadog, signal });
    },
    ping: (signal) => ask({ path: 'api/v1/validate', read: () => undefined, signal }),
  };
}

/** Reads the answer to a query of time series, of which empty points are left out. */
export function readDatadog(body: string): Measurement {
  const { status, error, series } = objectOf(body);
  if (status === 'error') throw new QueryRefused(String(error));
  const [first] = list(series, 'series');
  if (first === undefined) return noData;
  const { pointlist } = object(first, 'a series');
  const points = list(pointlist, 'pointlist').map(valueOf);
  return points.find((point) => point.kind === 'value') ?? noData;
}

/** A point is `[epoch milliseconds, number]`. */
function valueOf(point: unknown): Measurement {
  const parts = list(point, 'a point');
  return parts.length === 0 ? noData : measured(parts[1]);
}
