import { Client, isGrpcServiceError } from '@temporalio/client';
import { defaultPayloadConverter, fromPayloadsAtIndex } from '@temporalio/common';
import proto from '@temporalio/proto';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { randomUUID } from 'node:crypto';

import { connectKube, loadKubeConfig, type Kube } from '../../activities/kube.js';
import { revisionOf } from '../../activities/revision.js';
import { revisionOfKind } from '../../activities/workloads/revisions.js';
import type { TargetKind } from '../../domain/canary.js';
import { parseCanary } from '../../domain/manifest.js';
import type { Deployment, KubeObject, ObjectRef, PodTemplate } from '../../domain/objects.js';
import { newPrimary } from '../../domain/primary.js';
import { releaseId, taskQueueOf, type CanaryRef } from '../../domain/release.js';
import { newService } from '../../domain/services.js';
import { targetKinds } from '../../domain/targets.js';
import { openCaches } from '../../worker/caches.js';
import { jsonLogger } from '../../worker/log.js';
import { releasesOf } from '../../worker/releases.js';
import { ensureSearchAttributes } from '../../worker/search-attributes.js';
import { viewOf } from '../../worker/view.js';
import { watchCanaries } from '../../worker/watch.js';
import type { Change } from '../../workflows/messages.js';
import { settings } from './activity-bench.js';
import { proxyTo, type BreakableProxy } from './breakable-proxy.js';

const { EventType, CommandType } = proto.temporal.api.enums.v1;
/** Of this test file alone; several may run in one process. */
export const cluster = `watch-${randomUUID().slice(0, 8)}`;
export const namespace = cluster;
const resyncMs = 500;
/** The status code of gRPC. */
const notFound = 5;
const silent = jsonLogger('error', (line) => {
  if (process.env['WATCH_TEST_LOG'] !== undefined) process.stderr.write(line);
});

export let kube: Kube;
export let client: Client;
export let apiServer: BreakableProxy;
export let temporal: BreakableProxy;
let proxied: { kubeConfig: ReturnType<typeof loadKubeConfig>; client: Client };
let watching: { stop(): Promise<void> } | undefined;
let canaryNumber = 0;

/** Opens a namespace, and proxies through which the watch reaches the servers. */
export async function openWatchRig(): Promise<void> {
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
}

/** Ends everything the tests have left. */
export async function closeWatchRig(): Promise<void> {
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
}

/** Ends the watch, as the end of its worker would. */
export async function stopWatching(): Promise<void> {
  await watching?.stop();
}

export async function startWatching(): Promise<void> {
  const kube = connectKube(proxied.kubeConfig);
  const caches = openCaches({ kube, namespace, log: silent, configTracking: true });
  const { canaries, workloads, configs, dependencies } = caches;
  await Promise.all([workloads.untilSynced(), canaries.untilSynced(), configs?.untilSynced()]);
  const watch = watchCanaries({
    cluster,
    canaries,
    dependencies,
    releases: releasesOf(proxied.client, cluster),
    seen: viewOf({
      workloads,
      settings,
      revisionOf: (kind, target) => revisionOfKind(kind, target, configs),
    }),
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
export async function aCanary({
  name = `web-${(canaryNumber += 1)}`,
  kind = 'Deployment',
}: { readonly name?: string; readonly kind?: TargetKind } = {}): Promise<CanaryRef> {
  const labels = { app: name };
  const template: PodTemplate = {
    metadata: { labels },
    spec: { containers: [{ name: 'app', image: 'web:1' }] },
  };
  await kube.create<KubeObject>({
    ...targetKinds[kind],
    metadata: { name, namespace },
    spec:
      kind === 'Service'
        ? { selector: labels, ports: [{ port: 80 }] }
        : { selector: { matchLabels: labels }, template },
  });
  await kube.create<KubeObject>({
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name, namespace },
    spec: {
      targetRef: { ...targetKinds[kind], name },
      service: { port: 80 },
      analysis: { interval: '10s', threshold: 5, stepWeight: 10 },
    },
  });
  return { cluster, namespace, name };
}

/** A canary whose target was promoted, with everything that is generated for it. */
export async function resting(): Promise<CanaryRef> {
  const ref = await aCanary();
  const parsed = parseCanary((await kube.find(refOf(ref)))!, settings.defaults);
  if (!parsed.ok) throw new Error(parsed.problems.join('; '));
  const { canary } = parsed;
  const target = (await kube.find<Deployment>(targetOf(ref)))!;
  const selector = { label: 'app', value: ref.name };
  const revision = await revisionNow(ref);
  await kube.create(newPrimary(canary, { target, selector, rules: settings, revision, id: 'id' }));
  for (const role of ['apex', 'primary', 'canary'] as const) {
    await kube.create(newService(canary, role, { selector, containers: [] }));
  }
  await setStatus(ref, {
    phase: 'Succeeded',
    lastAppliedSpec: revision,
    lastPromotedSpec: revision,
    observedGeneration: 1,
  });
  return ref;
}

export function serviceOf({ name }: CanaryRef, role = ''): ObjectRef {
  return { apiVersion: 'v1', kind: 'Service', namespace, name: `${name}${role}` };
}

export function refOf({ name }: CanaryRef): ObjectRef {
  return { apiVersion: 'flagger.app/v1beta1', kind: 'Canary', namespace, name };
}

export function targetOf({ name }: CanaryRef): ObjectRef {
  return { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name };
}

export async function setImage(canary: CanaryRef, image: string): Promise<void> {
  await kube.patch(targetOf(canary), {
    spec: { template: { spec: { containers: [{ name: 'app', image }] } } },
  });
}

export async function annotate(canary: CanaryRef, note: string): Promise<void> {
  await kube.patch(targetOf(canary), { metadata: { annotations: { note } } });
}

/** The API server wants some fields in every status. */
export async function setStatus(canary: CanaryRef, status: object): Promise<void> {
  await kube.patch(refOf(canary), { status: { canaryWeight: 0, ...status } }, 'status');
}

export async function revisionNow(canary: CanaryRef): Promise<string> {
  const target = await kube.find<Deployment>(targetOf(canary));
  return revisionOf(target!.spec.template);
}

/** The ids of the runs of a canary's release, as Temporal lists them. */
export async function runs(canary: CanaryRef): Promise<string[]> {
  const ids = [];
  for await (const { runId } of client.workflow.list({
    query: `WorkflowId = '${releaseId(canary)}'`,
  })) {
    ids.push(runId);
  }
  return ids;
}

/** The `changed` signals in the history of the newest run. */
export async function changesTold(canary: CanaryRef): Promise<Change[]> {
  const events = await eventsOf(canary);
  return events
    .filter(({ eventType }) => eventType === EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)
    .map(({ workflowExecutionSignaledEventAttributes: signal }) =>
      fromPayloadsAtIndex<Change>(defaultPayloadConverter, 0, signal?.input?.payloads),
    );
}

export async function inputOf(canary: CanaryRef): Promise<unknown[]> {
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
export async function failRun(canary: CanaryRef): Promise<void> {
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
export function resynced(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2_000 + 2 * resyncMs));
}

export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50));
}
