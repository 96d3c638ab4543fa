import { dynatrace, readDynatrace } from '../../activities/metrics/dynatrace.js';
import { obeysTheLaws, readsSafely } from './laws.js';
import { startReplayServer } from './replay-server.js';
import { connecting, json } from './subject.js';

const credentials = { dynatrace_token: 'planted-dynatrace-token' };

/** The documented answer to a query, with these values in one series each. */
const answer = (...series: unknown[][]): object => ({
  totalCount: series.length,
  nextPageKey: null,
  resolution: 'Inf',
  result: [
    {
      metricId: 'builtin:service.response.time:avg',
      dataPointCountRatio: 0.001,
      data: series.map((values) => ({
        dimensions: ['SERVICE-1'],
        dimensionMap: { 'dt.entity.service': 'SERVICE-1' },
        timestamps: values.map(() => 1_616_425_200_000),
        values,
      })),
    },
  ],
});

obeysTheLaws({
  connect: connecting('dynatrace', credentials),
  secrets: Object.values(credentials),
  query: 'builtin:service.response.time:avg',
  value: { reply: json(answer([215.5])), expected: { kind: 'value', value: 215.5 } },
  noData: {
    'no result': json({ totalCount: 0, result: [] }),
    'an answer without a result': json({ totalCount: 0 }),
    'no series': json(answer()),
    'a series without values': json(answer([])),
    'an empty value': json(answer([null])),
  },
  several: { reply: json(answer([1], [2])), expected: { kind: 'value', value: 2 } },
  malformed: {
    'an error of status 200': json({ error: { code: 400, message: 'bad selector' } }),
    'a number in words': json(answer(['215.5'])),
    'a list': json([]),
  },
  pong: json({ totalCount: 1, metrics: [] }),
});

readsSafely({
  read: readDynatrace,
  bodyWith: (value) => JSON.stringify(answer([value])),
  numbers: 'json',
});

it('asks for one point of ten intervals, in milliseconds', async () => {
  const server = await startReplayServer();
  try {
    server.answer(json(answer([1])));
    const provider = dynatrace({
      address: `${server.address}/e/1/`,
      credentials,
      intervalMs: 60_000,
    });
    await provider.query('a:avg\n');
    await provider.ping();

    const [query, ping] = server.asked;
    expect(query?.path).toBe('/e/1/api/v2/metrics/query');
    expect(query?.params.get('metricSelector')).toBe('a:avg');
    expect(query?.params.get('resolution')).toBe('Inf');
    expect(Number(query?.params.get('to')) - Number(query?.params.get('from'))).toBe(600_000);
    expect(query?.headers.authorization).toBe('Api-Token planted-dynatrace-token');
    expect([ping?.path, ping?.params.get('pageSize')]).toEqual(['/e/1/api/v2/metrics', '1']);
  } finally {
    await server.stop();
  }
});

it.each([
  ['no token', { address: 'http://a', credentials: {} }, 'dynatrace_token not found in the Secret'],
  ['no address', { credentials }, 'the address must be a URL such as https://'],
])('is not built with %s', (_, config, message) => {
  expect(() => dynatrace(config)).toThrow(message);
});
