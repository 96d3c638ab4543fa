import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { influxdb } from '../../activities/metrics/influxdb.js';
import type { Measurement } from '../../domain/threshold.js';
import { failureOf } from './laws.js';
import { serve, type Server } from './tool-server.js';

let folder: string;
let server: Server;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-influxdb-'));
  server = await serve({
    tool: 'influxdb',
    command: (influxd, port) => ({
      argv: [influxd],
      env: {
        INFLUXDB_HTTP_BIND_ADDRESS: `127.0.0.1:${String(port)}`,
        // Nobody asks it for backups.
        INFLUXDB_BIND_ADDRESS: '127.0.0.1:0',
        INFLUXDB_META_DIR: join(folder, 'meta'),
        INFLUXDB_DATA_DIR: join(folder, 'data'),
        INFLUXDB_DATA_WAL_DIR: join(folder, 'wal'),
        INFLUXDB_HTTP_FLUX_ENABLED: 'true',
        INFLUXDB_REPORTING_DISABLED: 'true',
      },
    }),
    ping: '/ping',
  });
  for (const database of ['default', 'app']) {
    await post('query', new URLSearchParams({ q: `CREATE DATABASE "${database}"` }));
  }
  const lines = [
    ['errors,version=one value=7.5', 60],
    ['errors,version=one value=8.25', 40],
    ['requests,version=one count=12i', 40],
    ['flags,version=one on=true', 40],
    ['errors,version=old value=1', 7_200],
  ].map(([line, secondsAgo]) => `${line} ${Math.floor(Date.now() / 1_000) - Number(secondsAgo)}`);
  await post('api/v2/write?bucket=app/autogen&precision=s', lines.join('\n'));
}, 900_000);
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

async function post(path: string, body: string | URLSearchParams): Promise<void> {
  const { ok, status } = await fetch(`${server.address}/${path}`, { method: 'POST', body });
  if (!ok) throw new Error(`${path}: ${status}`);
}

const provider = () =>
  influxdb({ address: server.address, credentials: { org: 'any', token: 'any' } });

/** Asks for what is left of the last hour by further steps of a Flux pipeline. */
const ask = (...steps: readonly string[]): Promise<Measurement> =>
  provider().query(['from(bucket: "app")', 'range(start: -1h)', ...steps].join('\n  |> '));

const named = (measurement: string): string =>
  `filter(fn: (r) => r._measurement == "${measurement}")`;

it.each([
  ['a float', 'errors', 8.25],
  ['an integer', 'requests', 12],
])('measures %s', async (_, measurement, value) => {
  expect(await ask(named(measurement), 'last()')).toEqual({ kind: 'value', value });
});

it('measures what functions make of it', async () => {
  expect(await ask(named('errors'), 'sum()')).toEqual({ kind: 'value', value: 15.75 });
});

it('has nothing to measure where nothing was written, or only before', async () => {
  expect(await ask(named('nothing'))).toEqual({ kind: 'no-data' });
  expect(await ask('filter(fn: (r) => r.version == "old")')).toEqual({ kind: 'no-data' });
});

it('refuses what is no number', async () => {
  const { message } = await failureOf(ask(named('flags'), 'last()'));

  expect(message).toContain('_value is of boolean, not a number');
});

it.each([
  ['a query that it does not understand', 'nothing here', /^HTTP \d+: .*undefined identifier/s],
  [
    'a bucket that is not there',
    'from(bucket: "none") |> range(start: -1h)',
    /^HTTP 500: .*no database/s,
  ],
])('names what InfluxDB says of %s', async (_, query, message) => {
  expect((await failureOf(provider().query(query))).message).toMatch(message);
});

it('answers a ping', async () => {
  await expect(provider().ping()).resolves.toBeUndefined();
});
