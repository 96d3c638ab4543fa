import fc from 'fast-check';

import { cloudwatch, newestIn } from '../../activities/metrics/cloudwatch.js';
import { objectOf } from '../../activities/metrics/answers.js';
import { queriesIn } from '../../activities/metrics/cloudwatch-query.js';
import type { ProviderConfig } from '../../activities/metrics/provider.js';
import { failureOf, obeysTheLaws, readsSafely } from './laws.js';
import { startReplayServer, type Reply, type ReplayServer } from './replay-server.js';

const credentials = {
  aws_access_key_id: 'AKIDEXAMPLE',
  aws_secret_access_key: 'planted-secret-1',
  aws_session_token: 'planted-session-1',
};
const region = 'eu-west-1';
const intervalMs = 60_000;
const query = JSON.stringify([
  {
    Id: 'errors',
    MetricStat: {
      Metric: { Namespace: 'App', MetricName: 'Errors' },
      Period: 60,
      Stat: 'Sum',
    },
    ReturnData: false,
  },
  { Id: 'rate', Expression: 'errors * 100' },
]);

/** A result as the API documents it, newest value first. */
const result = (Id: string, ...Values: unknown[]): object => ({
  ...{ Id, Label: Id, StatusCode: 'Complete', Values },
  Timestamps: Values.map((_, i) => 1_700_000_000 - 60 * i),
});
const replyOf = (...MetricDataResults: object[]): Reply => ({
  headers: { 'content-type': 'application/x-amz-json-1.0' },
  body: JSON.stringify({ MetricDataResults, Messages: [] }),
});
const troubled = (StatusCode: string): object => ({ ...result('rate'), StatusCode });
const refused = (status: number, code: string): Reply => ({
  ...{ status, headers: { 'content-type': 'application/x-amz-json-1.0' } },
  body: JSON.stringify({ __type: code, message: 'no' }),
});

obeysTheLaws({
  connect: (address, timeoutMs) =>
    cloudwatch({
      ...{ address, region, credentials, intervalMs },
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    }),
  secrets: ['planted-secret-1', 'planted-session-1'],
  query,
  value: { reply: replyOf(result('rate', 12.5, 3)), expected: { kind: 'value', value: 12.5 } },
  noData: {
    'no result': replyOf(),
    'a result without values': replyOf(result('rate')),
  },
  several: {
    reply: replyOf(result('other', 1), result('rate', 2)),
    expected: { kind: 'value', value: 2 },
  },
  malformed: {
    'an empty object': { body: '{}' },
    'a list': { body: '[]' },
    'results that are no list': { body: '{"MetricDataResults":{"Id":"rate"}}' },
    'a value in words': replyOf(result('rate', '7')),
    'a metric of another account that may not be read': replyOf(troubled('Forbidden')),
    'a result that CloudWatch failed at': replyOf(troubled('InternalError')),
  },
  pong: replyOf(),
});

readsSafely({
  read: (body) => newestIn(objectOf(body), 'rate'),
  bodyWith: (value) => JSON.stringify({ MetricDataResults: [result('rate', value)] }),
  numbers: 'json',
});

let server: ReplayServer;
beforeEach(async () => {
  server = await startReplayServer();
});
afterEach(() => server.stop());

const connect = (config: ProviderConfig = {}) =>
  cloudwatch({ address: server.address, region, credentials, intervalMs, ...config });

describe('a request', () => {
  beforeEach(() => server.answer(replyOf(result('rate', 1))));

  it('is about the last ten intervals, newest first', async () => {
    await connect().query(query);

    const body = server.asked[0]?.body ?? '';
    const { StartTime, EndTime, ScanBy } = JSON.parse(body) as Record<string, number>;
    expect(Number(EndTime) - Number(StartTime)).toBe(600);
    expect(ScanBy).toBe('TimestampDescending');
  });

  it('is signed for the region and carries the session', async () => {
    await connect().query(query);

    const headers = server.asked[0]?.headers;
    expect(headers?.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d+\/eu-west-1\/monitoring\//,
    );
    expect(headers?.['x-amz-security-token']).toBe('planted-session-1');
  });

  it("is signed by the worker's own identity when the Secret has no keys", async () => {
    process.env['AWS_ACCESS_KEY_ID'] = 'AKIDWORKER';
    process.env['AWS_SECRET_ACCESS_KEY'] = 'worker-secret';
    try {
      await connect({ credentials: { unrelated: 'x' } }).query(query);
    } finally {
      delete process.env['AWS_ACCESS_KEY_ID'];
      delete process.env['AWS_SECRET_ACCESS_KEY'];
    }

    expect(server.asked[0]?.headers.authorization).toContain('Credential=AKIDWORKER/');
  });
});

it('reads on until there is a value', async () => {
  server.answer(({ body }) =>
    body.includes('page-2')
      ? replyOf(result('rate', 4))
      : { ...replyOf(), body: JSON.stringify({ MetricDataResults: [], NextToken: 'page-2' }) },
  );

  expect(await connect().query(query)).toEqual({ kind: 'value', value: 4 });
});

it('reads no more pages than ten', async () => {
  const body = JSON.stringify({ MetricDataResults: [], NextToken: 'more' });
  server.answer({ ...replyOf(), body });

  expect((await failureOf(connect().query(query))).message).toContain('no value on 10 pages');
  expect(server.asked).toHaveLength(10);
});

it('never gives a number that the answer does not hold, by way of the library', async () => {
  const provider = connect();
  const values = fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.double(), fc.constant('NaN'));
  await fc.assert(
    fc.asyncProperty(values, async (value) => {
      server.answer(replyOf(result('rate', value)));
      const measurement = await provider.query(query).catch(() => undefined);
      return measurement?.kind !== 'value' || measurement.value === value;
    }),
    { numRuns: 200 },
  );
}, 120_000);

describe('a ping', () => {
  it.each(['ValidationError', 'InvalidParameterCombination', 'MissingParameter', 'Throttling'])(
    'is content with the refusal %s of a query about nothing',
    async (code) => {
      server.answer(refused(400, code));

      await expect(connect().ping()).resolves.toBeUndefined();
    },
  );

  it.each([
    [400, 'AccessDeniedException'],
    [400, 'UnrecognizedClientException'],
    [400, 'ExpiredTokenException'],
    [400, 'MissingAuthenticationToken'],
    [403, 'InvalidClientTokenId'],
    [403, 'SignatureDoesNotMatch'],
  ])('fails on status %i %s', async (status, code) => {
    server.answer(refused(status, code));

    expect((await failureOf(connect().ping())).message).toContain(`HTTP ${String(status)}`);
  });
});

describe('a query', () => {
  it('may be written with any capitals, and with fields of its own', () => {
    const text = '[{"ID":"a","metricstat":{"metric":{"metricname":"m"},"PERIOD":60},"Note":1}]';

    expect(queriesIn(text)).toEqual([
      { Id: 'a', MetricStat: { Metric: { MetricName: 'm' }, Period: 60 } },
    ]);
  });

  it.each([
    ['', 'the query must be a list of MetricDataQueries in JSON'],
    ['{}', 'the query must be a list of MetricDataQueries in JSON'],
    ['[]', 'the query must be a list of MetricDataQueries in JSON'],
    ['[1]', 'query[0] must be an object'],
    ['[{"Id":1}]', 'query[0].Id must be a string'],
    ['[{"Id":"a","Period":1.5}]', 'query[0].Period must be an integer'],
    ['[{"ReturnData":"no"}]', 'query[0].ReturnData must be a boolean'],
    [
      '[{"MetricStat":{"Metric":{"Dimensions":{}}}}]',
      'query[0].MetricStat.Metric.Dimensions must be a list',
    ],
  ])('%s is refused', async (text, message) => {
    expect((await failureOf(connect().query(text))).message).toBe(message);
    expect(server.asked).toEqual([]);
  });
});

it.each<[string, ProviderConfig, string]>([
  ['without a region', { region: '' }, 'the region must be named'],
  ['with half an address', { address: 'monitoring' }, 'the address must be a URL'],
  [
    'with half of the keys',
    { credentials: { aws_access_key_id: 'a' } },
    'aws_secret_access_key not found in the Secret',
  ],
])('a configuration %s is refused', (_, config, message) => {
  expect(() => connect(config)).toThrow(message);
});
