import { objectOf } from '../../activities/metrics/answers.js';
import {
  externalMetrics,
  measurementIn,
  metricIn,
} from '../../activities/metrics/external-metrics.js';
import type { ProviderConfig } from '../../activities/metrics/provider.js';
import { quantityOf } from '../../activities/metrics/quantity.js';
import { kubeAt } from './api-server.js';
import { obeysTheLaws, readsSafely, type Subject } from './laws.js';
import { startReplayServer, type Reply, type ReplayServer } from './replay-server.js';

const api = '/apis/external.metrics.k8s.io/v1beta1';
const inJson = (value: unknown): Reply => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});
const listOf = (...values: unknown[]): object => ({
  kind: 'ExternalMetricValueList',
  apiVersion: 'external.metrics.k8s.io/v1beta1',
  metadata: {},
  items: values.map((value) => ({
    ...{ metricName: 'errors', metricLabels: { app: 'podinfo' } },
    ...{ timestamp: '2026-11-21T10:00:00Z', value },
  })),
});

const subject: Omit<Subject, 'connect' | 'secrets'> = {
  query: 'test/errors?labelSelector=app%3Dpodinfo',
  value: { reply: inJson(listOf('1500m')), expected: { kind: 'value', value: 1.5 } },
  noData: {
    'no item': inJson(listOf()),
    'items that are null': inJson({ ...listOf(), items: null }),
  },
  several: { reply: inJson(listOf('1', '2')), expected: { kind: 'value', value: 1 } },
  malformed: {
    'a value that is none': inJson(listOf('many')),
    'a value not in words': inJson(listOf(7)),
    'an item without a value': inJson({ ...listOf(), items: [{}] }),
    'an item that is none': inJson({ ...listOf(), items: ['7'] }),
    'a status of status 200': inJson({ kind: 'Status', status: 'Failure', message: 'no' }),
    'an empty object': inJson({}),
    'a list': inJson([]),
  },
  pong: inJson({ kind: 'APIResourceList', resources: [] }),
};
const within = (timeoutMs?: number): ProviderConfig =>
  timeoutMs === undefined ? {} : { timeoutMs };

describe('at an address', () => {
  obeysTheLaws({
    ...subject,
    connect: (address, timeoutMs) =>
      externalMetrics({
        ...{ address, credentials: { token: 'planted-token-1' } },
        ...{ headers: { 'X-Api-Key': ['planted-header-1'] }, ...within(timeoutMs) },
      }),
    secrets: ['planted-token-1', 'planted-header-1'],
  });
});

describe('at the API server', () => {
  obeysTheLaws({
    ...subject,
    connect: (address, timeoutMs) =>
      externalMetrics({
        ...{ kube: kubeAt(address, 'planted-token-1'), ...within(timeoutMs) },
        credentials: { token: 'planted-token-2' },
      }),
    secrets: ['planted-token-1', 'planted-token-2'],
  });
});

/** Numbers with a suffix have tests of their own. */
const hasSuffix = (value: unknown): boolean => typeof value === 'string' && /[a-z]$/i.test(value);

readsSafely({
  read: (body) => measurementIn(objectOf(body)),
  bodyWith: (value) => JSON.stringify(listOf(hasSuffix(value) ? null : value)),
  numbers: 'text',
});

describe('a request', () => {
  let server: ReplayServer;
  beforeEach(async () => {
    server = await startReplayServer();
    server.answer(subject.value.reply);
  });
  afterEach(() => server.stop());

  const authorizationOf = async (config: ProviderConfig): Promise<string | undefined> => {
    await externalMetrics(config).query('errors');
    return server.asked[0]?.headers.authorization;
  };

  it.each<[string, () => ProviderConfig]>([
    ['at an address', () => ({ address: `${server.address}/prefix/` })],
    ['at the API server', () => ({ kube: kubeAt(`${server.address}/prefix`, 'worker') })],
  ])('%s names the metric and selects by labels', async (_, config) => {
    await externalMetrics(config()).query('test/a:b@c?labelSelector=app%3Dpodinfo%2Ctier%3Dweb');

    const [asked] = server.asked;
    expect(decodeURIComponent(asked?.path ?? '')).toBe(`/prefix${api}/namespaces/test/a:b@c`);
    expect(asked?.params.get('labelSelector')).toBe('app=podinfo,tier=web');
  });

  it("carries the worker's login to the API server", async () => {
    const kube = kubeAt(server.address, 'worker');

    expect(await authorizationOf({ kube })).toBe('Bearer worker');
  });

  it("carries the Secret's token instead of the worker's", async () => {
    const kube = kubeAt(server.address, 'worker');

    expect(await authorizationOf({ kube, credentials: { token: 'own' } })).toBe('Bearer own');
  });

  it("never carries the worker's login to another address", async () => {
    const kube = kubeAt('http://127.0.0.1:1', 'worker');

    expect(await authorizationOf({ kube, address: server.address })).toBeUndefined();
  });
});

describe('a query', () => {
  it.each([
    ['errors', { namespace: 'default', metric: 'errors', labelSelector: '' }],
    ['/errors', { namespace: 'default', metric: 'errors' }],
    ['test/errors\n', { namespace: 'test', metric: 'errors' }],
    ['test/a:b@c', { metric: 'a:b@c' }],
    ['errors?labelSelector=a%3Db', { labelSelector: 'a=b' }],
    ['errors?', { metric: 'errors', labelSelector: '' }],
  ])('%j is understood', (text, expected) => {
    expect(metricIn(text)).toMatchObject(expected);
  });

  it.each(['', '/', 'ns/', '//a', 'a/b/c', '../secrets', 'a/..', 'A_b/c', '?labelSelector=a'])(
    '%j is refused',
    (text) => {
      expect(() => metricIn(text)).toThrow('the query must be [NAMESPACE/]METRIC');
    },
  );

  it('with another parameter is refused', () => {
    expect(() => metricIn('errors?selector=a')).toThrow(
      'the query may have the parameter labelSelector alone, not selector',
    );
  });
});

describe('a quantity', () => {
  it.each<[string, number]>([
    ['0', 0],
    ['7', 7],
    ['-3', -3],
    ['+2.5', 2.5],
    ['.5', 0.5],
    ['1500m', 1.5],
    ['3u', 3e-6],
    ['100n', 1e-7],
    ['2k', 2_000],
    ['1.5G', 1.5e9],
    ['1E', 1e18],
    ['1E3', 1_000],
    ['12e-1', 1.2],
    ['1Ki', 1_024],
    ['0.5Gi', 2 ** 29],
  ])('%s is %d', (text, value) => {
    expect(quantityOf(text)).toEqual({ kind: 'value', value });
  });

  it.each(['', ' 1', '1 ', '1K', '1kk', 'k', '.', '1e', '0x1', '1,5', '1mi', 'NaN', null, 7])(
    '%j is none',
    (text) => {
      expect(() => quantityOf(text)).toThrow('is not a quantity');
    },
  );
});

it('without an address, needs the Kubernetes API', () => {
  expect(() => externalMetrics({})).toThrow('without an address, it needs the Kubernetes API');
});
