import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { connectKube, loadKubeConfig, type Kube } from '../../../activities/kube.js';
import type { KubeObject } from '../../../domain/objects.js';
import type { ConfigMap } from '../../../loadtester/cluster.js';
import { until } from '../../e2e/until.js';
import { aCall, openRig, pathTo, type Answered, type LoadTester, type Rig } from '../rig.js';
import { groupsBelow, namesIn } from './processes.js';

const namespace = `helm-${String(process.pid)}`;
const config = loadKubeConfig();
const kube: Kube = connectKube(config);

let rig: Rig;
let path: string;
let tester: LoadTester;

beforeAll(async () => {
  path = await pathTo('helm');
  rig = await openRig();
  await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await until('pods may run', () =>
    kube.find({ apiVersion: 'v1', kind: 'ServiceAccount', namespace, name: 'default' }),
  );
  tester = await start();
  await install('good', 'echo all is well');
  await install('bad', 'echo all is lost; exit 3');
  await install('long', 'echo begun; sleep 300');
});
afterAll(async () => {
  await rig.close();
  await kube.remove({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: namespace });
});

/** One whose helm keeps to folders of the test's, whatever this machine has configured for helm. */
function start(args: readonly string[] = [], kubeconfig?: string): Promise<LoadTester> {
  return rig.start(['--gates', 'memory', ...args], {
    ...{ PATH: path, HOME: rig.folder, HELM_NAMESPACE: namespace },
    ...(kubeconfig === undefined ? {} : { KUBECONFIG: kubeconfig }),
  });
}

function helm(cmd: string, type = 'helm', by = tester): Promise<Answered> {
  return by.post('/', aCall({ type, cmd, returnCmdOutput: 'true' }));
}

/** Installs a chart with a ConfigMap, and a pod that runs a script for `helm test`. */
async function install(name: string, script: string): Promise<void> {
  const folder = join(rig.folder, name);
  await mkdir(join(folder, 'templates'), { recursive: true });
  const manifest = (file: string, object: object): Promise<string> =>
    rig.write(join(name, 'templates', file), JSON.stringify(object, undefined, 2));
  await rig.write(join(name, 'Chart.yaml'), `apiVersion: v2\nname: ${name}\nversion: 0.1.0\n`);
  await rig.write(join(name, 'values.yaml'), 'greeting: none\n');
  await manifest('settings.yaml', {
    ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: '{{ .Release.Name }}' } },
    data: { greeting: '{{ .Values.greeting }}' },
  });
  await manifest('test.yaml', {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: { name: '{{ .Release.Name }}-test', annotations: { 'helm.sh/hook': 'test' } },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', image: 'conformance/app:1', command: ['sh', '-c', script] }],
    },
  });
  expect(await helm(`install ${name} ${folder}`)).toEqual({
    status: 200,
    text: expect.stringContaining('STATUS: deployed'),
  });
}

const podOf = (release: string): Promise<KubeObject | undefined> =>
  kube.find({ apiVersion: 'v1', kind: 'Pod', namespace, name: `${release}-test` });

/** Waits for the pod of a test that does not end, of a later run than that of pod `before`. */
function nextPod(before: KubeObject | undefined): Promise<KubeObject> {
  return until('the pod is there', async () => {
    const pod = await podOf('long');
    return pod?.metadata.uid !== before?.metadata.uid && pod;
  });
}

it.each(['helm', 'helmv3'])('tests a release, as %s, and answers with its logs', async (type) => {
  const { status, text } = await helm('test good --logs', type);
  expect({ status, text }).toEqual({
    status: 200,
    text: expect.stringMatching(/Phase: +Succeeded/),
  });
  expect(text).toContain('POD LOGS: good-test\nall is well\n');
});

it('fails when the test of a release fails, with its logs', async () => {
  const { status, text } = await helm('test bad --logs');
  expect(status).toBe(500);
  expect(text).toMatch(/^command test bad --logs failed: [^]*: exit status 1$/);
  expect(text).toMatch(/Phase: +Failed/);
  expect(text).toContain('pod bad-test failed');
  expect(text).toContain('POD LOGS: bad-test\nall is lost\n');
  expect(tester.logs()).toContainEqual(
    expect.objectContaining({ msg: 'task failed', type: 'helm', cause: 'exit status 1' }),
  );
});

it('fails when helm gives the test up, whose pod goes on', async () => {
  const { status, text } = await helm('test long --timeout 3s');
  expect(status).toBe(500);
  expect(text).toMatch(/timed out[^]*: exit status 1$/);
  expect((await podOf('long'))?.metadata.deletionTimestamp).toBeUndefined();
});

it('fails for a release that is not there', async () => {
  expect(await helm('test none')).toEqual({
    status: 500,
    text: 'command test none failed: Error: release: not found\n: exit status 1',
  });
});

it('has words in quotes as one word', async () => {
  const { status } = await helm(
    `upgrade good ${join(rig.folder, 'good')} --set "greeting=hello world"`,
  );
  expect(status).toBe(200);
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'good' };
  expect((await kube.find<ConfigMap>(ref))?.data).toEqual({ greeting: 'hello world' });
});

it('is killed at the time-out; the pod of its test stays until the next test', async () => {
  const before = await podOf('long');
  const quick = await start(['--timeout', '5s']);
  const answer = helm('test long', 'helm', quick);
  const pod = await nextPod(before);
  const groups = await groupsBelow(quick.child.pid);
  expect(await namesIn(groups)).toEqual(['helm']);

  expect(await answer).toEqual({
    status: 500,
    text: expect.stringMatching(/^command test long failed: [^]*: signal: killed$/),
  });
  expect(await namesIn(groups)).toEqual([]);
  expect((await podOf('long'))?.metadata.uid).toBe(pod.metadata.uid);

  const next = helm('test long', 'helm', quick);
  await nextPod(pod);
  expect((await next).status).toBe(500);
});

it('begins anew for a second call, which ends the first', async () => {
  const before = await podOf('long');
  const first = helm('test long --timeout 30s');
  const pod = await nextPod(before);
  // By then the first looks at its pod; else it would take that of the second for its own.
  await until('the pod runs', async () => {
    const { status = {} } = (await podOf('long')) ?? {};
    return (status as { phase?: string }).phase === 'Running';
  });
  // Its time runs while the pod of the first is stopped.
  const second = helm('test long --timeout 15s');
  await nextPod(pod);

  const answers = await Promise.all([first, second]);
  expect(answers.map(({ status }) => status)).toEqual([500, 500]);
  expect(answers[0].text).toContain('pod long-test failed');
  expect(answers[1].text).toContain('timed out');
});

describe('a ServiceAccount', () => {
  const name = 'tests';
  const rbac = 'rbac.authorization.k8s.io';
  // As docs/loadtester.md has them.
  const rules = [
    { apiGroups: [''], resources: ['secrets'], verbs: ['list', 'update'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch', 'get', 'create', 'delete'] },
    { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
  ];
  let own: LoadTester;

  beforeAll(async () => {
    await kube.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name } });
    const request = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
    const issued = (await kube.post(request, body)) as { status: { token: string } };
    own = await start([], await rig.write('own', kubeconfigOf(issued.status.token)));
  });

  it('without rights gets no further than the release', async () => {
    const { status, text } = await helm('test good', 'helm', own);
    expect(status).toBe(500);
    expect(text).toMatch(/secrets is forbidden: [^]*: exit status 1$/);
  });

  it('tests a release with a few', async () => {
    const metadata = { namespace, name };
    await kube.create({ apiVersion: `${rbac}/v1`, kind: 'Role', metadata, rules } as KubeObject);
    await kube.create({
      ...{ apiVersion: `${rbac}/v1`, kind: 'RoleBinding', metadata },
      roleRef: { apiGroup: rbac, kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', namespace, name }],
    } as KubeObject);

    await until('the rights are there', async () => {
      return !(await helm('status good', 'helm', own)).text.includes('secrets is forbidden');
    });
    expect(await helm('test good --logs', 'helm', own)).toEqual({
      status: 200,
      text: expect.stringContaining('POD LOGS: good-test\nall is well\n'),
    });
  });
});

/** A kubeconfig for the same cluster, by this token alone. */
function kubeconfigOf(token: string): string {
  const { server, caData, caFile } = config.getCurrentCluster() ?? {};
  const cluster = {
    server,
    'certificate-authority-data': caData,
    'certificate-authority': caFile,
  };
  return JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'c' },
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user: { token } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
  });
}
