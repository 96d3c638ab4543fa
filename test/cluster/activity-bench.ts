import { setTimeout as sleep } from 'node:timers/promises';

import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';

import type { Activities } from '../../activities/contract.js';
import type { Deps, Settings, Telemetry } from '../../activities/deps.js';
import { createActivities } from '../../activities/index.js';
import { connectKube, refOf, type Kube } from '../../activities/kube.js';
import type { KubeObject } from '../../domain/objects.js';
import { openWorkloads } from '../../worker/caches.js';
import { jsonLogger } from '../../worker/log.js';
import type { WorkloadCache } from '../../worker/workload-cache.js';

/** Activities at work on a real API server, in a namespace of their own. */
export interface ActivityBench {
  readonly namespace: string;
  readonly kube: Kube;
  readonly deps: Deps;
  readonly workloads: WorkloadCache;
  /** How the releases of this bench ended, as the metrics were told. */
  readonly endings: Parameters<Telemetry['releaseEnded']>[1][];
  /** Runs one attempt of an activity as the given run of a workflow. */
  attempt<K extends keyof Activities>(
    name: K,
    input: Parameters<Activities[K]>[0],
    run?: { readonly runId?: string; readonly activityId?: string; readonly deps?: Deps },
  ): Promise<Awaited<ReturnType<Activities[K]>>>;
  /** Everything a release may write in the namespace, by its version: equal when nothing was. */
  versions(): Promise<Record<string, string | undefined>>;
  /** The texts of the events on one Canary, in the order they were written. */
  events(canary: string): Promise<string[]>;
  close(): Promise<void>;
}

export const settings: Settings = {
  defaults: { provider: 'contour', minIntervalMs: 1_000 },
  metricsServer: 'http://127.0.0.1:1',
  selectorLabels: ['app', 'name', 'app.kubernetes.io/name'],
  includeLabelPrefixes: [],
  configTracking: true,
  ingressClass: '',
  ingressAnnotationsPrefix: 'nginx.ingress.kubernetes.io',
  eventWebhook: '',
  settleMs: 20,
};

/** A failing activity is what some tests are about; the test says whether it failed rightly. */
const silent = new DefaultLogger('ERROR');

/** Images with this tag never become ready. */
export const brokenTag = 'broken';

/** Opens a namespace in the cluster KUBECONFIG names; its pods become ready without a kubelet. */
export async function openBench(name: string): Promise<ActivityBench> {
  const kube = connectKube();
  const namespace = `${name}-${process.pid}`;
  await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const workloads = openWorkloads({ kube, namespace, log: jsonLogger('error') });
  await workloads.untilSynced();
  const endings: ActivityBench['endings'] = [];
  const telemetry: Telemetry = {
    metricMeasured: () => undefined,
    checkTook: () => undefined,
    releaseEnded: (_canary, ended) => endings.push(ended),
  };
  const deps: Deps = { kube, workloads, telemetry, settings };
  const keeper = keepPodsReady(kube, namespace);

  return {
    ...{ namespace, kube, deps, workloads, endings },

    attempt(activity, input, { runId = 'a-run', activityId = '1', deps: other = deps } = {}) {
      const workflowExecution = { workflowId: 'a-release', runId };
      const environment = new MockActivityEnvironment(
        { workflowExecution, activityId },
        { logger: silent },
      );
      const run = createActivities(other)[activity] as (of: typeof input) => Promise<never>;
      return environment.run(run, input);
    },

    async versions() {
      const kinds = [
        ['flagger.app/v1beta1', 'Canary'],
        ['apps/v1', 'Deployment'],
        ['v1', 'Service'],
        ['v1', 'ConfigMap'],
        ['v1', 'Secret'],
        ['projectcontour.io/v1', 'HTTPProxy'],
        ['v1', 'Event'],
      ] as const;
      const lists = await Promise.all(
        kinds.map(([apiVersion, kind]) => kube.list({ apiVersion, kind, namespace })),
      );
      return Object.fromEntries(
        lists
          .flat()
          .filter(isOurs)
          .map((object) => [
            `${object.kind} ${object.metadata.name}`,
            object.metadata.resourceVersion,
          ]),
      );
    },

    async events(canary) {
      const events = await kube.list<Event>({ apiVersion: 'v1', kind: 'Event', namespace });
      return events
        .filter(({ involvedObject: { kind, name: of } }) => kind === 'Canary' && of === canary)
        .sort((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
        .map(({ type, message }) => `${type} ${message}`);
    },

    async close() {
      await keeper.stop();
      workloads.stop();
      await kube.remove({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: namespace });
    },
  };
}

/** Waits until a question is answered with yes; fails when that takes longer than `limitMs`. */
export async function until(yes: () => Promise<boolean>, limitMs = 20_000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await yes())) {
    if (Date.now() > end) throw new Error('it did not come to pass');
    await sleep(50);
  }
}

interface Event extends KubeObject {
  readonly involvedObject: { readonly kind: string; readonly name: string };
  readonly type: string;
  readonly message: string;
}

interface Pod extends KubeObject {
  readonly spec: { readonly containers: readonly { readonly image: string }[] };
  readonly status?: { readonly conditions?: readonly { type: string; status: string }[] };
}

/** The events of the cluster's own controllers come when they come. */
function isOurs(object: KubeObject): boolean {
  return object.kind !== 'Event' || (object as Event).involvedObject.kind === 'Canary';
}

/** Does what a kubelet does for the pods' status; the pods are for a scheduler there is not. */
function keepPodsReady(kube: Kube, namespace: string): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const work = (async () => {
    while (!stopping.signal.aborted) {
      const pods = await kube.list<Pod>({ apiVersion: 'v1', kind: 'Pod', namespace });
      await Promise.all(pods.filter(isAwaited).map((pod) => makeReady(kube, pod)));
      await sleep(50);
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await work;
    },
  };
}

function isAwaited({ spec, status, metadata }: Pod): boolean {
  return (
    metadata.deletionTimestamp === undefined &&
    !spec.containers.some(({ image }) => image.endsWith(`:${brokenTag}`)) &&
    !status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
  );
}

async function makeReady(kube: Kube, pod: Pod): Promise<void> {
  const conditions = [
    { type: 'Ready', status: 'True', lastTransitionTime: '2030-01-01T00:00:00Z' },
  ];
  // A pod may be deleted between listing it and this.
  await kube
    .patch(refOf(pod), { status: { phase: 'Running', conditions } }, 'status')
    .catch(() => undefined);
}
