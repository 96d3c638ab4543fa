import type { Measurement } from '../../domain/threshold.js';
import type { Kube } from '../kube.js';
import { isFields, list, noData, object, objectOf, UnexpectedAnswer } from './answers.js';
import { connect } from './back-end.js';
import { askInTime } from './deadline.js';
import type { MetricProvider, ProviderConfig } from './provider.js';
import { quantityOf } from './quantity.js';
import { hiding } from './secrets.js';

const api = 'apis/external.metrics.k8s.io/v1beta1';
const defaultTimeoutMs = 5_000;

/** Reads below the root of an API server. */
type Read = <T>(
  request: { readonly path: string; readonly params?: URLSearchParams },
  read: (body: unknown) => T,
  signal?: AbortSignal,
) => Promise<T>;

/**
 * The external metrics API, at the cluster's API server or at an address of its own. Of several
 * items the first counts. The token of the Secret replaces the worker's own login, which is never
 * sent to another address.
 * API: https://github.com/kubernetes/metrics#external-metrics-api
 */
export function externalMetrics(config: ProviderConfig): MetricProvider {
  const read = hasAddress(config) ? atAddress(config) : atApiServer(config);

  return {
    async query(text, signal) {
      const { namespace, metric, labelSelector } = metricIn(text);
      const params = new URLSearchParams({
        ...(labelSelector === '' ? {} : { labelSelector }),
        timeout: '5s',
      });
      const path = `${api}/namespaces/${namespace}/${encodeURIComponent(metric)}`;
      return read({ path, params }, measurementIn, signal);
    },
    // That the API is served says most; which metrics it has is not to be known.
    ping: (signal) => read({ path: api }, resourcesIn, signal),
  };
}

function hasAddress({ address = '' }: ProviderConfig): boolean {
  return address !== '';
}

function atAddress(config: ProviderConfig): Read {
  const { token = '' } = config.credentials ?? {};
  const ask = connect(config, {
    example: 'https://metrics-adapter.monitoring',
    timeoutMs: defaultTimeoutMs,
    ...(token === '' ? {} : { login: { Authorization: `Bearer ${token}` }, secrets: [token] }),
  });
  return (request, read, signal) =>
    ask({ ...request, read: (body) => read(objectOf(body)), signal });
}

/** The API server is always verified, with the certificate authority the worker trusts. */
function atApiServer({ kube, credentials, headers, timeoutMs }: ProviderConfig): Read {
  const { token = '' } = credentials ?? {};
  const server = connected(kube);
  const login = token === '' ? {} : { Authorization: `Bearer ${token}` };
  const asking = { timeoutMs: timeoutMs ?? defaultTimeoutMs, hide: hiding([token]) };
  return ({ path, params }, read, signal) =>
    askInTime({ ...asking, what: `/${path}`, signal }, async (either) => {
      const query = params === undefined ? '' : `?${String(params)}`;
      const options = { signal: either, headers: { ...headers, ...login } };
      return read(await server.get(`/${path}${query}`, options));
    });
}

function connected(kube: Kube | undefined): Kube {
  if (kube === undefined) throw new Error('without an address, it needs the Kubernetes API');
  return kube;
}

interface MetricName {
  readonly namespace: string;
  readonly metric: string;
  readonly labelSelector: string;
}

/** Takes apart `[NAMESPACE/]METRIC[?labelSelector=SELECTOR]`, the selector encoded as in URLs. */
export function metricIn(query: string): MetricName {
  const text = query.trim();
  const [name = '', ...parameters] = text.split('?');
  const parts = name.replace(/^\//, '').split('/');
  const [namespace = '', metric = '', ...more] = parts.length === 1 ? ['default', ...parts] : parts;
  const isNamespace = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(namespace);
  if (!isNamespace || ['', '.', '..'].includes(metric) || more.length > 0) {
    throw new Error(`the query must be [NAMESPACE/]METRIC[?labelSelector=...], not ${text}`);
  }
  return { namespace, metric, labelSelector: selectorIn(parameters.join('?')) };
}

function selectorIn(parameters: string): string {
  const given = new URLSearchParams(parameters);
  const unknown = [...given.keys()].find((key) => key !== 'labelSelector');
  if (unknown !== undefined) {
    throw new Error(`the query may have the parameter labelSelector alone, not ${unknown}`);
  }
  return given.get('labelSelector') ?? '';
}

/** Reads a list of values, the first of which counts. */
export function measurementIn(answer: unknown): Measurement {
  const { kind, items } = object(answer, 'the answer');
  if (kind !== 'ExternalMetricValueList') throw new UnexpectedAnswer('the answer is of no list');
  const [first] = list(items ?? [], 'items');
  return first === undefined ? noData : quantityOf(object(first, 'an item')['value']);
}

function resourcesIn(answer: unknown): void {
  if (isFields(answer) && answer['kind'] === 'APIResourceList') return;
  throw new UnexpectedAnswer('the answer is no list of metrics');
}
