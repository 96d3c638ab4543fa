import {
  CloudWatchClient,
  PutMetricDataCommand,
  type MetricDatum,
} from '@aws-sdk/client-cloudwatch';

import { cloudwatch } from '../../activities/metrics/cloudwatch.js';
import type { MetricProvider } from '../../activities/metrics/provider.js';
import { servePython, type Server } from './tool-server.js';

const minute = 60_000;
const region = 'eu-west-1';

/** Behaves as AWS does. */
let moto: Server;
let client: CloudWatchClient;
beforeAll(async () => {
  const argv = ['-m', 'moto.server', '--host', '127.0.0.1', '--port'];
  moto = await servePython('moto', (port) => [...argv, String(port)], '/moto-api/');
  const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' };
  client = new CloudWatchClient({ region, endpoint: moto.address, credentials });
}, 600_000);
afterAll(async () => {
  client.destroy();
  await moto.stop();
});

const provider = (): MetricProvider =>
  cloudwatch({
    ...{ address: moto.address, region, intervalMs: minute },
    credentials: { aws_access_key_id: 'key', aws_secret_access_key: 'secret' },
  });

/** Puts data that is this many minutes old. */
async function put(metric: string, ...values: readonly (readonly [number, number])[]) {
  const MetricData = values.map(([minutesAgo, Value]): MetricDatum => {
    const Timestamp = new Date(Date.now() - minutesAgo * minute);
    const Dimensions = [{ Name: 'Service', Value: 'podinfo' }];
    return { MetricName: metric, Value, Timestamp, Dimensions };
  });
  await client.send(new PutMetricDataCommand({ Namespace: 'App', MetricData }));
}

const statOf = (id: string, metric: string, more: object = {}): object => ({
  Id: id,
  MetricStat: {
    Metric: {
      Namespace: 'App',
      MetricName: metric,
      Dimensions: [{ Name: 'Service', Value: 'podinfo' }],
    },
    Period: 60,
    Stat: 'Sum',
  },
  ...more,
});

it('measures the newest value of the last ten intervals', async () => {
  await put('requests', [2, 7.5], [5, 3]);

  const query = JSON.stringify([statOf('requests', 'requests')]);
  expect(await provider().query(query)).toEqual({ kind: 'value', value: 7.5 });
});

it('has nothing to measure in what is older', async () => {
  await put('old', [30, 1]);

  const query = JSON.stringify([statOf('old', 'old')]);
  expect(await provider().query(query)).toEqual({ kind: 'no-data' });
});

it('has nothing to measure where nobody counts', async () => {
  const query = JSON.stringify([statOf('none', 'none')]);
  expect(await provider().query(query)).toEqual({ kind: 'no-data' });
});

it('measures an expression, not what it is made of', async () => {
  await put('errors', [2, 4]);

  // Of expressions, moto knows those that are the name of a part.
  const parts = [
    statOf('other', 'none', { ReturnData: false }),
    statOf('errors', 'errors', { ReturnData: false }),
  ];
  const query = JSON.stringify([...parts, { Id: 'rate', Expression: 'errors' }]);
  expect(await provider().query(query)).toEqual({ kind: 'value', value: 4 });
});

it('answers a ping', async () => {
  await expect(provider().ping()).resolves.toBeUndefined();
});
