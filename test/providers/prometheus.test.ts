import { inspect } from 'node:util';

import { buildMetricProvider } from '../../activities/metrics/index.js';
import { prometheus } from '../../activities/metrics/prometheus.js';
import { startMetricsServer, vectorOf, type MetricsServer } from './prometheus-server.js';

let server: MetricsServer;
beforeEach(async () => {
  server = await startMetricsServer();
});
afterEach(() => server.stop());

const connect = (config: object = {}) => prometheus({ address: server.address, ...config });
const answerWith = (data: unknown) =>
  server.answer(200, JSON.stringify({ status: 'success', data }));
const failure = async (asking: Promise<unknown>): Promise<Error> =>
  asking.then(
    () => {
      throw new Error('did not fail');
    },
    (error: unknown) => error as Error,
  );

describe('an answer is read', () => {
  it.each<[string, string[], number | undefined]>([
    ['as its value', ['100'], 100],
    ['in exponents', ['1.5e-3'], 0.0015],
    ['from the last series', ['1', '2'], 2],
    ['from the last series after one without a number', ['NaN', '7'], 7],
    ['as no data when the last series is no number', ['1', 'NaN'], undefined],
    ['as no data when it is infinite', ['+Inf'], undefined],
    ['as no data when it is infinitely small', ['-Inf'], undefined],
    ['as no data when it is empty', [], undefined],
  ])('%s', async (_, values, expected) => {
    server.answer(200, vectorOf(...values));

    const expectation =
      expected === undefined ? { kind: 'no-data' } : { kind: 'value', value: expected };
    expect(await connect().query('up')).toEqual(expectation);
  });

  it('as no data when a series has a histogram instead of a value', async () => {
    answerWith({ resultType: 'vector', result: [{ metric: {}, histogram: [1, { count: '2' }] }] });

    expect(await connect().query('up')).toEqual({ kind: 'no-data' });
  });

  it('as no data when a value is not in words', async () => {
    answerWith({ resultType: 'vector', result: [{ metric: {}, value: [1, 2] }] });

    expect(await connect().query('up')).toEqual({ kind: 'no-data' });
  });
});

describe('an answer is refused', () => {
  it.each<[string, number, string, string]>([
    [
      'when it is a range',
      200,
      '{"data":{"result":[{"values":[[1,"1"]]}]}}',
      'multiple values returned',
    ],
    [
      'when it is an empty range',
      200,
      '{"data":{"result":[{"values":[]}]}}',
      'multiple values returned',
    ],
    [
      'when it is a scalar',
      200,
      '{"data":{"resultType":"scalar","result":[1,"1"]}}',
      'the answer is no instant vector: {"data"',
    ],
    ['when it has no result', 200, '{}', 'the answer is no instant vector: {}'],
    ['when a value is no number', 200, vectorOf('1x'), '"1x" is not a number'],
    ['when a value is blank', 200, vectorOf(''), '"" is not a number'],
    ['when it is no JSON', 200, '<html>\n  hi', 'unreadable answer: <html> hi'],
    ['when it is empty', 200, '', 'unreadable answer: it is empty'],
    ['when it is null', 200, 'null', 'unreadable answer: null'],
    [
      'when it tells of an error',
      200,
      '{"status":"error","error":"too long"}',
      'query refused: too long',
    ],
    [
      'with the status and body of a bad query',
      400,
      '{"status":"error","errorType":"bad_data",\n"error":"parse error"}',
      'HTTP 400: {"status":"error","errorType":"bad_data", "error":"parse error"}',
    ],
    ['with the status of a broken server', 500, 'oops', 'HTTP 500: oops'],
    [
      'without more of a long body than can be read',
      503,
      'x'.repeat(10_000),
      `HTTP 503: ${'x'.repeat(500)}`,
    ],
  ])('%s', async (_, status, body, message) => {
    server.answer(status, body);

    const error = await failure(connect().query('up'));

    expect(error.message.startsWith(message)).toBe(true);
    expect(error.message.length).toBeLessThan(600);
  });
});

describe('no answer', () => {
  it('is given up after five seconds', async () => {
    server.hang();

    const error = await failure(connect().query('up'));

    expect(error.message).toBe(`${server.address}/api/v1/query: no answer within 5 s`);
  }, 8_000);

  it('is given up when the caller does', async () => {
    server.hang();
    const controller = new AbortController();
    const reason = new Error('called off');
    setTimeout(() => controller.abort(reason), 50);

    expect(await failure(connect().query('up', controller.signal))).toBe(reason);
  });

  it('names the address when nobody listens', async () => {
    await server.stop();

    const error = await failure(connect().query('up'));

    expect(error.message).toContain(`${server.address}/api/v1/query: connect ECONNREFUSED`);
  });
});

describe('a request', () => {
  beforeEach(() => server.answer(200, vectorOf('1')));

  it('has its whitespace collapsed', async () => {
    await connect().query('\n  sum(\n\t\trate(a[1m])\n  ) + b\n');

    expect(server.asked[0]).toMatchObject({
      path: '/api/v1/query',
      query: ' sum( rate(a[1m]) ) + b ',
    });
  });

  it('keeps the path of the address and drops its query', async () => {
    await connect({ address: `${server.address}//prefix/?a=b#c` }).query('up');

    expect(server.asked[0]).toMatchObject({ path: '/prefix/api/v1/query', query: 'up' });
  });

  it('has the headers of the template, every value of them', async () => {
    await connect({ headers: { 'X-Scope-OrgID': ['a', 'b'], 'X-One': ['1'] } }).query('up');

    const { rawHeaders = [] } = server.asked[0] ?? {};
    const values = rawHeaders.filter(
      (_, i) => rawHeaders[i - 1]?.toLowerCase() === 'x-scope-orgid',
    );
    expect(values).toEqual(['a', 'b']);
    expect(rawHeaders).toContain('1');
  });

  const basic = (login: string) => `Basic ${Buffer.from(login).toString('base64')}`;
  it.each<[string, object, string | undefined]>([
    ['a token', { token: 'secret', username: 'a', password: 'b' }, 'Bearer secret'],
    ['a user', { username: 'a', password: 'b:c' }, basic('a:b:c')],
    ['nothing for an empty user', { username: '', password: '' }, undefined],
  ])('carries %s', async (_, credentials, expected) => {
    await connect({ credentials, headers: { 'X-A': ['1'] } }).query('up');

    expect(server.asked[0]?.authorization).toBe(expected);
  });

  it('carries the user of the address', async () => {
    await connect({ address: server.address.replace('//', '//a:p%40ss@') }).query('up');

    expect(server.asked[0]?.authorization).toBe(basic('a:p@ss'));
  });

  it('carries its login once, however often it is sent', async () => {
    const provider = connect({
      credentials: { token: 't' },
      headers: { authorization: ['Bearer old'] },
    });
    await provider.query('up');
    await provider.query('up');

    expect(server.asked.map(({ authorization }) => authorization)).toEqual([
      'Bearer t',
      'Bearer t',
    ]);
  });

  it('keeps the Authorization of the template when there is no other', async () => {
    await connect({ headers: { Authorization: ['Bearer own'] } }).query('up');

    expect(server.asked[0]?.authorization).toBe('Bearer own');
  });
});

describe('errors keep credentials to themselves', () => {
  const planted = 'planted-value-1';

  it.each<[string, object]>([
    ['a token', { credentials: { token: planted } }],
    ['a password', { credentials: { username: 'me', password: planted } }],
  ])('when the server echoes %s', async (_, config) => {
    const encoded = Buffer.from(`me:${planted}`).toString('base64');
    server.answer(401, `refused ${planted} and ${encoded}`);

    const error = await failure(connect(config).query('up'));

    expect(error.message).toMatch(/^HTTP 401: refused \*\*\* and /);
    expect(inspect(error, { showHidden: true })).not.toContain(planted);
  });

  it('when the address has them and nobody listens', async () => {
    const address = server.address.replace('//', `//me:${planted}@`);
    await server.stop();

    const error = await failure(prometheus({ address }).query('up'));

    expect(inspect(error, { showHidden: true })).not.toContain(planted);
    expect(error.message).not.toContain(Buffer.from(`me:${planted}`).toString('base64'));
  });
});

describe('a ping', () => {
  it('is answered with 1', async () => {
    server.answer(200, vectorOf('1'));

    await connect().ping();

    expect(server.asked[0]?.query).toBe('vector(1)');
  });

  it.each([[vectorOf('2')], [vectorOf()]])('fails on %s', async (body) => {
    server.answer(200, body);

    expect((await failure(connect().ping())).message).toBe('vector(1) was not answered with 1');
  });
});

describe('a configuration is refused', () => {
  it.each<[string, object, string]>([
    ['without an address', {}, 'the address must be a URL such as http://prometheus:9090'],
    ['with half an address', { address: 'prometheus:9090' }, 'the address must be a URL'],
    ['with an unreadable address', { address: 'http://:::' }, 'the address must be a URL'],
    [
      'with an empty Secret',
      { address: 'http://a', credentials: {} },
      'neither token nor username found',
    ],
    [
      'without a password',
      { address: 'http://a', credentials: { username: 'a' } },
      'password not found',
    ],
  ])('%s', (_, config, message) => {
    expect(() => buildMetricProvider('prometheus', config)).toThrow(message);
  });

  it('for a type that is not known', () => {
    expect(() => buildMetricProvider('toString', {})).toThrow(
      /^provider type toString is not supported \(supported: .*\bprometheus\b/,
    );
  });
});
