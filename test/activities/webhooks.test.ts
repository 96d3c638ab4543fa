import { callWebhook, checksumOf, type HookAnswer } from '../../activities/webhooks.js';
import type { CanaryStatus, Webhook } from '../../domain/canary.js';
import { silence, startHookServer, type HookReply, type HookServer } from './hook-server.js';

const payload = {
  name: 'podinfo',
  namespace: 'test',
  phase: 'Progressing',
  checksum: 'c',
} as const;
let server: HookServer;

beforeEach(async () => {
  server = await startHookServer();
});
afterEach(() => server.stop());

function call(
  hook: Partial<Webhook> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<HookAnswer> {
  const whole = {
    url: `${server.url}/hook`,
    timeout: '5s',
    retries: 0,
    disableTls: false,
    ...hook,
  };
  return callWebhook({ hook: whole, payload, key: 'run/7/0', signal });
}

const errorOf = (answer: HookAnswer): string => (answer.ok ? 'it was accepted' : answer.error);
const givingUp = (attempts: number): string =>
  `POST ${server.url}/hook giving up after ${attempts} attempt(s)`;

it('posts the payload as JSON, with a key for the call', async () => {
  expect(await call()).toEqual({ ok: true });
  expect(server.requests).toEqual([
    {
      method: 'POST',
      path: '/hook',
      headers: expect.objectContaining({
        'content-type': 'application/json',
        'idempotency-key': 'run/7/0',
      }),
      body: payload,
    },
  ]);
});

it.each([200, 201, 202, 203, 204, 299])('takes %d for a yes', async (status) => {
  server.answer(status);
  expect(await call()).toEqual({ ok: true });
});

describe('an answer that is no yes', () => {
  it.each<[string, HookReply, string]>([
    ['is told by its body', { status: 403, body: 'not\n  today' }, 'not today'],
    ['is told by its status where it has no body', 404, 'HTTP 404'],
    ['is told by its body, though it is a 501', { status: 501, body: 'no' }, 'no'],
    ['is cut to a readable length', { status: 400, body: 'x'.repeat(100_000) }, 'x'.repeat(500)],
  ])('%s', async (_, reply, error) => {
    server.answer(reply);
    expect(await call({ retries: 3 })).toEqual({
      ok: false,
      error,
      fault: expect.stringMatching(/^HTTP \d+$/),
    });
    expect(server.requests).toHaveLength(1);
  });

  it.each([500, 503, 429])('is given up when it is %d', async (status) => {
    server.answer({ status, body: 'busy' });
    expect(errorOf(await call())).toBe(`${givingUp(1)}: HTTP ${status} busy`);
  });

  it('does not show the user info and the query of the address', async () => {
    server.answer(500);
    const url = `${server.url.replace('://', '://me:secret@')}/hook?token=secret`;
    expect(errorOf(await call({ url }))).toBe(`${givingUp(1)}: HTTP 500`);
    expect(server.paths).toEqual(['/hook?token=secret']);
  });
});

describe('retries', () => {
  it('are made as the hook allows, with one key', async () => {
    server.answer(500, 202);

    expect(await call({ retries: 1 })).toEqual({ ok: true });
    expect(server.requests.map(({ headers }) => headers['idempotency-key'])).toEqual([
      'run/7/0',
      'run/7/0',
    ]);
  });

  it('follow what the server asks for, and end', async () => {
    const busy = { status: 503, headers: { 'retry-after': '0' } };
    server.answer(busy, busy, busy, busy);

    expect(errorOf(await call({ retries: 2 }))).toBe(`${givingUp(3)}: HTTP 503`);
    expect(server.requests).toHaveLength(3);
  });

  it('are made when the connection breaks', async () => {
    server.answer((response) => void response.destroy(), 200);
    expect(await call({ retries: 1 })).toEqual({ ok: true });
  });

  it('end with the call, when it is given up', async () => {
    const giving = new AbortController();
    server.answer((response) => {
      response.writeHead(503, { 'retry-after': '200' }).end();
      setTimeout(() => giving.abort(new Error('enough')), 50);
    });
    await expect(call({ retries: 5 }, giving.signal)).rejects.toThrow('enough');
    expect(server.requests).toHaveLength(1);
  });
});

describe('the time-out', () => {
  it('ends an attempt that is not answered', async () => {
    server.answer(silence);
    expect(await call({ timeout: '200ms' })).toEqual({
      ok: false,
      error: `${givingUp(1)}: no answer within 0.2 s`,
      fault: 'ETIMEDOUT',
    });
  });

  it('does not take back a yes whose body never ends', async () => {
    server.answer((response) => void response.writeHead(200).write('well'));
    expect(await call({ timeout: '200ms' })).toEqual({ ok: true });
  });

  it.each(['soon', '5', '-1s', '0s', '5 s'])('fails the hook when it is "%s"', async (timeout) => {
    expect(errorOf(await call({ timeout }))).toContain(`timeout "${timeout}"`);
    expect(server.requests).toEqual([]);
  });
});

it('does not wait for an endless body', async () => {
  server.answer((response) => {
    response.writeHead(400);
    const pour = (): void => {
      if (!response.destroyed) response.write('x'.repeat(4_096), () => setImmediate(pour));
    };
    pour();
  });
  expect(errorOf(await call({ timeout: '30s' }))).toBe('x'.repeat(500));
});

it('gives a call up while nobody answers', async () => {
  const giving = new AbortController();
  server.answer(() => setTimeout(() => giving.abort(new Error('enough')), 20));
  await expect(call({}, giving.signal)).rejects.toThrow('enough');
});

describe('redirects', () => {
  it('are followed, and a 307 keeps method and body', async () => {
    server.answerAt('/hook', { status: 307, headers: { location: '/there' } });
    expect(await call()).toEqual({ ok: true });
    expect(server.requests[1]).toMatchObject({ method: 'POST', path: '/there', body: payload });
  });

  it('that never end are an error at once', async () => {
    server.answerAt('/hook', { status: 307, headers: { location: '/hook' } });
    expect(await call({ retries: 3 })).toMatchObject({ fault: 'ERR_FR_TOO_MANY_REDIRECTS' });
    expect(server.requests).toHaveLength(11);
  });
});

describe('TLS', () => {
  let secure: HookServer;
  beforeEach(async () => {
    secure = await startHookServer('tls');
  });
  afterEach(() => secure.stop());

  it('needs a certificate somebody vouches for, which no retry brings', async () => {
    const answer = await call({ url: secure.url, retries: 5 });
    expect(answer).toMatchObject({ ok: false, fault: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    expect(errorOf(answer)).toContain('giving up after 1 attempt(s)');
    expect(secure.requests).toEqual([]);
  });

  it('is left unchecked where the manifest says so', async () => {
    expect(await call({ url: secure.url, disableTls: true })).toEqual({ ok: true });
    expect(secure.requests).toHaveLength(1);
  });
});

it.each(['', 'ftp://example.org', 'example.org/hook', 'http://'])(
  'does not call the address "%s"',
  async (url) => {
    expect(errorOf(await call({ url }))).toContain('http or https');
  },
);

it('tells that nobody listens', async () => {
  const answer = await call({ url: 'http://127.0.0.1:1/hook' });
  expect(answer).toEqual({
    ok: false,
    error:
      'POST http://127.0.0.1:1/hook giving up after 1 attempt(s): connect ECONNREFUSED 127.0.0.1:1',
    fault: 'ECONNREFUSED',
  });
});

describe('the checksum', () => {
  const status: CanaryStatus = { lastAppliedSpec: 'a', trackedConfigs: { x: '1', y: '2' } };

  it('is the same for the same content', () => {
    const { lastAppliedSpec = '' } = status;
    const other = { trackedConfigs: { y: '2', x: '1' }, lastAppliedSpec, failedChecks: 3 };
    expect(checksumOf(other)).toBe(checksumOf(status));
  });

  it.each<[string, CanaryStatus]>([
    ['another revision', { ...status, lastAppliedSpec: 'b' }],
    ['another value', { ...status, trackedConfigs: { x: '1', y: '3' } }],
    ['no configs', { lastAppliedSpec: 'a', trackedConfigs: {} }],
    ['configs that are not tracked', { lastAppliedSpec: 'a' }],
  ])('differs with %s', (_, other) => {
    expect(checksumOf(other)).not.toBe(checksumOf(status));
  });

  it('tells no configs from configs that are not tracked', () => {
    const none: CanaryStatus = { lastAppliedSpec: 'a' };
    expect(checksumOf({ ...none, trackedConfigs: {} })).not.toBe(checksumOf(none));
  });
});
