import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { graphite } from '../../activities/metrics/graphite.js';
import type { Measurement } from '../../domain/threshold.js';
import { failureOf } from './laws.js';
import { servePython, type Server } from './tool-server.js';

const program = fileURLToPath(new URL('./graphite-server.py', import.meta.url));

let folder: string;
let server: Server;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-graphite-'));
  server = await servePython('graphite', (port) => [program, folder, String(port)], '/render');
}, 600_000);
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

/** Stores points of a metric, each a value and how many seconds ago it was. */
async function store(metric: string, ...points: readonly (readonly [number, number])[]) {
  const now = Date.now() / 1_000;
  const lines = points.map(([value, secondsAgo]) => `${String(value)} ${String(now - secondsAgo)}`);
  const { status } = await fetch(`${server.address}/whisper/${metric}`, {
    method: 'POST',
    body: lines.join('\n'),
  });
  expect(status).toBe(204);
}

const ask = (query: string): Promise<Measurement> =>
  graphite({ address: server.address }).query(query);

it('measures the newest point, whatever came after it was not stored', async () => {
  await store('web.rate', [7.5, 60], [8.25, 40]);

  expect(await ask('target=web.rate&from=-5min')).toEqual({ kind: 'value', value: 8.25 });
});

it('measures what functions make of several series', async () => {
  await store('shop.one.errors', [2, 30]);
  await store('shop.two.errors', [3, 30]);

  const query = "target=summarize(\n  sumSeries(shop.*.errors),\n  '10min',\n  'sum'\n)&from=-5min";
  expect(await ask(query)).toEqual({ kind: 'value', value: 5 });
});

it('has nothing to measure where nothing was stored, or only before', async () => {
  await store('old.rate', [1, 1_800]);

  expect(await ask('target=nobody.counts')).toEqual({ kind: 'no-data' });
  expect(await ask('target=old.rate&from=-5min')).toEqual({ kind: 'no-data' });
});

it('names what Graphite says of a query that it does not understand', async () => {
  const { message } = await failureOf(ask('target=unknownFunction(web.rate)'));

  expect(message).toMatch(/^HTTP 4\d\d: .*unknownFunction/s);
});

it('answers a ping', async () => {
  await expect(graphite({ address: server.address }).ping()).resolves.toBeUndefined();
});
