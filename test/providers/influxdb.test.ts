import { influxdb, readInflux } from '../../activities/metrics/influxdb.js';
import { obeysTheLaws, readsSafely } from './laws.js';
import { startReplayServer } from './replay-server.js';
import { connecting } from './subject.js';

const credentials = { token: 'planted-influx-token', org: 'acme' };

/** A table of annotated CSV with records of these values. */
const table = (type: string, ...values: string[]): string =>
  [
    `#datatype,string,long,dateTime:RFC3339,${type},string`,
    '#group,false,false,false,false,true',
    '#default,_result,,,,',
    ',result,table,_time,_value,_field',
    ...values.map((value) => `,,0,2021-03-11T10:30:00Z,${value},count`),
    '',
    '',
  ].join('\r\n');

const failure = [
  '#datatype,string,string',
  '#group,true,true',
  '#default,,',
  ',error,reference',
  ',"failed to read, planted-influx-token",897',
  '',
].join('\r\n');

const value = (of: number): object => ({ kind: 'value', value: of });

obeysTheLaws({
  connect: connecting('influxdb', credentials),
  secrets: ['planted-influx-token'],
  query: 'from(bucket: "default") |> range(start: -2h) |> mean()',
  value: { reply: { body: table('double', '1.5', '2') }, expected: { kind: 'value', value: 1.5 } },
  noData: {
    'an empty answer': { body: '\r\n' },
    'a table without records': { body: table('double') },
    'an empty value': { body: table('double', '') },
    NaN: { body: table('double', 'NaN') },
    'an infinite value': { body: table('double', '+Inf') },
  },
  several: {
    reply: { body: table('double', '3') + table('long', '4') },
    expected: { kind: 'value', value: 3 },
  },
  malformed: {
    'a value of words': { body: table('string', '1.5') },
    'a truth': { body: table('boolean', 'true') },
    'a value that is no number of its type': { body: table('double', '1.5x') },
    'an error in place of the answer': { body: failure },
    'an error behind part of the answer': { body: table('double', '1.5') + failure },
    'a table without annotations': { body: ',result,table,_value\r\n,,0,1.5\r\n' },
    'no column _value': { body: table('double', '1').replace('_value', 'value') },
    'a record that is cut off': { body: table('double', '1').slice(0, -20) },
    JSON: { body: '{"code":"internal error"}' },
  },
  pong: { body: '\r\n' },
});

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

readsSafely({
  read: readInflux,
  bodyWith: (held) => {
    if (typeof held === 'number') return table('double', String(held));
    return table('double', quoted(typeof held === 'string' ? held : JSON.stringify(held)));
  },
  numbers: 'both',
});

it.each([
  ['long', '7', 7],
  ['unsignedLong', '8', 8],
  ['double', '-1e-3', -0.001],
])('takes a %s for a number', (type, text, expected) => {
  expect(readInflux(table(type, text))).toEqual(value(expected));
});

it('takes the default of a column for a value that is left out', () => {
  const body = table('double', '').replace('#default,_result,,,,', '#default,_result,,,0.5,');
  expect(readInflux(body)).toEqual(value(0.5));
});

it('is asked in Flux, for annotated CSV', async () => {
  const server = await startReplayServer();
  try {
    server.answer({ body: table('double', '1') });
    await influxdb({ address: `${server.address}/`, credentials }).query('from(bucket: "b")');

    const [asked] = server.asked;
    expect(`${asked?.method ?? ''} ${asked?.path ?? ''}`).toBe('POST /api/v2/query');
    expect(asked?.params.get('org')).toBe('acme');
    expect(asked?.headers.authorization).toBe('Token planted-influx-token');
    expect(JSON.parse(asked?.body ?? '')).toEqual({
      dialect: { annotations: ['datatype', 'group', 'default'], delimiter: ',', header: true },
      query: 'from(bucket: "b")',
      type: 'flux',
    });
  } finally {
    await server.stop();
  }
});

it.each([
  ['no address', {}, 'the address must be a URL such as http://influxdb:8086'],
  ['no token', { address: 'http://a', credentials: {} }, 'token not found in the Secret'],
  ['no org', { address: 'http://a', credentials: { token: 'a' } }, 'org not found in the Secret'],
])('is not built with %s', (_, config, message) => {
  expect(() => influxdb(config)).toThrow(message);
});
