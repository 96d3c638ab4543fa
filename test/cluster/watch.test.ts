import { jest } from '@jest/globals';
import { Client, isGrpcServiceError } from '@temporalio/client';
import { defaultPayloadConverter, fromPayloadsAtIndex } from '@temporalio/common';
import proto from '@temporalio/proto';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';

import { connectKube, loadKubeConfig, type Kube } from '../../activities/kube.js';
import { revisionOf } from '../../activities/revision.js';
import type { Deployment, KubeObject, PodTemplate } from '../../domain/objects.js';
import { releaseId, taskQueueOf, type CanaryRef } from '../../domain/release.js';
import { openCaches } from '../../worker/caches.js';
import { jsonLogger } from '../../worker/log.js';
import { releasesOf } from '../../worker/releases.js';
import { ensureSearchAttributes } from '../../worker/search-attributes.js';
import { watchCanaries } from '../../worker/watch.js';
import type { Change } from '../../workflows/messages.js';
import { searchAttributes } from '../../workflows/search-attributes.js';
import { proxyTo, type BreakableProxy } from './breakable-proxy.js';

const { EventType, CommandType } = proto.temporal.api.enums.v1;
const cluster = `watch-${process.pid}`;
const namespace = cluster;
const resyncMs = 500;
/** The status code of gRPC. */
const notFound = 5;
const silent = jsonLogger('error', (line) => {
  if (process.env['WATCH_TEST_LOG'] !== undefined) process.stderr.write(line);
});

let kube: Kube;
let client: Client;
let apiServer: BreakableProxy;
let temporal: BreakableProxy;
let proxied: { kubeConfig: ReturnType<typeof loadKubeConfig>; client: Client };
let watching: { stop(): Promise<void> } | undefined;
let canaryNumber = 0;

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const address = process.env['TEMPORAL_ADDRESS'] ?? '';
  const kubeConfig = loadKubeConfig();
  kube = connectKube(kubeConfig);
  client = new Client({ connection: await NativeConnection.connect({ address }) });
  await ensureSearchAttributes(client, silent);
  await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });

  const [host = '', port] = address.split(':');
  temporal = await proxyTo(host, Number(port));
  const server = new URL(kubeConfig.getCurrentCluster()!.server);
  apiServer = await proxyTo(server.hostname, Number(server.port));
  const throughProxy = loadKubeConfig();
  const name = throughProxy.getCurrentCluster()!.name;
  const proxiedCluster = {
    name,
    server: `https://127.0.0.1:${apiServer.port}`,
    skipTLSVerify: true,
  };
  throughProxy.clusters = [proxiedCluster];
  proxied = {
    kubeConfig: throughProxy,
    client: new Client({
      connection: await NativeConnection.connect({ address: `127.0.0.1:${temporal.port}` }),
    }),
  };
});

afterAll(async () => {
  for await (const { workflowId } of client.workflow.list({
    query: `SluiceCluster = '${cluster}' AND ExecutionStatus = 'Running'`,
  })) {
    await client.workflow.getHandle(workflowId).terminate();
  }
  await kube.remove({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: namespace });
  await proxied.client.connection.close();
  await client.connection.close();
  await apiServer.cut();
  await temporal.cut();
});

afterEach(() => watching?.stop());

it('starts the release of a new canary, findable and explained', async () => {
  await startWatching();
  const canary = await aCanary();
  await until(async () => (await changesTold(canary)).length === 1);

  const description = await client.workflow.getHandle(releaseId(canary)).describe();
  expect(description.type).toBe('release');
  expect(description.taskQueue).toBe(taskQueueOf(cluster));
  expect(await description.staticSummary()).toBe(`${namespace}/${canary.name} → app=web:1`);
  expect(await inputOf(canary)).toEqual([{ canary, trigger: { kind: 'change' } }]);
  const { typedSearchAttributes: found } = description;
  expect(found.get(searchAttributes.cluster)).toBe(cluster);
  expect(found.get(searchAttributes.namespace)).toBe(namespace);
  expect(found.get(searchAttributes.canary)).toBe(canary.name);
  expect(found.get(searchAttributes.revision)).toBe(await revisionNow(canary));
});

it('tells the open release of changes, each once, whatever else happens', async () => {
  await startWatching();
  const canary = await aCanary();
  await until(async () => (await changesTold(canary)).length === 1);

  await setStatus(canary, { phase: 'Initializing' });
  await annotate(canary, 'first');
  await setImage(canary, 'web:2');
  await until(async () => (await changesTold(canary)).length === 2);
  await setStatus(canary, { phase: 'Progressing', canaryWeight: 10 });
  await annotate(canary, 'second');
  await kube.patch(refOf(canary), { spec: { skipAnalysis: true } });
  await until(async () => (await changesTold(canary)).length === 3);
  await resynced();

  expect(await changesTold(canary)).toEqual([
    { revision: expect.any(String), generation: 1 },
    { revision: await revisionNow(canary), generation: 1 },
    { revision: await revisionNow(canary), generation: 2 },
  ]);
});

it('starts no release of what was promoted, failed or suspended', async () => {
  const idle = await Promise.all([aCanary(), aCanary(), aCanary()]);
  const [promoted, failed, suspended] = idle;
  const revision = await revisionNow(promoted);
  await setStatus(promoted, { phase: 'Succeeded', lastPromotedSpec: revision });
  await setStatus(failed, { phase: 'Failed', lastAppliedSpec: await revisionNow(failed) });
  await kube.patch(refOf(suspended), { spec: { suspend: true } });
  await startWatching();
  await resynced();
  expect(await Promise.all(idle.map(runs))).toEqual([[], [], []]);

  await kube.patch(refOf(suspended), { spec: { suspend: false } });
  await setImage(promoted, 'web:2');
  await until(async () => (await runs(suspended)).length + (await runs(promoted)).length === 2);
});

it('starts a terminated release again', async () => {
  await startWatching();
  const canary = await aCanary();
  await until(async () => (await runs(canary)).length === 1);
  await setStatus(canary, { phase: 'Progressing', canaryWeight: 10 });
  await client.workflow.getHandle(releaseId(canary)).terminate();
  await until(async () => (await runs(canary)).length === 2);
});

it('leaves a canary alone whose set-up was refused, until it changes', async () => {
  await startWatching();
  const canary = await aCanary();
  await until(async () => (await runs(canary)).length === 1);
  await failRun(canary);
  await resynced();
  expect(await runs(canary)).toHaveLength(1);

  await kube.patch(refOf(canary), { spec: { skipAnalysis: true } });
  await until(async () => (await runs(canary)).length === 2);
});

it('tells the open release that its canary is gone', async () => {
  await startWatching();
  const canary = await aCanary();
  await until(async () => (await changesTold(canary)).length === 1);
  await kube.remove(refOf(canary));
  await until(async () => (await changesTold(canary)).length === 2);
  expect((await changesTold(canary))[1]).toEqual({ revision: '', generation: 0 });
});

it('starts the release of a canary without a target too, which says so', async () => {
  await startWatching();
  const canary = await aCanary();
  await kube.remove(targetOf(canary));
  await until(async () => (await changesTold(canary)).at(-1)?.revision === '');
});

it('loses no change while the API server is away', async () => {
  await startWatching();
  const canary = await aCanary();
  await until(async () => (await changesTold(canary)).length === 1);
  await apiServer.cut();
  await setImage(canary, 'web:2');
  await apiServer.restore();
  await until(async () => (await changesTold(canary)).length === 2);
});

it('loses no change while Temporal is away', async () => {
  await startWatching();
  const canary = await aCanary();
  await until(async () => (await changesTold(canary)).length === 1);
  await temporal.cut();
  await setImage(canary, 'web:2');
  await resynced();
  await temporal.restore();
  await until(async () => (await changesTold(canary)).length === 2);
});

it('loses no change while the worker is away', async () => {
  await startWatching();
  const canary = await aCanary();
  await until(async () => (await changesTold(canary)).length === 1);
  await watching?.stop();
  await setImage(canary, 'web:2');
  await startWatching();
  await until(async () => (await changesTold(canary)).length === 2);
  expect((await changesTold(canary))[1]?.revision).toBe(await revisionNow(canary));
});

async function startWatching(): Promise<void> {
  const { kubeConfig } = proxied;
  const caches = openCaches({ kubeConfig, kube: connectKube(kubeConfig), namespace, log: silent });
  const { canaries, deployments } = caches;
  await Promise.all([deployments.untilSynced(), canaries.untilSynced()]);
  const watch = watchCanaries({
    cluster,
    canaries,
    deployments,
    releases: releasesOf(proxied.client, cluster),
    revisionOf,
    sent: () => undefined,
    reached: () => undefined,
    log: silent,
    resyncMs,
  });
  watching = {
    async stop() {
      caches.stop();
      await watch.stop();
    },
  };
}

/** A new canary and its target, of image `web:1`. */
async function aCanary(): Promise<CanaryRef> {
  canaryNumber += 1;
  const name = `web-${canaryNumber}`;
  const labels = { app: name };
  const template: PodTemplate = {
    metadata: { labels },
    spec: { containers: [{ name: 'app', image: 'web:1' }] },
  };
  await kube.create<Deployment>({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: { selector: { matchLabels: labels }, template },
  });
  await kube.create<KubeObject>({
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name, namespace },
    spec: {
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      service: { port: 80 },
      analysis: { interval: '10s', threshold: 5, stepWeight: 10 },
    },
  });
  return { cluster, namespace, name };
}

function refOf({ name }: CanaryRef) {
  return { apiVersion: 'flagger.app/v1beta1', kind: 'Canary', namespace, name };
}

function targetOf({ name }: CanaryRef) {
  return { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name };
}

async function setImage(canary: CanaryRef, image: string): Promise<void> {
  await kube.patch(targetOf(canary), {
    spec: { template: { spec: { containers: [{ name: 'app', image }] } } },
  });
}

async function annotate(canary: CanaryRef, note: string): Promise<void> {
  await kube.patch(targetOf(canary), { metadata: { annotations: { note } } });
}

/** The API server wants some fields in every status. */
async function setStatus(canary: CanaryRef, status: object): Promise<void> {
  await kube.patch(refOf(canary), { status: { canaryWeight: 0, ...status } }, 'status');
}

async function revisionNow(canary: CanaryRef): Promise<string> {
  const target = await kube.find<Deployment>(targetOf(canary));
  return revisionOf(target!.spec.template);
}

/** The ids of the runs of a canary's release, as Temporal lists them. */
async function runs(canary: CanaryRef): Promise<string[]> {
  const ids = [];
  for await (const { runId } of client.workflow.list({
    query: `WorkflowId = '${releaseId(canary)}'`,
  })) {
    ids.push(runId);
  }
  return ids;
}

/** The `changed` signals in the history of the newest run. */
async function changesTold(canary: CanaryRef): Promise<Change[]> {
  const events = await eventsOf(canary);
  return events
    .filter(({ eventType }) => eventType === EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)
    .map(({ workflowExecutionSignaledEventAttributes: signal }) =>
      fromPayloadsAtIndex<Change>(defaultPayloadConverter, 0, signal?.input?.payloads),
    );
}

async function inputOf(canary: CanaryRef): Promise<unknown[]> {
  const [started] = await eventsOf(canary);
  const payloads = started?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  return payloads.map((payload) => defaultPayloadConverter.fromPayload(payload));
}

async function eventsOf(canary: CanaryRef) {
  try {
    const { events } = await client.workflow.getHandle(releaseId(canary)).fetchHistory();
    return events ?? [];
  } catch (error) {
    if (isGrpcServiceError(error) && (error.code as number) === notFound) return [];
    throw error;
  }
}

/** Plays the worker for one workflow task of a canary: fails its run. */
async function failRun(canary: CanaryRef): Promise<void> {
  const { workflowService } = client.connection;
  const taskQueue = { name: taskQueueOf(cluster) };
  for (;;) {
    const task = await workflowService.pollWorkflowTaskQueue({
      namespace: client.options.namespace,
      taskQueue,
      identity: 'test',
    });
    if (task.workflowExecution?.workflowId !== releaseId(canary)) continue;
    await workflowService.respondWorkflowTaskCompleted({
      namespace: client.options.namespace,
      taskToken: task.taskToken,
      identity: 'test',
      commands: [
        {
          commandType: CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
          failWorkflowExecutionCommandAttributes: { failure: { message: 'no target' } },
        },
      ],
    });
    return;
  }
}

/** Resolves when the watch has compared every canary with a list of runs it trusts. */
function resynced(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2_000 + 2 * resyncMs));
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50));
}

jest.setTimeout(30_000);
