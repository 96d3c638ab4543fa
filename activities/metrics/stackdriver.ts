import type { Measurement } from '../../domain/threshold.js';
import {
  list,
  measured,
  measuredText,
  noData,
  object,
  objectOf,
  QueryRefused,
  UnexpectedAnswer,
} from './answers.js';
import { connect, type Inquiry } from './back-end.js';
import { askInTime } from './deadline.js';
import { googleLogin } from './google-login.js';
import { readPrometheus } from './prometheus.js';
import type { MetricProvider, ProviderConfig } from './provider.js';
import { hiding } from './secrets.js';

const google = 'https://monitoring.googleapis.com';
const defaultTimeoutMs = 10_000;

/**
 * Google Cloud Monitoring, in PromQL or in MQL, which Google no longer supports and still answers
 * (https://cloud.google.com/stackdriver/docs/deprecations/mql). Of several series the last one
 * counts in PromQL; in MQL it is the first one, with its newest point.
 * APIs: https://cloud.google.com/monitoring/api/ref_v3/rest/v1/projects.location.prometheus.api.v1/query
 * and https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.timeSeries/query
 */
export function stackdriver(config: ProviderConfig): MetricProvider {
  const { project, token, secrets, isWorkers } = googleLogin(config);
  if (isWorkers) keepWorkersTokenAtGoogle(config);
  const { timeoutMs = defaultTimeoutMs } = config;
  const login = { what: 'the login at Google', timeoutMs, hide: hiding(secrets) };

  async function ask<T>(
    inquiryAbout: (project: string) => Inquiry<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const [name, bearer] = await askInTime({ ...login, signal }, () =>
      Promise.all([project(), token()]),
    );
    const send = connect(config, {
      ...{ address: google, timeoutMs },
      login: { Authorization: `Bearer ${bearer}` },
      secrets: [...secrets, bearer],
    });
    return send({ ...inquiryAbout(encodeURIComponent(name)), signal });
  }

  return {
    query: async (text, signal) => ask(isMql(text) ? inMql(text) : inPromQl(text), signal),
    async ping(signal) {
      const answer = await ask(inPromQl('vector(1)'), signal);
      if (answer.kind !== 'value' || answer.value !== 1) {
        throw new Error('vector(1) was not answered with 1');
      }
    },
  };
}

/** A template's author could otherwise have the worker's token sent to any server. */
function keepWorkersTokenAtGoogle({ address = '' }: ProviderConfig): void {
  const { protocol, hostname } = URL.canParse(address) ? new URL(address) : new URL(google);
  if (protocol === 'https:' && hostname.endsWith('.googleapis.com')) return;
  throw new Error(
    'an address outside https://*.googleapis.com needs a serviceAccountKey in the Secret',
  );
}

/**
 * Tells the two languages apart by how queries in MQL begin: with what they fetch, or with a
 * definition. In PromQL a metric is not followed by another word, but for a few operators.
 * Grammar: https://cloud.google.com/monitoring/mql/reference
 */
export function isMql(query: string): boolean {
  const text = query.replaceAll(/^\s*#.*$/gm, '');
  return (
    /^[\s({]*fetch(\s+(?!(and|offset|or|unless)\b)[\w']|')/.test(text) || /^\s*def\s+\w/.test(text)
  );
}

type InquiryAbout = (project: string) => Inquiry<Measurement>;

function inPromQl(query: string): InquiryAbout {
  const params = new URLSearchParams({ query });
  return (project) => ({
    path: `v1/projects/${project}/location/global/prometheus/api/v1/query`,
    params,
    read: readPrometheus,
  });
}

function inMql(query: string): InquiryAbout {
  return (project) => ({
    path: `v3/projects/${project}/timeSeries:query`,
    json: { query },
    read: readMql,
  });
}

/** Reads the answer to a query in MQL; one that is not about all of the data is refused. */
export function readMql(body: string): Measurement {
  const { timeSeriesData, partialErrors, error } = objectOf(body);
  if (error !== undefined) throw new QueryRefused(JSON.stringify(error));
  const errors = list(partialErrors ?? [], 'partialErrors');
  if (errors.length > 0) throw new QueryRefused(JSON.stringify(errors));
  const [series] = list(timeSeriesData ?? [], 'timeSeriesData');
  if (series === undefined) return noData;
  const [point] = list(object(series, 'a time series')['pointData'] ?? [], 'pointData');
  if (point === undefined) return noData;
  const [value] = list(object(point, 'a point')['values'] ?? [], 'values');
  return value === undefined ? noData : typedValue(value);
}

/** API: https://cloud.google.com/monitoring/api/ref_v3/rest/v3/TypedValue */
function typedValue(value: unknown): Measurement {
  const { doubleValue, int64Value, ...others } = object(value, 'a value');
  const number = doubleValue ?? int64Value;
  if (typeof number === 'string') return measuredText(number);
  if (number !== undefined) return measured(number);
  const [type = 'nothing'] = Object.keys(others);
  throw new UnexpectedAnswer(`a value must be a number, not ${type}`);
}
