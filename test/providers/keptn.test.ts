import { keptn, valueIn, verdictIn } from '../../activities/metrics/keptn.js';
import { inquiryIn } from '../../activities/metrics/keptn-query.js';
import { objectOf } from '../../activities/metrics/answers.js';
import { kubeAt } from './api-server.js';
import { failureOf, obeysTheLaws, readsSafely } from './laws.js';
import { startReplayServer, type Reply, type ReplayServer } from './replay-server.js';

const apiVersion = 'metrics.keptn.sh/v1beta1';
const headers = { 'content-type': 'application/json' };
const inJson = (value: unknown): Reply => ({ headers, body: JSON.stringify(value) });
const metric = (status?: object): object => ({
  ...{ apiVersion, kind: 'KeptnMetric', metadata: { name: 'errors', namespace: 'test' } },
  ...(status === undefined ? {} : { status }),
});
const analysis = (status?: object): object => ({
  ...{ apiVersion, kind: 'Analysis', metadata: { name: 'slo-1', namespace: 'test' } },
  ...(status === undefined ? {} : { status }),
});
const resources = { kind: 'APIResourceList', groupVersion: apiVersion, resources: [] };
const value = {
  reply: inJson(metric({ value: '12.5', rawValue: '', lastUpdated: '2026-11-21T10:00:00Z' })),
  expected: { kind: 'value', value: 12.5 },
} as const;

obeysTheLaws({
  connect: (address, timeoutMs) =>
    keptn({
      kube: kubeAt(address, 'planted-token-1'),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    }),
  secrets: ['planted-token-1'],
  query: 'keptnmetric/test/errors',
  value,
  noData: {
    'a metric nobody has measured yet': inJson(metric()),
    'an empty value': inJson(metric({ value: '' })),
    NaN: inJson(metric({ value: 'NaN' })),
  },
  // A KeptnMetric has one value.
  several: value,
  malformed: {
    'a value that is none': inJson(metric({ value: 'many' })),
    'a value not in words': inJson(metric({ value: 7 })),
    'a measurement that failed': inJson(metric({ value: '7', errMsg: 'no such query' })),
    'an object of another kind': inJson({ ...metric({ value: '7' }), kind: 'Metric' }),
    'an empty object': inJson({}),
    'a list': inJson([]),
  },
  pong: inJson(resources),
});

readsSafely({
  read: (body) => valueIn(objectOf(body)),
  bodyWith: (one) => JSON.stringify(metric({ value: one })),
  numbers: 'text',
});

describe('an Analysis', () => {
  let server: ReplayServer;
  beforeEach(async () => {
    server = await startReplayServer();
  });
  afterEach(() => server.stop());

  const ask = (signal?: AbortSignal, timeoutMs?: number) =>
    keptn({
      kube: kubeAt(server.address, 'a-token'),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    }).query('analysis/test/slo/5m/env=a', signal);
  const methods = () => server.asked.map(({ method }) => method);

  it.each<[string, object | undefined, ReturnType<typeof verdictIn>]>([
    ['that passed is 1', { state: 'Completed', pass: true }, { kind: 'value', value: 1 }],
    ['that failed is 0', { state: 'Completed', pass: false }, { kind: 'value', value: 0 }],
    ['that failed is 0, as Keptn writes it', { state: 'Completed' }, { kind: 'value', value: 0 }],
    ['that has begun is not over', { state: 'Progressing' }, undefined],
    ['that has not begun is not over', undefined, undefined],
    ['that is under way says nothing', { state: 'Progressing', pass: true }, undefined],
  ])('%s', (_, status, expected) => {
    expect(verdictIn(analysis(status))).toEqual(expected);
  });

  it.each([[{ state: 'Completed', pass: 'true' }], [{ state: 'Completed', pass: 1 }]])(
    'with %j is refused',
    (status) => {
      expect(() => verdictIn(analysis(status))).toThrow('status.pass is neither true nor false');
    },
  );

  it('is removed when the caller gives up, and the reason of the caller is thrown', async () => {
    const controller = new AbortController();
    const reason = new Error('called off');
    server.answer(({ method }) => {
      if (method === 'GET') setTimeout(() => controller.abort(reason), 10);
      return inJson(analysis());
    });

    expect(await failureOf(ask(controller.signal))).toBe(reason);
    expect(methods()).toEqual(['POST', 'GET', 'DELETE']);
  });

  it('is removed when it takes too long', async () => {
    server.answer(inJson(analysis()));

    const { message } = await failureOf(ask(undefined, 300));

    expect(message).toBe('Analysis test/slo: no answer within 0.3 s');
    expect(methods().at(-1)).toBe('DELETE');
  });

  it('is removed when it may be there although its creation failed', async () => {
    server.answer(({ method }) => ({ status: method === 'POST' ? 500 : 200, body: '{}', headers }));

    expect((await failureOf(ask())).message).toContain('HTTP 500');
    expect(methods()).toEqual(['POST', 'DELETE']);
  });

  it('that cannot be removed is told of', async () => {
    server.answer(({ method }) =>
      method === 'DELETE'
        ? { status: 403, body: '{}' }
        : inJson(analysis({ state: 'Completed', pass: true })),
    );

    expect((await failureOf(ask())).message).toMatch(/^removal of Analysis test\/slo: .*HTTP 403/);
  });
});

describe('a query', () => {
  it.each([
    ['keptnmetric/a/b', { kind: 'KeptnMetric', namespace: 'a', name: 'b' }],
    ['\n KeptnMetrics/A/B.c\n', { kind: 'KeptnMetric', namespace: 'a', name: 'b.c' }],
    ['analysis/a/b', { kind: 'Analysis', timeframe: '1m', args: {} }],
    ['analyses/a/b/', { kind: 'Analysis', timeframe: '1m', args: {} }],
    ['analysis/a/b/5m/foo=bar;bar=foo', { timeframe: '5m', args: { foo: 'bar', bar: 'foo' } }],
    ['analysis/a/b/5m/path=/x/y', { args: { path: '/x/y' } }],
    ['analysis/a/b/5m/empty=', { args: { empty: '' } }],
  ])('%j is understood', (text, expected) => {
    expect(inquiryIn(text)).toMatchObject(expected);
  });

  it.each([
    ['', 'the query must be KIND/NAMESPACE/NAME'],
    ['keptnmetric/default', 'the query must be KIND/NAMESPACE/NAME'],
    ['keptnmetric//a', 'the query must be KIND/NAMESPACE/NAME'],
    ['keptnmetric/a/..', 'the query must be KIND/NAMESPACE/NAME'],
    ['secret/default/a', 'the query must ask for a keptnmetric or an analysis, not for secret'],
    ['tostring/default/a', 'the query must ask for a keptnmetric or an analysis'],
    ['analysis/a/b/5m/foo', 'the arguments in the query must be KEY=VALUE;..., not foo'],
    ['analysis/a/b/5m/a=b=c', 'the arguments in the query must be KEY=VALUE;..., not a=b=c'],
    ['analysis/a/b/5m/=c', 'the arguments in the query must be KEY=VALUE;..., not =c'],
  ])('%j is refused', (text, message) => {
    expect(() => inquiryIn(text)).toThrow(message);
  });
});

it('needs the Kubernetes API', () => {
  expect(() => keptn({})).toThrow('it needs the Kubernetes API');
});
