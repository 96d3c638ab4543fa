import type { Measurement } from '../../domain/threshold.js';
import { isFields, list, measured, noData, object, objectOf, UnexpectedAnswer } from './answers.js';
import { connect } from './back-end.js';
import type { MetricProvider, ProviderConfig } from './provider.js';
import { credential } from './secrets.js';
import { intervalOf } from './window.js';

/**
 * New Relic. The query is about the last interval, and gives one row with an attribute `result`.
 * API: https://docs.newrelic.com/docs/apis/insights-apis/query-insights-event-data-api/
 */
export function newrelic(config: ProviderConfig): MetricProvider {
  const account = credential(config, 'newrelic_account_id');
  const key = credential(config, 'newrelic_query_key');
  const ask = connect(config, {
    address: 'https://insights-api.newrelic.com',
    timeoutMs: 5_000,
    login: { 'X-Query-Key': key },
    secrets: [key],
  });
  const path = `v1/accounts/${encodeURIComponent(account)}/query`;
  function params(nrql: string): URLSearchParams {
    const seconds = Math.max(1, Math.floor(intervalOf(config) / 1_000));
    return new URLSearchParams({ nrql: `${nrql.trim()} SINCE ${String(seconds)} seconds ago` });
  }

  return {
    async query(text, signal) {
      return ask({ path, params: params(text), read: readNewRelic, signal });
    },
    async ping(signal) {
      await ask({ path, params: params('SELECT * FROM Metric'), read: () => undefined, signal });
    },
  };
}

/** Reads the answer to a NRQL query; the events it matched are its samples. */
export function readNewRelic(body: string): Measurement {
  const { results, performanceStats } = objectOf(body);
  const [first, ...others] = list(results, 'results');
  if (first === undefined) return noData;
  if (others.length > 0) throw new UnexpectedAnswer('multiple values returned');
  const { result } = object(first, 'a result');
  if (result === undefined) {
    throw new UnexpectedAnswer('the query gives no attribute named result (SELECT ... AS result)');
  }
  const measurement = measured(result);
  const samples = matchesIn(performanceStats);
  return measurement.kind === 'no-data' || samples === undefined
    ? measurement
    : { ...measurement, samples };
}

function matchesIn(performanceStats: unknown): number | undefined {
  if (!isFields(performanceStats)) return undefined;
  const { matchCount } = performanceStats;
  return typeof matchCount === 'number' && Number.isSafeInteger(matchCount)
    ? matchCount
    : undefined;
}
