import { datadog, readDatadog } from '../../activities/metrics/datadog.js';
import { obeysTheLaws, readsSafely } from './laws.js';
import { startReplayServer } from './replay-server.js';
import { connecting, json } from './subject.js';

const credentials = {
  datadog_api_key: 'planted-api-key',
  datadog_application_key: 'planted-application-key',
};

/** The documented answer to a query, with these points in its first series. */
const answer = (...pointlist: unknown[]): object => ({
  status: 'ok',
  res_type: 'time_series',
  from_date: 1_577_232_000_000,
  series: [{ metric: 'requests', scope: 'app:podinfo', length: pointlist.length, pointlist }],
  query: 'sum:requests{app:podinfo}',
});
const other = { metric: 'requests', scope: 'app:other', pointlist: [[1_577_232_000_000, 9]] };

obeysTheLaws({
  connect: connecting('datadog', credentials),
  secrets: Object.values(credentials),
  query: 'sum:requests{app:podinfo}',
  value: {
    reply: json(answer([1_577_232_000_000, 1.25], [1_577_232_060_000, 2])),
    expected: { kind: 'value', value: 1.25 },
  },
  noData: {
    'no series': json({ status: 'ok', series: [] }),
    'a series without points': json(answer()),
    'an empty point': json(answer([])),
    'a series of empty points': json(answer([1_577_232_000_000, null])),
  },
  several: {
    reply: json({ status: 'ok', series: [{ pointlist: [[1, 3]] }, other] }),
    expected: { kind: 'value', value: 3 },
  },
  malformed: {
    'a refusal of status 200': json({ status: 'error', error: 'Error parsing query' }),
    'an empty object': json({}),
    'a list': json([]),
    'half a point': json(answer([1_577_232_000_000])),
    'a number in words': json(answer([1_577_232_000_000, '1.25'])),
  },
  pong: json({ valid: true }),
});

readsSafely({
  read: readDatadog,
  bodyWith: (value) => JSON.stringify(answer([1_577_232_000_000, value])),
  numbers: 'json',
});

it('takes the oldest point that is there', () => {
  const body = JSON.stringify(answer([1, null], [2, 7], [3, 8]));
  expect(readDatadog(body)).toEqual({ kind: 'value', value: 7 });
});

it('asks about ten intervals, to the second, with both keys', async () => {
  const server = await startReplayServer();
  try {
    server.answer(json(answer([1, 1])));
    await datadog({ address: `${server.address}/`, credentials, intervalMs: 90_000 }).query('a{b}');

    const [{ path, params, headers } = { path: '', params: new URLSearchParams(), headers: {} }] =
      server.asked;
    expect(path).toBe('/api/v1/query');
    expect(params.get('query')).toBe('a{b}');
    expect(Number(params.get('to')) - Number(params.get('from'))).toBe(900);
    expect(Math.abs(Number(params.get('to')) - Date.now() / 1_000)).toBeLessThan(60);
    expect(headers).toMatchObject({
      'dd-api-key': 'planted-api-key',
      'dd-application-key': 'planted-application-key',
    });
  } finally {
    await server.stop();
  }
});

it.each([
  ['no Secret', undefined, 'secretRef is missing, for a Secret with datadog_api_key'],
  ['an empty Secret', {}, 'datadog_api_key not found in the Secret'],
  ['one key', { datadog_api_key: 'a' }, 'datadog_application_key not found in the Secret'],
])('is not built with %s', (_, given, message) => {
  expect(() => datadog(given === undefined ? {} : { credentials: given })).toThrow(message);
});
