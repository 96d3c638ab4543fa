import { newrelic, readNewRelic } from '../../activities/metrics/newrelic.js';
import { obeysTheLaws, readsSafely } from './laws.js';
import { startReplayServer } from './replay-server.js';
import { connecting, json } from './subject.js';

const credentials = { newrelic_account_id: '51312', newrelic_query_key: 'planted-query-key' };

/** The documented answer to a query that gives these rows. */
const answer = (...results: unknown[]): object => ({
  results,
  performanceStats: { inspectedCount: 4_000, omittedCount: 0, matchCount: 120, wallClockTime: 21 },
  metadata: { eventTypes: ['Transaction'], guid: '5c2f', messages: [] },
});

obeysTheLaws({
  connect: connecting('newrelic', credentials),
  secrets: ['planted-query-key'],
  query:
    "SELECT filter(count(*), WHERE status < 500) / count(*) * 100 AS 'result' FROM Transaction",
  value: {
    reply: json(answer({ result: 98.5 })),
    expected: { kind: 'value', value: 98.5, samples: 120 },
  },
  noData: {
    'no row': json(answer()),
    'a division by zero': json(answer({ result: null })),
  },
  several: { reply: json(answer({ result: 1 }, { result: 2 })), expected: 'refused' },
  malformed: {
    'an attribute of another name': json(answer({ count: 5 })),
    'a number in words': json(answer({ result: '98.5' })),
    'a row that is a list': json(answer([98.5])),
    'an empty object': json({}),
    'a list': json([]),
  },
  pong: json(answer({ events: [] })),
});

readsSafely({
  read: readNewRelic,
  bodyWith: (result) => JSON.stringify(answer({ result })),
  numbers: 'json',
});

it('counts no samples where the answer does not', () => {
  for (const performanceStats of [undefined, null, [], { matchCount: '7' }, { matchCount: 0.5 }]) {
    const body = JSON.stringify({ results: [{ result: 1 }], performanceStats });
    expect(readNewRelic(body)).toEqual({ kind: 'value', value: 1 });
  }
});

it('says how to name the value', () => {
  expect(() => readNewRelic(JSON.stringify(answer({ count: 5 })))).toThrow('SELECT ... AS result');
});

it('asks about one interval, with the key of the account', async () => {
  const server = await startReplayServer();
  try {
    server.answer(json(answer({ result: 1 })));
    const config = { address: `${server.address}/`, credentials, intervalMs: 90_000 };
    await newrelic(config).query('SELECT 1\n');
    await newrelic(config).ping();

    const asked = server.asked.map(({ path, params }) => [path, params.get('nrql')]);
    expect(asked).toEqual([
      ['/v1/accounts/51312/query', 'SELECT 1 SINCE 90 seconds ago'],
      ['/v1/accounts/51312/query', 'SELECT * FROM Metric SINCE 90 seconds ago'],
    ]);
    expect(server.asked[0]?.headers['x-query-key']).toBe('planted-query-key');
  } finally {
    await server.stop();
  }
});

it('needs an interval to ask about', async () => {
  const asking = newrelic({ address: 'http://127.0.0.1:1', credentials }).query('SELECT 1');
  await expect(asking).rejects.toThrow("the metric's interval must be a duration such as 1m");
});

it.each([
  ['no Secret', undefined, 'secretRef is missing, for a Secret with newrelic_account_id'],
  ['no account', { newrelic_query_key: 'a' }, 'newrelic_account_id not found in the Secret'],
  ['no key', { newrelic_account_id: '1' }, 'newrelic_query_key not found in the Secret'],
])('is not built with %s', (_, given, message) => {
  expect(() => newrelic(given === undefined ? {} : { credentials: given })).toThrow(message);
});
