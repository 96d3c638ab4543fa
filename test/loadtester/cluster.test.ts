import { readFile } from 'node:fs/promises';

import { loadAll } from 'js-yaml';

import { KubeError, loadKubeConfig, type Kube } from '../../activities/kube.js';
import type { KubeObject } from '../../domain/objects.js';
import { connectCluster, type Cluster, type ConfigMap } from '../../loadtester/cluster.js';
import { until } from '../e2e/until.js';
import { aCall, openRig, type LoadTester, type Rig } from './rig.js';

const namespace = `loadtester-${String(process.pid)}`;
const gates = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'gates' };
const args = ['--gates', `configmap:${namespace}/gates`];

let cluster: Cluster;
let kube: Kube;
let rig: Rig;
let tester: LoadTester;

beforeAll(async () => {
  cluster = connectCluster(loadKubeConfig());
  ({ kube } = cluster);
  rig = await openRig();
  await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await until('pods may run', () =>
    kube.find({ apiVersion: 'v1', kind: 'ServiceAccount', namespace, name: 'default' }),
  );
  tester = await rig.start(args);
});
afterAll(async () => {
  await rig.close();
  await kube.remove({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: namespace });
});

const dataOf = async (): Promise<object> => (await kube.find<ConfigMap>(gates))?.data ?? {};

const one = aCall(undefined, { name: 'app', namespace: 'team' });
const two = aCall(undefined, { name: 'app', namespace: 'other' });

describe('gates in a ConfigMap', () => {
  afterEach(() => kube.remove(gates));

  it('are closed, and can be closed, while there is none', async () => {
    expect((await tester.post('/gate/check', one)).status).toBe(403);
    expect((await tester.post('/gate/close', one)).status).toBe(202);
    expect(await kube.find(gates)).toBeUndefined();
  });

  it('can be seen and steered by kubectl', async () => {
    await tester.post('/gate/open', one);
    await tester.post('/rollback/open', one);
    expect(await dataOf()).toEqual({
      gate__team__app: expect.stringMatching(/^open since \d{4}-/),
      rollback__team__app: expect.stringMatching(/^open since \d{4}-/),
    });

    await kube.patch(gates, { data: { gate__team__app: 'closed', gate__other__app: 'open' } });
    expect((await tester.post('/gate/check', one)).status).toBe(403);
    expect((await tester.post('/gate/check', two)).status).toBe(200);
    await tester.post('/rollback/close', one);
    expect(Object.keys(await dataOf())).toEqual(['gate__other__app', 'gate__team__app']);
  });

  it('outlive a load tester that is killed', async () => {
    const first = await rig.start(args);
    await first.post('/gate/open', one);
    await first.end('SIGKILL');

    const second = await rig.start(args);
    expect((await second.post('/gate/check', one)).text).toBe('Approved');
    await second.end();
  });

  it('are shared by replicas, none of which loses what another writes', async () => {
    const replicas = [tester, await rig.start(args), await rig.start(args)] as const;
    const names = Array.from({ length: 30 }, (_, n) => aCall(undefined, { name: `app-${n}` }));
    const by = (n: number): LoadTester => replicas[n % 3]!;

    const opened = await Promise.all(names.map((name, n) => by(n).post('/gate/open', name)));
    expect(new Set(opened.map(({ status }) => status))).toEqual(new Set([202]));
    const seen = await Promise.all(names.map((name, n) => by(n + 1).post('/gate/check', name)));
    expect(seen.map(({ text }) => text)).toEqual(names.map(() => 'Approved'));

    await by(2).post('/gate/close', names[0]);
    expect((await by(0).post('/gate/check', names[0])).text).toBe('Forbidden');
    for (const replica of replicas.slice(1)) await replica.end();
  });

  it('are neither open nor closed when the API server is out of reach', async () => {
    const config = { server: 'https://127.0.0.1:1', name: 'gone' };
    const kubeconfig = JSON.stringify({
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'c', users: [] },
      clusters: [{ name: config.name, cluster: { server: config.server } }],
      contexts: [{ name: 'c', context: { cluster: config.name } }],
    });
    const lost = await rig.start(args, { KUBECONFIG: await rig.write('lost', kubeconfig) });

    const answered = await lost.post('/gate/check', one);
    expect(answered.status).toBe(503);
    expect(answered.text).toContain('the gates are out of reach: ');
    expect((await lost.post('/rollback/check', one)).status).toBe(503);
    expect((await lost.post('/gate/approve', one)).status).toBe(200);
  });
});

describe('a job', () => {
  const image = 'conformance/app:1';
  const returned = { type: 'job', returnCmdOutput: 'true' };
  const spec = (script: string): object => ({
    backoffLimit: 0,
    template: {
      spec: {
        restartPolicy: 'Never',
        containers: [{ name: 'main', image, command: ['sh', '-c', script] }],
      },
    },
  });
  const send = (metadata: object, headers = {}): ReturnType<LoadTester['post']> =>
    tester.post('/', aCall({ ...returned, ...metadata }, { namespace }), headers);
  const jobs = async (): Promise<string[]> =>
    (await kube.list({ apiVersion: 'batch/v1', kind: 'Job', namespace })).map(
      ({ metadata }) => metadata.name,
    );
  const pods = (): Promise<KubeObject[]> => kube.list({ apiVersion: 'v1', kind: 'Pod', namespace });
  const untilClean = (): Promise<unknown> =>
    until('nothing is left', async () => {
      const left = (await jobs()).filter((name) => name !== 'suspended');
      return left.length === 0 && (await pods()).length === 0;
    });

  async function cronJob(name: string, script: string): Promise<void> {
    await kube.create({
      ...{ apiVersion: 'batch/v1', kind: 'CronJob', metadata: { namespace, name } },
      spec: { schedule: '0 0 1 1 *', suspend: true, jobTemplate: { spec: spec(script) } },
    });
  }

  beforeAll(async () => {
    await cronJob('good', 'echo "all is $MOOD"');
    await cronJob('slow', 'sleep 3; echo "all is $MOOD"');
    await cronJob('bad', 'echo broken; exit 3');
    await cronJob('long', 'echo begun; sleep 300');
    await kube.create({
      ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: { namespace, name: 'suspended' } },
      spec: { ...spec('echo from a job'), suspend: true },
    });
    await kube.create({
      ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: 'files' } },
      data: {
        'job.yaml': JSON.stringify({ kind: 'Job', spec: spec('echo from a file') }),
        'other.yaml': 'kind: Pod',
      },
    } as KubeObject);
  });

  it.each([
    ['cronjob/good', { 'env.MOOD': 'well' }, 'all is well\n'],
    ['job/suspended', {}, 'from a job\n'],
    ['configmap/files', {}, 'from a file\n'],
  ])('is made from %s, and deleted once it is told of', async (template, more, text) => {
    expect(await send({ template, ...more })).toEqual({ status: 200, text });
    await untilClean();
  });

  it('fails with its log', async () => {
    const { status, text } = await send({ template: 'cronjob/bad' });
    expect(status).toBe(500);
    expect(text).toMatch(
      new RegExp(`^command job bad-\\w{10}.${namespace} failed: broken\\n: BackoffLimitExceeded: `),
    );
    await untilClean();
  });

  it('fails at the time-out, and is ended', async () => {
    const { status, text } = await send({ template: 'cronjob/long', timeout: '4s' });
    expect(status).toBe(500);
    expect(text).toMatch(/not finished within 4s|DeadlineExceeded/);
    await untilClean();
  });

  it('is one for all attempts at a call, also by another replica', async () => {
    const replica = await rig.start(args);
    const call = aCall({ ...returned, template: 'configmap/files' }, { namespace });
    const headers = { 'Idempotency-Key': 'run/1/0' };
    const answers = Promise.all([
      tester.post('/', call, headers),
      tester.post('/', call, headers),
      replica.post('/', call, headers),
    ]);
    const seen = new Set<string>();
    await until('it has ended', async () => {
      for (const name of await jobs()) if (name !== 'suspended') seen.add(name);
      return seen.size > 0 && (await Promise.race([answers, Promise.resolve(false as const)]));
    });
    // Whoever is told first deletes it; the other replica may find it gone.
    const told = (await answers).filter(({ status }) => status === 200);
    expect(told.map(({ text }) => text)).toContain('from a file\n');
    expect(seen.size).toBe(1);
    await replica.end();
    await untilClean();
  });

  it('that nobody waited for is found by the next attempt', async () => {
    const call = aCall(
      { ...returned, template: 'cronjob/slow', 'env.MOOD': 'over' },
      { namespace },
    );
    const init = {
      method: 'POST',
      body: JSON.stringify(call),
      headers: { 'Idempotency-Key': 'k' },
    };
    const left = new AbortController();
    const given = fetch(`${tester.url}/`, { ...init, signal: left.signal }).catch(() => 'given up');
    const name = await until('it is made', async () =>
      (await jobs()).find((one) => /^slow-/.test(one)),
    );
    left.abort();
    expect(await given).toBe('given up');
    const ref = { apiVersion: 'batch/v1', kind: 'Job', namespace, name };
    const made = await until('it has ended', async () => {
      const job = await kube.find<KubeObject & { status?: { succeeded?: number } }>(ref);
      return job?.status?.succeeded === 1 && job;
    });
    await until('the load tester has seen it', async () => {
      return (await tester.metric('sluice_loadtester_tasks_running{type="job"}')) === 0;
    });
    expect((await kube.find(ref))?.metadata.uid).toBe(made.metadata.uid);

    const again = await fetch(`${tester.url}/`, init);
    expect([again.status, await again.text()]).toEqual([200, 'all is over\n']);
    await untilClean();
  });

  it.each([
    [{ template: 'cronjob/none' }, 500, 'cronjob none.'],
    [{ template: 'configmap/files', key: 'other.yaml' }, 500, 'other.yaml is no Job in YAML'],
    [{ template: 'configmap/files', key: 'none' }, 500, 'has no key none'],
    [{ template: 'pod/a' }, 400, 'metadata.template: has to be one of job/NAME, cronjob/NAME'],
    [{}, 400, 'metadata.template: is required'],
  ])('says what is wrong with %j', async (metadata, status, text) => {
    expect(await send(metadata)).toEqual({ status, text: expect.stringContaining(text) });
  });

  it('says when the script of k6 is not in its ConfigMap', async () => {
    const missing = await send({ type: 'k6', configMap: 'files', key: 'script.js' });
    expect(missing.text).toContain(`configmap files.${namespace} has no key script.js`);
  });
});

describe('as it is deployed', () => {
  const service = '/api/v1/namespaces/sluice-system/services/sluice-loadtester:http/proxy';
  let objects: KubeObject[];

  beforeAll(async () => {
    objects = loadAll(await readFile('deploy/loadtester.yaml', 'utf8')) as KubeObject[];
    const system = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'sluice-system' } };
    for (const object of [system, ...objects]) await kube.create(object).catch(unlessThere);
  });
  afterAll(async () => {
    const place = { namespace: 'sluice-system' };
    for (const { apiVersion, kind, metadata } of objects) {
      const scope = kind === 'ClusterRole' ? { namespace: '' } : place;
      await kube.remove({ apiVersion, kind, name: metadata.name, ...scope });
    }
    await kube.remove({ ...gates, ...place, name: 'sluice-loadtester-gates' });
  });

  it('keeps gates with the rights it has', async () => {
    const post = (path: string): Promise<unknown> =>
      kube.post(service + path, one).catch((error: unknown) => String(error));
    await until('it is ready', async () => (await post('/gate/approve')) === 'OK');

    expect(await post('/gate/open')).toBe('');
    expect(await post('/gate/check')).toBe('Approved');
    const found = await kube.find<ConfigMap>({
      ...{ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'sluice-system' },
      name: 'sluice-loadtester-gates',
    });
    expect(Object.keys(found?.data ?? {})).toEqual(['gate__team__app']);
  });
});

function unlessThere(error: unknown): void {
  if (!(error instanceof KubeError && error.reason === 'AlreadyExists')) throw error;
}
