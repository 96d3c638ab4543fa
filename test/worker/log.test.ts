import axios from 'axios';

import { jsonLogger, messageOf } from '../../worker/log.js';

it('tells an error by its stack, and nothing of the request that failed', async () => {
  const request = axios.put('http://127.0.0.1:1/api', 'a password', {
    headers: { Authorization: 'Bearer token' },
    proxy: false,
  });
  const error: unknown = await request.catch((refused: unknown) => refused);
  const lines: string[] = [];
  jsonLogger('info', (line) => lines.push(line)).warn('failed', { error, causes: [error] });

  expect(JSON.parse(lines.join())).toEqual({
    level: 'warn',
    ts: expect.any(String),
    msg: 'failed',
    error: expect.stringContaining('ECONNREFUSED'),
    causes: [expect.stringContaining('ECONNREFUSED')],
  });
  expect(lines.join()).not.toMatch(/password|token/);
});

it('leaves out what is less severe than asked for', () => {
  const lines: string[] = [];
  const log = jsonLogger('warn', (line) => lines.push(line));
  log.info('quiet');
  log.error('loud', { revision: 5n });

  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { level: 'error', msg: 'loud', revision: '5' },
  ]);
});

it.each([
  [new Error('outer', { cause: new Error('inner') }), 'outer: inner'],
  ['thrown text', 'thrown text'],
])('tells what was thrown: %s', (thrown, message) => {
  expect(messageOf(thrown)).toBe(message);
});
