import fc from 'fast-check';
import { gzipSync } from 'node:zlib';

import { UnexpectedAnswer } from '../../activities/metrics/answers.js';
import { measurementOf, messageIn } from '../../activities/metrics/splunk-messages.js';
import { splunk, splunkAddresses } from '../../activities/metrics/splunk.js';
import type { Measurement } from '../../domain/threshold.js';
import { obeysTheLaws, readsSafely } from './laws.js';
import {
  dataMessage,
  headerOf,
  messages,
  pointOf,
  startSignalFlowServer,
} from './signalflow-server.js';
import { connecting } from './subject.js';

const credentials = { sf_token_key: 'planted-splunk-token' };
const end = { type: 'control-message', channel: 'ch-1', event: 'END_OF_CHANNEL' };
const before = [
  { type: 'control-message', channel: 'ch-1', event: 'STREAM_START' },
  { type: 'control-message', channel: 'ch-1', event: 'JOB_START', handle: 'D5dG' },
  { type: 'message', channel: 'ch-1', message: { messageCode: 'JOB_RUNNING_RESOLUTION' } },
  { type: 'metadata', channel: 'ch-1', tsId: 'AAAAAAAAAAE', properties: { app: 'podinfo' } },
];
const points = (...of: Buffer[]): Buffer => dataMessage({ points: of });
const answer = (...data: (object | Buffer)[]): { readonly body: string } =>
  messages(...before, ...data, end);
const value = (of: number): Measurement => ({ kind: 'value', value: of });

obeysTheLaws({
  connect: connecting('splunk', credentials),
  start: startSignalFlowServer,
  secrets: Object.values(credentials),
  query: "data('requests', filter=filter('app', 'podinfo')).sum().publish()",
  value: {
    reply: answer(points(pointOf(2, 1.5)), points(pointOf(2, 2.5)), points(pointOf(0, 0))),
    expected: value(2.5),
  },
  noData: {
    'no data message': answer(),
    'a data message without points': answer(points()),
    'empty points': answer(points(pointOf(0, 0))),
    NaN: answer(points(pointOf(2, NaN))),
  },
  several: { reply: answer(points(pointOf(2, 1, 1), pointOf(2, 2, 2))), expected: 'refused' },
  malformed: {
    'an answer that breaks off': messages(...before, points(pointOf(2, 1))),
    'an abort': answer({ type: 'control-message', channel: 'ch-1', event: 'CHANNEL_ABORT' }),
    'an error': answer({ type: 'error', channel: 'ch-1', error: 400, message: 'bad program' }),
    'points that are cut off': answer(points(pointOf(2, 1)).subarray(0, -1)),
    'points of unknown type': answer(points(pointOf(9, 1))),
    'data of an unknown version': answer(headerOf(7, 5, 0)),
    'a number in words': answer({ type: 'data', data: [{ tsId: 'a', value: '7' }] }),
    'a header that is cut off': answer(Buffer.from([1, 5])),
    'a message that cannot be unpacked': answer(dataMessage({ flags: 1 })),
  },
  pong: { body: '{"count":1,"results":[]}' },
});

readsSafely({
  read: (body) => {
    const message = messageIn(Buffer.from(body), false);
    return measurementOf(message.kind === 'data' ? message.points : []);
  },
  bodyWith: (of) => JSON.stringify({ type: 'data', data: [{ tsId: 'a', value: of }] }),
  numbers: 'json',
});

describe('a binary message', () => {
  const read = (frame: Buffer): Measurement => {
    const message = messageIn(frame, true);
    return measurementOf(message.kind === 'data' ? message.points : []);
  };
  const one = pointOf(1, -7);
  const short = (hex: string): Buffer =>
    Buffer.concat([pointOf(3, 0).subarray(0, 9), Buffer.from(hex, 'hex')]);

  it.each<[string, Buffer, number]>([
    ['holds a long', points(one), -7],
    ['holds a double', points(pointOf(2, 0.25)), 0.25],
    ['holds an integer in its last bytes', points(pointOf(3, -5)), -5],
    ['holds an integer in its first bytes', points(short('fffffffb00000000')), -5],
    ['says its delay', dataMessage({ version: 2, points: [one] }), -7],
    ['is packed', Buffer.concat([headerOf(1, 5, 1), gzipSync(points(one).subarray(20))]), -7],
    [
      'is packed JSON',
      Buffer.concat([
        headerOf(1, 5, 3),
        gzipSync('{"type":"data","data":[{"tsId":"a","value":3}]}'),
      ]),
      3,
    ],
  ])('%s', (_, frame, expected) => {
    expect(read(frame)).toEqual(value(expected));
  });

  it.each<[string, Buffer]>([
    ['an integer of more than 32 bits', points(short('0000000100000001'))],
    [
      'a length that unpacks to too much',
      Buffer.concat([headerOf(1, 5, 1), gzipSync(Buffer.alloc(20_000_000))]),
    ],
  ])('is refused with %s', (_, frame) => {
    expect(() => read(frame)).toThrow(UnexpectedAnswer);
  });

  it('is read or refused whatever its bytes are', () => {
    const frames = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc
        .tuple(fc.nat(3), fc.nat(6), fc.nat(3), fc.uint8Array({ maxLength: 80 }))
        .map(([version, type, flags, rest]) =>
          Buffer.concat([headerOf(version, type, flags), rest]),
        ),
      fc
        .array(fc.uint8Array({ minLength: 17, maxLength: 17 }))
        .map((rest) => dataMessage({ points: rest.map((bytes) => Buffer.from(bytes)) })),
    );
    fc.assert(
      fc.property(frames, (bytes) => {
        try {
          const measurement = read(Buffer.from(bytes));
          return measurement.kind === 'no-data' || Number.isFinite(measurement.value);
        } catch (error) {
          return error instanceof UnexpectedAnswer;
        }
      }),
      { numRuns: 10_000 },
    );
  });
});

it('authenticates, then runs the program over ten intervals', async () => {
  const server = await startSignalFlowServer();
  try {
    server.answer(answer(points(pointOf(2, 1))));
    await splunk({ address: server.address, credentials, intervalMs: 60_000 }).query('a()');

    const [connected, ...told] = server.asked;
    expect(connected?.path).toBe('/v2/signalflow/connect');
    const [login, job] = told.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
    expect(login).toEqual({ type: 'authenticate', token: 'planted-splunk-token' });
    expect(job).toMatchObject({
      type: 'execute',
      channel: 'ch-1',
      program: 'a()',
      immediate: true,
    });
    expect(Number(job?.['stop']) - Number(job?.['start'])).toBe(600_000);
  } finally {
    await server.stop();
  }
});

it.each([
  ['https://api.us1.signalfx.com', 'https://api.us1', 'https://stream.us1'],
  ['wss://stream.eu0.signalfx.com', 'https://api.eu0', 'https://stream.eu0'],
  ['https://my-api.signalfx.com', 'https://my-api', 'https://my-api'],
])('finds the API and the stream of %s', (address, api, stream) => {
  expect(splunkAddresses(address)).toEqual({
    api: `${api}.signalfx.com`,
    stream: `${stream}.signalfx.com`,
  });
});

it('pings the API with the token', async () => {
  const server = await startSignalFlowServer();
  try {
    const address = server.address.replace('http', 'ws');
    await splunk({ address: `${address}/`, credentials }).ping();

    const [asked] = server.asked;
    expect([asked?.path, asked?.params.get('limit')]).toEqual(['/v2/metric', '1']);
    expect(asked?.headers['x-sf-token']).toBe('planted-splunk-token');
  } finally {
    await server.stop();
  }
});

it.each([
  ['no token', { address: 'https://api.us1.signalfx.com' }, 'secretRef is missing'],
  ['no address', { credentials }, 'the address must be a URL such as https://api.us1.signalfx.com'],
])('is not built with %s', (_, config, message) => {
  expect(() => splunk(config)).toThrow(message);
});
