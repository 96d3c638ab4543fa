import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import { startApp } from './start-app.js';
import type { App } from './start-app.js';

interface Stats {
  readonly requests: number;
  readonly failed: number;
  readonly byVersion: Record<string, number>;
  readonly byStatus: Record<string, number>;
  readonly failures: {
    readonly connection: number;
    readonly timeout: number;
    readonly serverErrors: Record<string, number>;
  };
}

const running: { stop(): void }[] = [];
afterEach(() => running.splice(0).forEach((app) => app.stop()));

async function start(file: string, env: Record<string, string>): Promise<App> {
  const app = await startApp(file, env);
  running.push(app);
  return app;
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  running.push({ stop: () => server.close().closeAllConnections() });
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function loadOn(url: string, env: Record<string, string> = {}): Promise<App> {
  return start('load-generator.js', { TARGET_URL: url, RATE: '200', ...env });
}

async function stats({ url }: App, query = ''): Promise<Stats> {
  return (await (await fetch(`${url}/stats${query}`)).json()) as Stats;
}

async function statsOnce(load: App, when: (stats: Stats) => boolean): Promise<Stats> {
  for (;;) {
    const seen = await stats(load);
    if (when(seen)) return seen;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function configure({ url }: App, config: unknown): Promise<Response> {
  return fetch(`${url}/config`, { method: 'POST', body: JSON.stringify(config) });
}

test('counts answers by version and status', async () => {
  const web = await start('demo-app.js', { VERSION: '1.0.0' });
  const load = await loadOn(web.url);
  const first = await stats(load);

  const last = await statsOnce(load, ({ requests }) => requests >= first.requests + 400);

  expect(last.byVersion).toEqual({ '1.0.0': last.requests });
  expect(last.byStatus).toEqual({ '200': last.requests });
  expect(last.failed).toBe(0);
});

test('tells the errors of a bad version from those of a good one', async () => {
  const good = await start('demo-app.js', { VERSION: 'good' });
  const bad = await start('demo-app.js', { VERSION: 'bad', ERROR_RATE: '1' });
  const load = await loadOn(good.url);
  await statsOnce(load, ({ byVersion }) => (byVersion['good'] ?? 0) > 20);

  await configure(load, { url: bad.url });
  const { failed, failures, byVersion } = await statsOnce(load, (s) => s.failed > 20);

  expect(failures).toEqual({ connection: 0, timeout: 0, serverErrors: { bad: byVersion['bad'] } });
  expect(failed).toBe(byVersion['bad']);
});

test('counts refused connections and missing answers as failures', async () => {
  const silent = await serve(() => undefined);
  const load = await loadOn(silent, { TIMEOUT_MS: '100' });

  await statsOnce(load, ({ failures }) => failures.timeout > 5);
  await configure(load, { url: 'http://127.0.0.1:1/' });
  const seen = await statsOnce(load, ({ failures }) => failures.connection > 5);

  expect(seen.failed).toBe(seen.requests);
});

test('sends the Host header it is given', async () => {
  const hosts = new Set<string | undefined>();
  const target = await serve((request, response) => {
    hosts.add(request.headers.host);
    response.end();
  });
  const load = await loadOn(target, { HOST_HEADER: 'web.example.com' });

  const { byVersion } = await statsOnce(load, ({ requests }) => requests > 0);

  expect([...hosts]).toEqual(['web.example.com']);
  expect(Object.keys(byVersion)).toEqual(['none']);
});

test('keeps connections, or opens one for each request', async () => {
  const connections = new Set<Socket>();
  const target = await serve(({ socket }, response) => {
    connections.add(socket);
    response.end();
  });
  const load = await loadOn(target);
  const kept = await statsOnce(load, ({ requests }) => requests >= 100);
  expect(connections.size).toBeLessThan(kept.requests / 2);

  await configure(load, { rate: 0, keepAlive: false });
  await new Promise((resolve) => setTimeout(resolve, 100));
  const before = await stats(load);
  connections.clear();
  await configure(load, { rate: 200 });
  await statsOnce(load, ({ requests }) => requests >= before.requests + 100);
  await configure(load, { rate: 0 });
  await new Promise((resolve) => setTimeout(resolve, 100));
  const after = await stats(load);

  expect(connections.size).toBeGreaterThanOrEqual(after.requests - before.requests);
  expect(after.failed).toBe(0);
});

test('a window holds whole seconds only', async () => {
  const web = await start('demo-app.js', { VERSION: '1.0.0' });
  const load = await loadOn(web.url);
  const since = Date.now();
  await statsOnce(load, ({ requests }) => requests > 450);
  await configure(load, { rate: 0 });
  await new Promise((resolve) => setTimeout(resolve, 100));

  const all = await stats(load);
  const window = await stats(load, `?since=${since}`);
  const nothing = await stats(load, `?since=${since}&until=${since + 900}`);

  expect(window.requests).toBeGreaterThan(0);
  expect(window.requests).toBeLessThan(all.requests);
  expect(nothing.requests).toBe(0);
});

test('refuses settings it does not understand and keeps the old ones', async () => {
  const load = await loadOn('http://127.0.0.1:1/', { RATE: '0' });

  const answers = await Promise.all(
    [
      { rate: 'fast' },
      { rate: -1 },
      { url: 'ftp://x' },
      { speed: 3 },
      { host: 7 },
      { keepAlive: 1 },
    ].map((bad) => configure(load, bad)),
  );

  expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400, 400]);
  expect(await (await fetch(`${load.url}/config`)).json()).toEqual({
    url: 'http://127.0.0.1:1/',
    host: '',
    rate: 0,
    keepAlive: true,
  });
});
