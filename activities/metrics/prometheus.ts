import type { Measurement } from '../../domain/threshold.js';
import {
  isFields,
  measuredText,
  noData,
  objectOf,
  QueryRefused,
  UnexpectedAnswer,
  type Fields,
} from './answers.js';
import { basicLogin, connect } from './back-end.js';
import type { MetricProvider, ProviderConfig } from './provider.js';

/**
 * Prometheus and what speaks its query API. Of several series the last one counts; a range is
 * refused.
 * API: https://prometheus.io/docs/prometheus/latest/querying/api/
 */
export function prometheus(config: ProviderConfig): MetricProvider {
  const ask = connect(config, {
    example: 'http://prometheus:9090',
    timeoutMs: 5_000,
    ...loginOf(config),
  });

  async function query(text: string, signal?: AbortSignal): Promise<Measurement> {
    const params = new URLSearchParams({ query: text.replaceAll(/\s+/g, ' ') });
    return ask({ path: 'api/v1/query', params, read: readPrometheus, signal });
  }

  return {
    query,
    async ping(signal) {
      const answer = await query('vector(1)', signal);
      if (answer.kind !== 'value' || answer.value !== 1) {
        throw new Error('vector(1) was not answered with 1');
      }
    },
  };
}

/** A token wins over a user. */
function loginOf({ credentials }: ProviderConfig): Partial<ReturnType<typeof basicLogin>> {
  if (credentials === undefined) return {};
  const { token, username, password } = credentials;
  if (token !== undefined && token !== '') {
    return { login: { Authorization: `Bearer ${token}` }, secrets: [token] };
  }
  if (username === undefined) throw new Error('neither token nor username found');
  if (password === undefined) throw new Error('password not found');
  return basicLogin(username, password);
}

/** Reads the answer to an instant query. */
export function readPrometheus(body: string): Measurement {
  const samples = seriesOf(body).map(sampleOf);
  return samples.findLast((sample) => sample !== undefined) ?? noData;
}

function seriesOf(body: string): readonly Fields[] {
  const { status, error, data } = objectOf(body);
  if (status === 'error') throw new QueryRefused(String(error));
  const { result } = isFields(data) ? data : {};
  if (!Array.isArray(result) || !result.every(isFields)) {
    throw new UnexpectedAnswer('the answer is no instant vector');
  }
  return result;
}

/** A sample is `[epoch seconds, number in words]`; of native histograms there is none. */
function sampleOf({ value, values }: Fields): Measurement | undefined {
  if (values !== undefined) throw new UnexpectedAnswer('multiple values returned');
  const text: unknown = Array.isArray(value) ? value[1] : undefined;
  return typeof text === 'string' ? measuredText(text) : undefined;
}
