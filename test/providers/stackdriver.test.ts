import { generateKeyPairSync, verify } from 'node:crypto';
import { inspect } from 'node:util';

import type { ProviderConfig } from '../../activities/metrics/provider.js';
import { isMql, readMql, stackdriver } from '../../activities/metrics/stackdriver.js';
import { failureOf, obeysTheLaws, readsSafely, type Subject } from './laws.js';
import { vectorOf } from './prometheus-server.js';
import { startReplayServer, type Reply, type ReplayServer } from './replay-server.js';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const serviceAccountKey = JSON.stringify({
  type: 'service_account',
  project_id: 'of-the-key',
  private_key_id: 'key-1',
  private_key: pem,
  client_email: 'sluice@a-project.iam.gserviceaccount.com',
  token_uri: 'https://oauth2.googleapis.com/token',
});
const credentials = { project: 'a-project', serviceAccountKey };

/** An answer in MQL as the API documents it, with one value of each series. */
const seriesOf = (...values: object[]): string =>
  JSON.stringify({
    timeSeriesDescriptor: { pointDescriptors: [{ key: 'value', valueType: 'DOUBLE' }] },
    timeSeriesData: values.map((value) => ({ pointData: [{ values: [value] }] })),
  });
const reply = (...values: object[]): Reply => ({ body: seriesOf(...values) });
const inJson = (value: unknown): Reply => ({ body: JSON.stringify(value) });

const subject: Pick<Subject, 'connect' | 'secrets' | 'pong'> = {
  connect: (address, timeoutMs) =>
    stackdriver({
      ...{ address, credentials, headers: { 'X-Api-Key': ['planted-header-1'] } },
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    }),
  secrets: [pem, serviceAccountKey, JSON.stringify(pem), 'planted-header-1'],
  pong: { body: vectorOf('1') },
};

describe('in MQL', () => {
  obeysTheLaws({
    ...subject,
    query: "fetch k8s_container | metric 'kubernetes.io/container/restart_count' | within 5m",
    value: { reply: reply({ doubleValue: 12.5 }), expected: { kind: 'value', value: 12.5 } },
    noData: {
      'no field at all': { body: '{}' },
      'no series': reply(),
      'a series without points': inJson({ timeSeriesData: [{ labelValues: [] }] }),
      'a point without values': inJson({ timeSeriesData: [{ pointData: [{ values: [] }] }] }),
      'NaN, which JSON has in words': reply({ doubleValue: 'NaN' }),
    },
    several: {
      reply: reply({ doubleValue: 1 }, { doubleValue: 2 }),
      expected: { kind: 'value', value: 1 },
    },
    malformed: {
      'a list': { body: '[]' },
      'series that are no list': inJson({ timeSeriesData: {} }),
      'a distribution': reply({ distributionValue: { count: '3', mean: 2 } }),
      'a string': reply({ stringValue: '7' }),
      'a boolean': reply({ boolValue: true }),
      'what is not about all of the data': inJson({
        timeSeriesData: [{ pointData: [{ values: [{ doubleValue: 1 }] }] }],
        partialErrors: [{ code: 4, message: 'deadline exceeded' }],
      }),
      'an error of status 200': inJson({ error: { code: 13, message: 'internal' } }),
    },
  });

  readsSafely({
    read: readMql,
    bodyWith: (value) => seriesOf({ doubleValue: value }),
    numbers: 'both',
  });

  it('whole numbers are measured, which JSON has in words', () => {
    expect(readMql(seriesOf({ int64Value: '42' }))).toEqual({ kind: 'value', value: 42 });
  });
});

describe('in PromQL', () => {
  obeysTheLaws({
    ...subject,
    query: 'sum(rate(kubernetes_io:container_restart_count[5m]))',
    value: { reply: { body: vectorOf('12.5') }, expected: { kind: 'value', value: 12.5 } },
    noData: { 'an empty vector': { body: vectorOf() }, NaN: { body: vectorOf('NaN') } },
    several: { reply: { body: vectorOf('1', '2') }, expected: { kind: 'value', value: 2 } },
    malformed: {
      'an error of status 200': { body: '{"status":"error","error":"timed out"}' },
      'an empty object': { body: '{}' },
    },
  });
});

let server: ReplayServer;
beforeEach(async () => {
  server = await startReplayServer();
});
afterEach(() => server.stop());

const connect = (config: ProviderConfig = {}) =>
  stackdriver({ address: server.address, credentials, ...config });

describe('a request', () => {
  it('in MQL goes to the API of time series', async () => {
    server.answer(reply({ doubleValue: 1 }));

    await connect().query('fetch gce_instance');

    const [{ method, path, body } = { method: '', path: '', body: '' }] = server.asked;
    expect([method, path]).toEqual(['POST', '/v3/projects/a-project/timeSeries:query']);
    expect(JSON.parse(body)).toEqual({ query: 'fetch gce_instance' });
  });

  it('in PromQL goes to the API of Prometheus', async () => {
    server.answer({ body: vectorOf('1') });

    await connect({ headers: { 'X-Goog-User-Project': ['payer'] } }).query('up');

    const [asked] = server.asked;
    expect(asked?.path).toBe('/v1/projects/a-project/location/global/prometheus/api/v1/query');
    expect(asked?.params.get('query')).toBe('up');
    expect(asked?.headers['x-goog-user-project']).toBe('payer');
  });

  it('carries a token that the service account has signed, for reading alone', async () => {
    server.answer({ body: vectorOf('1') });

    await connect().query('up');

    const token = (server.asked[0]?.headers.authorization ?? '').replace('Bearer ', '');
    const [head = '', claims = '', signature = ''] = token.split('.');
    const signed = Buffer.from(`${head}.${claims}`);
    expect(verify('sha256', signed, publicKey, Buffer.from(signature, 'base64url'))).toBe(true);
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      iss: 'sluice@a-project.iam.gserviceaccount.com',
      scope: 'https://www.googleapis.com/auth/monitoring.read',
    });
  });

  it('has its token in no error, should the server answer with it', async () => {
    server.answer(({ headers }) => ({ status: 403, body: String(headers.authorization) }));

    const error = await failureOf(connect().query('up'));

    const token = (server.asked[0]?.headers.authorization ?? '').replace('Bearer ', '');
    expect(inspect(error, { showHidden: true })).not.toContain(token);
    expect(error.message).toBe('HTTP 403: Bearer ***');
  });
});

it.each<[string, boolean]>([
  ['fetch gce_instance::compute.googleapis.com/instance/cpu/utilization | within 5m', true],
  ["\n  fetch 'gce_instance'\n| every 1m", true],
  ["fetch'gce_instance'", true],
  ['# which host\nfetch gce_instance', true],
  ['{ fetch gce_instance; fetch k8s_node } | join', true],
  ['(fetch gce_instance | every 1m)', true],
  ['fetch\n  gce_instance', true],
  ['def my_ratio a, b = a / b; fetch gce_instance', true],
  ['up', false],
  ['# fetch all of it\nsum(rate(up[1m]))', false],
  ['{"compute.googleapis.com/instance/cpu/utilization"}', false],
  ['{__name__="fetch"}', false],
  ['fetch_total', false],
  ['fetch{job="a"}', false],
  ['rate(fetch[1m])', false],
  ['(fetch[5m])', false],
  ['fetch offset 5m', false],
  ['fetch and up', false],
  ['default_total', false],
  ['', false],
])('%s is MQL: %s', (query, expected) => {
  expect(isMql(query)).toBe(expected);
});

describe('a configuration is refused', () => {
  const key = (change: object): ProviderConfig => ({
    credentials: {
      project: 'p',
      serviceAccountKey: JSON.stringify({ ...JSON.parse(serviceAccountKey), ...change }),
    },
  });

  it.each<[string, ProviderConfig, string]>([
    ['without a project', { credentials: { serviceAccountKey } }, 'project not found'],
    ['with an odd project', { credentials: { project: 'a/../b' } }, 'project in the Secret'],
    [
      'with half a key',
      { credentials: { project: 'p', serviceAccountKey: '{"type":' } },
      'serviceAccountKey must be the JSON of a service account',
    ],
    ['with a key without an email', key({ client_email: 7 }), 'serviceAccountKey must be'],
    [
      'with a key that makes the worker read files',
      key({ type: 'external_account', credential_source: { file: '/etc/passwd' } }),
      'serviceAccountKey must be the JSON of a service account',
    ],
    [
      "with an address the worker's token is not for",
      { credentials: { project: 'p' } },
      'an address outside https://*.googleapis.com needs a serviceAccountKey',
    ],
    ['with such an address alone', { credentials: undefined } as object, 'an address outside'],
    [
      'with an address that only looks like one of Google',
      { address: 'https://monitoring.googleapis.com.example', credentials: { project: 'p' } },
      'an address outside',
    ],
    ['with half an address', { address: 'monitoring' }, 'the address must be a URL'],
  ])('%s', async (_, config, message) => {
    const error = await failureOf((async () => connect(config).query('up'))());

    expect(error.message).toContain(message);
    expect(error.message).not.toContain('passwd');
  });

  it('with a key that cannot sign', async () => {
    const error = await failureOf(connect(key({ private_key: 'planted-key-1' })).query('up'));

    expect(error.message).toContain('the login at Google');
    expect(inspect(error, { showHidden: true })).not.toContain('planted-key-1');
  });
});
