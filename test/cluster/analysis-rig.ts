import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';

import { canaryApiVersion } from '../../activities/canaries.js';
import type { MoveInput } from '../../activities/contract.js';
import type { Deps } from '../../activities/deps.js';
import { createActivities } from '../../activities/index.js';
import { connectKube, type Kube } from '../../activities/kube.js';
import { revisionOf } from '../../activities/revision.js';
import { applyRoutes, liveRoutes } from '../../activities/routing.js';
import type { Canary } from '../../domain/canary.js';
import { parseCanary } from '../../domain/manifest.js';
import type { Deployment, KubeObject, ObjectRef } from '../../domain/objects.js';
import type { CheckResult } from '../../domain/release.js';
import { toCanary } from '../../domain/routes.js';
import { openWorkloads } from '../../worker/caches.js';
import { jsonLogger } from '../../worker/log.js';
import type { WorkloadCache } from '../../worker/workload-cache.js';
import { aManifest, someSettings, type CanaryParts } from '../activities/a-canary.js';
import { startMetricsServer, type MetricsServer } from '../providers/prometheus-server.js';

/** A namespace of a real cluster, a watch on its Deployments and a metrics server to play with. */
export interface AnalysisRig {
  readonly namespace: string;
  readonly kube: Kube;
  /** New for each test. */
  readonly metrics: MetricsServer;
  readonly deps: Deps;
  /** What telemetry was given in this test. */
  readonly told: { readonly measured: [metric: string, value: number][]; checks: number };
  beginTest(): Promise<void>;
  endTest(): Promise<void>;
  stop(): Promise<void>;
  /** Creates a Canary, two workloads that want no pods, and its routes at a weight. */
  aCanary(parts?: CanaryParts, weight?: number): Promise<Canary>;
  /** Makes one of its Deployments want a pod that never comes. */
  scaleUpInVain(name: string): Promise<void>;
  /** Creates a MetricTemplate that asks the metrics server, or takes the place of an older one. */
  createTemplate(name: string, query: string, provider?: object): Promise<void>;
  inputOf(canary: Canary): Promise<MoveInput<'check'>>;
  check(canary: Canary, input?: Partial<MoveInput<'check'>>, given?: Deps): Promise<CheckResult>;
  find(canary: Canary): Promise<KubeObject | undefined>;
  /** Type and text of the warnings on a Canary. */
  warningsOf(canary: Canary): Promise<string[][]>;
  failedChecksOf(canary: Canary): Promise<number>;
  /** Everything told on a Canary, `TYPE MESSAGE`, in the order it was written. */
  eventsOf(canary: Canary): Promise<string[]>;
  /** The canary's share of the traffic. */
  weightOf(canary: Canary): Promise<number | undefined>;
}

/** An activity environment that logs errors only. */
export function anEnvironment(): MockActivityEnvironment {
  return new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
}

/** Opens the rig in a new namespace. */
export async function openRig(namespace: string): Promise<AnalysisRig> {
  const kube = connectKube();
  const workloads = await watchWorkloads(kube, namespace);
  let metrics!: MetricsServer;
  let told: AnalysisRig['told'] = { measured: [], checks: 0 };
  let number = 0;

  const deps = (): Deps => ({
    kube,
    workloads,
    settings: { ...someSettings, metricsServer: metrics.address, ingressClass: 'nobody' },
    telemetry: {
      metricMeasured: (_canary, metric, value) => told.measured.push([metric, value]),
      checkTook: () => (told.checks += 1),
      releaseEnded: () => undefined,
    },
  });
  const deployment = (name: string): ObjectRef => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    namespace,
    name,
  });
  const object = (kind: string, name: string): ObjectRef => ({
    apiVersion: canaryApiVersion,
    kind,
    namespace,
    name,
  });

  async function createDeployment(name: string): Promise<void> {
    await kube.create(deploymentOf(namespace, name));
    await setStatus(name, { observedGeneration: 1 });
  }

  /** What the Deployment's controller writes, should none be running; the watch must see it. */
  async function setStatus(
    name: string,
    status: { readonly observedGeneration: number; readonly [field: string]: number },
  ): Promise<void> {
    await kube.patch(deployment(name), { status }, 'status');
    for (let waited = 0; waited < 5_000; waited += 20) {
      const seen =
        (workloads.get(deployment(name)) as Deployment | undefined)?.status?.observedGeneration ??
        0;
      if (seen >= status.observedGeneration) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`the watch has not seen the status of ${name}`);
  }

  async function inputOf(canary: Canary): Promise<MoveInput<'check'>> {
    const target = (await kube.find<Deployment>(deployment(canary.target.name)))!;
    return {
      canary: { cluster: 'test', namespace, name: canary.name },
      revision: revisionOf(target.spec.template),
      routes: toCanary(10),
      cookies: {},
      hooks: 'rollout',
      failedChecks: 0,
      then: { gates: [] },
      report: { key: '7' },
    };
  }

  return {
    namespace,
    kube,
    get metrics() {
      return metrics;
    },
    get deps() {
      return deps();
    },
    get told() {
      return told;
    },
    async beginTest() {
      metrics = await startMetricsServer();
      told = { measured: [], checks: 0 };
    },
    endTest: () => metrics.stop(),
    async stop() {
      workloads.stop();
      await kube.remove({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: namespace });
    },

    async aCanary(parts = {}, weight = 10) {
      number += 1;
      const name = `app-${String(number)}`;
      const targetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name };
      const manifest = aManifest({ ...parts, spec: { targetRef, ...parts.spec } });
      const created = await kube.create({ ...manifest, metadata: { name, namespace } });
      await createDeployment(name);
      await createDeployment(`${name}-primary`);
      const parsed = parseCanary(created, someSettings.defaults);
      if (!parsed.ok) throw new Error(parsed.problems.join());
      await applyRoutes(deps(), parsed.canary, { routes: toCanary(weight), cookies: {} });
      return parsed.canary;
    },

    async scaleUpInVain(name) {
      await kube.patch(deployment(name), { spec: { replicas: 1 } });
      await setStatus(name, {
        observedGeneration: 2,
        replicas: 1,
        updatedReplicas: 1,
        unavailableReplicas: 1,
      });
    },

    async createTemplate(name, query, provider = {}) {
      await kube.remove(object('MetricTemplate', name));
      const spec = {
        provider: { type: 'prometheus', address: metrics.address, ...provider },
        query,
      };
      await kube.create({
        apiVersion: canaryApiVersion,
        kind: 'MetricTemplate',
        metadata: { name, namespace },
        spec,
      });
    },

    inputOf,
    async check(canary, input = {}, given = deps()) {
      const whole = { ...(await inputOf(canary)), ...input };
      return anEnvironment().run(createActivities(given).check, whole);
    },

    find: ({ name }) => kube.find(object('Canary', name)),

    async warningsOf({ name }) {
      const events = await kube.list<KubeObject & { type: string; message: string }>({
        apiVersion: 'v1',
        kind: 'Event',
        namespace,
        fieldSelector: `involvedObject.name=${name},type=Warning`,
      });
      return events.map(({ type, message }) => [type, message]);
    },

    async eventsOf({ name }) {
      const events = await kube.list<KubeObject & { type: string; message: string }>({
        apiVersion: 'v1',
        kind: 'Event',
        namespace,
        fieldSelector: `involvedObject.name=${name},involvedObject.kind=Canary`,
      });
      return events
        .sort((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
        .map(({ type, message }) => `${type} ${message}`);
    },

    weightOf: async (canary) => (await liveRoutes(deps(), canary))?.canary,

    async failedChecksOf({ name }) {
      const found = await kube.find(object('Canary', name));
      return (found?.status as { failedChecks?: number } | undefined)?.failedChecks ?? 0;
    },
  };
}

async function watchWorkloads(kube: Kube, namespace: string): Promise<WorkloadCache> {
  await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const workloads = openWorkloads({ kube, namespace, log: jsonLogger('error', () => undefined) });
  await workloads.untilSynced();
  return workloads;
}

function deploymentOf(namespace: string, name: string): KubeObject {
  const labels = { app: name };
  const spec = {
    replicas: 0,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      // No node is like this: should there be a scheduler, the pods wait for ever.
      spec: { nodeSelector: { no: 'node' }, containers: [{ name: 'app', image: 'app:1' }] },
    },
  };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace }, spec };
}
