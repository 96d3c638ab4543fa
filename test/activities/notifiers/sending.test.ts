import { ApplicationFailure } from '@temporalio/common';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';

import {
  notifiers,
  send,
  type NotifierType,
  type Sending,
} from '../../../activities/notifiers/index.js';
import { silence, startHookServer, type HookServer } from '../hook-server.js';

let server: HookServer;
let elsewhere: HookServer;

beforeEach(async () => {
  server = await startHookServer();
  elsewhere = await startHookServer();
});
afterEach(async () => {
  await server.stop();
  await elsewhere.stop();
});

const types = Object.keys(notifiers) as NotifierType[];

function sending(type: NotifierType, how: Partial<Sending> = {}): Promise<void> {
  const address = new URL(`${server.url}/planted-path?sig=planted`);
  const config = { address, channel: 'general', username: 'flagger', token: 'planted-token' };
  const canary = { name: 'a', namespace: 'b' };
  const message = {
    severity: 'info',
    text: 'told',
    canary,
    title: 'a.b',
    facts: [],
    at: 0,
  } as const;
  const { signal } = new AbortController();
  return send(message, { type, config, key: 'a-run/1', signal, ...how });
}

/** What became of it. An error, all of which could end up in a history, must not hold a secret. */
async function faultOf(result: Promise<void>): Promise<string> {
  const error: unknown = await result.then(
    () => new Error('it was delivered'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error('thrown is no error');
  const { port } = new URL(server.url);
  const shown = `${error.message} ${error.stack ?? ''} ${JSON.stringify(error)}`;
  expect(shown).not.toMatch(/planted|127\.0\.0\.1/);
  expect(shown).not.toContain(`:${port}/`);
  expect(error.cause).toBeUndefined();
  return error.message;
}

describe.each(types)('a message to %s', (type) => {
  it.each([200, 202, 204])('is delivered by one POST that is answered with %d', async (status) => {
    server.answer(status);
    await sending(type);
    expect(server.requests).toEqual([
      expect.objectContaining({
        method: 'POST',
        headers: expect.objectContaining({
          'content-type': 'application/json',
          'idempotency-key': 'a-run/1',
        }) as unknown,
      }),
    ]);
  });

  it.each([400, 404, 429, 500])('fails once by an answer of %d', async (status) => {
    server.answer({ status, body: 'planted answer' });
    expect(await faultOf(sending(type))).toBe(`HTTP ${status}`);
    expect(server.requests).toHaveLength(1);
  });

  it.each([301, 302, 307, 308])('does not follow a redirect by %d', async (status) => {
    server.answer({ status, headers: { Location: `${elsewhere.url}/planted` } });
    expect(await faultOf(sending(type))).toBe(`HTTP ${status}`);
    expect(elsewhere.requests).toEqual([]);
  });

  it('fails where nobody listens', async () => {
    await elsewhere.stop();
    const address = new URL(`${elsewhere.url}/planted`);
    const config = { address, channel: 'general', username: 'flagger' };
    expect(await faultOf(sending(type, { config }))).toBe('ECONNREFUSED');
    elsewhere = await startHookServer();
  });
});

it('gives up a service that does not answer', async () => {
  server.answer(silence);
  expect(await faultOf(sending('slack'))).toBe('ETIMEDOUT');
}, 20_000);

it('ends when it is cancelled', async () => {
  server.answer(silence);
  const cancelling = new AbortController();
  const result = sending('slack', { signal: cancelling.signal });
  while (server.requests.length === 0) await new Promise((go) => setTimeout(go, 10));
  cancelling.abort(new Error('cancelled'));
  await expect(result).rejects.toThrow('cancelled');
});

it.each([429, 503])('tells for how long to wait after %d', async (status) => {
  server.answer({ status, headers: { 'Retry-After': '42' } });
  const error: unknown = await sending('slack').catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ApplicationFailure);
  expect(error).toMatchObject({ message: `HTTP ${status}`, nextRetryDelay: 42_000 });
  expect(error).toMatchObject({ nonRetryable: false });
});

describe("an answer of Slack's API that is a success only by its status", () => {
  it.each([
    ['{"ok":false,"error":"channel_not_found"}', 'Slack answered channel_not_found'],
    ['{"ok":false,"error":"planted token"}', 'Slack answered that it failed'],
    ['{"ok":false}', 'Slack answered that it failed'],
  ])('%s is a failure', async (body, fault) => {
    server.answer({ status: 200, body });
    expect(await faultOf(sending('slack'))).toBe(fault);
  });

  it.each(['{"ok":true}', 'ok', '', 'null', '1'])('%j is none', async (body) => {
    server.answer({ status: 200, body });
    await sending('slack');
    expect(server.requests).toHaveLength(1);
  });
});

describe('a proxy', () => {
  it('gets the requests, with its password, and the service gets neither', async () => {
    const proxy = new URL(elsewhere.url);
    proxy.username = 'user';
    proxy.password = 'p@ss';
    await sending('slack', { proxy });

    expect(server.requests).toEqual([]);
    expect(elsewhere.requests).toHaveLength(1);
    const password = Buffer.from('user:p@ss').toString('base64');
    expect(elsewhere.requests[0]).toMatchObject({
      path: `${server.url}/planted-path?sig=planted`,
      headers: { 'proxy-authorization': `Basic ${password}` },
    });
  });

  it('is only a tunnel to a service with TLS', async () => {
    const secure = await startHookServer('tls');
    const asked: string[] = [];
    const proxy = createServer().on('connect', ({ url = '' }, socket) => {
      asked.push(url);
      const upstream = connect(Number(new URL(`http://${url}`).port), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        socket.pipe(upstream).pipe(socket);
      });
      upstream.on('error', () => socket.destroy());
      socket.on('error', () => upstream.destroy());
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    try {
      const { port } = proxy.address() as AddressInfo;
      const config = { address: new URL(`${secure.url}/a`), channel: 'c', username: 'u' };
      const result = sending('slack', { config, proxy: new URL(`http://127.0.0.1:${port}`) });
      // Nobody vouches for the certificate, and that is seen through the tunnel only.
      expect(await faultOf(result)).toMatch(/SELF_SIGNED|UNABLE_TO_VERIFY/);
      expect(asked).toEqual([new URL(secure.url).host]);
      expect(secure.requests).toEqual([]);
    } finally {
      proxy.close();
      proxy.closeAllConnections();
      await secure.stop();
    }
  }, 20_000);
});
