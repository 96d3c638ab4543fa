import { KubeConfig } from '@kubernetes/client-node';

import { connectKube, refOf, type Kube } from '../../activities/kube.js';
import { externalMetrics } from '../../activities/metrics/external-metrics.js';
import type { KubeObject } from '../../domain/objects.js';
import { selfSigned } from '../activities/self-signed.js';
import { failureOf } from './laws.js';
import { until } from '../cluster/activity-bench.js';

const namespace = `external-metrics-${String(process.pid)}`;
const labels = { app: 'adapter' };

/** The adapter in a pod, which the API server is told to ask. */
function adapter(): readonly KubeObject[] {
  const { key, cert } = selfSigned();
  const env = [
    { name: 'TLS_KEY', value: key },
    { name: 'TLS_CERT', value: cert },
  ];
  const containers = [
    {
      ...{ name: 'adapter', image: 'test/external-metrics:1', env },
      readinessProbe: { tcpSocket: { port: 6443 }, periodSeconds: 1 },
    },
  ];
  const manifests: readonly (KubeObject & { readonly spec: object })[] = [
    {
      ...{ apiVersion: 'v1', kind: 'Pod' },
      metadata: { name: 'adapter', namespace, labels },
      spec: { containers },
    },
    {
      ...{ apiVersion: 'v1', kind: 'Service' },
      metadata: { name: 'adapter', namespace },
      spec: { selector: labels, ports: [{ port: 443, targetPort: 6443 }] },
    },
    {
      ...{ apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService' },
      metadata: { name: 'v1beta1.external.metrics.k8s.io' },
      spec: {
        ...{ group: 'external.metrics.k8s.io', version: 'v1beta1' },
        ...{ groupPriorityMinimum: 100, versionPriority: 100, insecureSkipTLSVerify: true },
        service: { name: 'adapter', namespace, port: 443 },
      },
    },
  ];
  return manifests;
}

/** Lets the account `reader` do to metrics what the worker's own role lets the worker do. */
function permission(): readonly KubeObject[] {
  const apiGroup = 'rbac.authorization.k8s.io';
  const metadata = { name: 'reader', namespace };
  const role = {
    ...{ apiVersion: `${apiGroup}/v1`, kind: 'Role', metadata },
    rules: [{ apiGroups: ['external.metrics.k8s.io'], resources: ['*'], verbs: ['list'] }],
  };
  const binding = {
    ...{ apiVersion: `${apiGroup}/v1`, kind: 'RoleBinding', metadata },
    roleRef: { apiGroup, kind: 'Role', name: 'reader' },
    subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace }],
  };
  return [role, binding];
}

/** The API as a worker in a pod has it, which is known by a token: this one is nobody's. */
function withoutCertificate(): Kube {
  const config = new KubeConfig();
  config.loadFromDefault();
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error('there is no current cluster');
  config.loadFromClusterAndUser(cluster, { name: 'worker', token: 'nobodys' });
  return connectKube(config);
}

let kube: Kube;
const objects = adapter();
beforeAll(async () => {
  kube = connectKube();
  await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  for (const object of objects) await kube.create(object);
  const { ping } = externalMetrics({ kube });
  await until(() =>
    ping().then(
      () => true,
      () => false,
    ),
  );
}, 120_000);
afterAll(async () => {
  for (const object of [...objects].reverse()) await kube.remove(refOf(object));
  await kube.remove({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: namespace });
});

const ask = (query: string, signal?: AbortSignal, timeoutMs = 5_000) =>
  externalMetrics({ kube, timeoutMs }).query(query, signal);

describe('by way of the API server', () => {
  it.each([
    ['test/errors', { kind: 'value', value: 1.5 }],
    ['several', { kind: 'value', value: 1 }],
    ['test/none', { kind: 'no-data' }],
    ['test/selected?labelSelector=app%3Dpodinfo', { kind: 'value', value: 7 }],
    ['test/selected?labelSelector=app%3Dother', { kind: 'no-data' }],
  ])('%s is measured', async (query, expected) => {
    expect(await ask(query)).toEqual(expected);
  });

  it.each([
    ['unknown', 'no such metric'],
    ['outage', 'no back end'],
    ['broken', 'is not an object'],
  ])('%s is an error', async (query, message) => {
    expect((await failureOf(ask(query))).message).toContain(message);
  });

  it('an adapter that hangs is given up', async () => {
    expect((await failureOf(ask('hang', undefined, 300))).message).toContain(
      'no answer within 0.3 s',
    );
  });

  it('an adapter that hangs is given up when the caller does', async () => {
    const reason = new Error('called off');

    expect(await failureOf(ask('hang', AbortSignal.abort(reason)))).toBe(reason);
  });

  it("a token that is nobody's is refused", async () => {
    const credentials = { token: 'planted-token-1' };

    const { message } = await failureOf(
      externalMetrics({ kube: withoutCertificate(), credentials }).query('errors'),
    );

    expect(message).toContain('Unauthorized');
    expect(message).not.toContain('planted-token-1');
  });

  it('a token measures once its account may list metrics', async () => {
    const account = { apiVersion: 'v1', kind: 'ServiceAccount' };
    await kube.create({ ...account, metadata: { name: 'reader', namespace } });
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/reader/token`;
    const { status } = (await kube.post(path, {})) as { status: { token: string } };
    const provider = externalMetrics({ kube: withoutCertificate(), credentials: status });

    expect((await failureOf(provider.query(`${namespace}/errors`))).message).toContain('forbidden');

    for (const object of permission()) await kube.create(object);
    const measurement = await provider.query(`${namespace}/errors`);
    expect(measurement).toEqual({ kind: 'value', value: 1.5 });
  });
});
