import { graphite, readGraphite } from '../../activities/metrics/graphite.js';
import { obeysTheLaws, readsSafely } from './laws.js';
import { startReplayServer } from './replay-server.js';
import { connecting, json } from './subject.js';

const credentials = { username: 'me', password: 'planted-password' };

/** What the render API answers, with these values in one series each. */
const answer = (...series: unknown[][]): object[] =>
  series.map((values, i) => ({
    target: `summarize(series.${String(i)}, "1min", "avg")`,
    datapoints: values.map((value, at) => [value, 1_621_348_400 + 60 * at]),
    tags: { name: `series.${String(i)}` },
  }));

obeysTheLaws({
  connect: connecting('graphite', credentials),
  secrets: ['planted-password', 'me:planted-password'],
  query: 'target=summarize(a.b,"1min","avg")&from=-5min',
  value: { reply: json(answer([10, 75, null])), expected: { kind: 'value', value: 75 } },
  noData: {
    'no series': json([]),
    'a series without points': json(answer([])),
    'a series of empty points': json(answer([null, null])),
    'NaN in words': json(answer([1, 'NaN'])),
    'an infinite number': { body: '[{"target":"a","datapoints":[[1e9999,1]]}]' },
  },
  several: {
    reply: json(answer([10, 75], [25, 100], [null])),
    expected: { kind: 'value', value: 100 },
  },
  malformed: {
    'a point without a time': json([{ datapoints: [[1]] }]),
    'a point of three': json([{ datapoints: [[1, 2, 3]] }]),
    'a series without points at all': json([{ target: 'a' }]),
    'words that are no number': json(answer(['1,5'])),
    'a truth': json(answer([true])),
    'an object': json({ error: 'no' }),
  },
  pong: json([]),
});

readsSafely({
  read: readGraphite,
  bodyWith: (value) => JSON.stringify(answer([null, value, null])),
  numbers: 'both',
});

describe('a request', () => {
  it.each([
    [
      'is written over lines',
      "target=summarize(\n  a.b,\n  '1min'\n)&from=-5min\n",
      [
        ['target', "summarize( a.b, '1min' )"],
        ['from', '-5min'],
        ['format', 'json'],
      ],
    ],
    [
      'has several targets, with tags',
      'target=a;server=web&target=b&format=png',
      [
        ['target', 'a;server=web'],
        ['target', 'b'],
        ['format', 'json'],
      ],
    ],
    [
      'is encoded in part',
      'target=a%2Ab&until=now+',
      [
        ['target', 'a*b'],
        ['until', 'now'],
        ['format', 'json'],
      ],
    ],
  ])('%s', async (_, text, params) => {
    const server = await startReplayServer();
    try {
      server.answer(json(answer([1])));
      await graphite({ address: `${server.address}/prefix/`, credentials }).query(text);

      const [asked] = server.asked;
      expect(asked?.path).toBe('/prefix/render');
      expect([...(asked?.params ?? [])]).toEqual(params);
      const login = Buffer.from('me:planted-password').toString('base64');
      expect(asked?.headers.authorization).toBe(`Basic ${login}`);
    } finally {
      await server.stop();
    }
  });
});

it.each([
  ['no address', {}, 'the address must be a URL such as http://graphite'],
  ['no user', { address: 'http://a', credentials: {} }, 'username not found in the Secret'],
  [
    'no password',
    { address: 'http://a', credentials: { username: 'a' } },
    'password not found in the Secret',
  ],
])('is not built with %s', (_, config, message) => {
  expect(() => graphite(config)).toThrow(message);
});

it('needs no Secret', () => {
  expect(() => graphite({ address: 'http://graphite' })).not.toThrow();
});
