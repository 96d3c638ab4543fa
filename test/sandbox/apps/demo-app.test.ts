import { once } from 'node:events';

import { runApp, startApp } from './start-app.js';
import type { App } from './start-app.js';

let app: App | undefined;
afterEach(() => app?.stop());

async function demoApp(env: Record<string, string> = {}): Promise<App> {
  return (app = await startApp('demo-app.js', { VERSION: '1.2.3', ...env }));
}

test('answers with its version and pod, in the body and in a header', async () => {
  const { url } = await demoApp();

  const answer = await fetch(url);

  expect(answer.headers.get('x-version')).toBe('1.2.3');
  expect(await answer.json()).toEqual({ version: '1.2.3', pod: expect.any(String) });
});

test('counts requests of the application only, by status', async () => {
  const { url } = await demoApp({ ERROR_RATE: '1' });
  await fetch(`${url}/readyz`);

  const answer = await fetch(url);

  expect(answer.status).toBe(500);
  expect(answer.headers.get('x-version')).toBe('1.2.3');
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics.split('\n').filter((line) => line.includes('_seconds_count'))).toEqual([
    'http_request_duration_seconds_count{method="GET",path="/",status="500"} 1',
  ]);
});

test('answers late when told so, and shows it in the histogram', async () => {
  const { url } = await demoApp({ DELAY_MS: '120' });

  await fetch(url);

  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toMatch(/_bucket\{le="0.1",.*\} 0$/m);
  expect(metrics).toMatch(/_bucket\{le="2.5",.*\} 1$/m);
});

test('an unready version is alive but never ready', async () => {
  const { url } = await demoApp({ NEVER_READY: 'true' });

  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  expect((await fetch(`${url}/readyz`)).status).toBe(503);
});

test('errors are spread evenly over its answers', async () => {
  const { url } = await demoApp({ ERROR_RATE: '0.25' });
  const statuses: number[] = [];
  for (let asked = 0; asked < 8; asked += 1) statuses.push((await fetch(url)).status);

  expect(statuses).toEqual([200, 200, 200, 500, 200, 200, 200, 500]);
});

test('a crashing version exits with 1, and so does a nonsensical setting', async () => {
  expect(await runApp('demo-app.js', { CRASH: 'true' })).toBe(1);
  expect(await runApp('demo-app.js', { ERROR_RATE: 'often' })).toBe(1);
});

test('a terminated app serves on while requests arrive, asks for new connections, then exits with 0', async () => {
  const { url, process } = await demoApp({ DRAIN_MS: '200' });
  await fetch(url);
  const exited = once(process, 'exit');

  process.kill('SIGTERM');
  const quietAt = Date.now() + 1000;
  const answers: Response[] = [];
  while (Date.now() < quietAt) answers.push(await fetch(url));

  expect(answers.every(({ status }) => status === 200)).toBe(true);
  expect(answers.at(-1)!.headers.get('connection')).toBe('close');
  expect(await exited).toEqual([0, null]);
});
