import { Client, Connection } from '@temporalio/client';

import { connectKube, loadKubeConfig, type Kube } from '../../activities/kube.js';
import { sluiceOf, type Sluice } from '../../api/client.js';
import type { KubeObject } from '../../domain/objects.js';
import { trafficAt, type Traffic } from '../../sandbox/demo/traffic.js';
import { findSandbox, urlsOf } from '../../sandbox/description.js';
import { openApp, type App, type AppOptions } from './app.js';
import { requestsTo } from './copies.js';
import { executeIn, type Executed } from './execute.js';
import { clientsOf, type Clients } from './requests.js';
import { until } from './until.js';

export type { App, AppOptions } from './app.js';
export { until } from './until.js';

/** The whole sandbox that `npm test` started for these tests, with Sluice's worker at work in it. */
export interface Stage {
  readonly kube: Kube;
  readonly sluice: Sluice;
  readonly temporal: Client;
  /** The load generator; idle until told otherwise. */
  readonly traffic: Traffic;
  /** Runs `sh -c command` inside the sandbox, where `kubectl` and `sluice` are on PATH. */
  exec(command: string): Promise<Executed>;
  /** A demo app under a Canary, in a namespace of its own. */
  open(name: string, options?: AppOptions): Promise<App>;
  /** Clients of the gateway that send to an app. */
  clientsOf(app: App): Clients;
  /** How many requests the pods of a workload have had since they started. */
  requestsTo(app: App, workload: 'web' | 'web-primary'): Promise<number>;
  /** Deletes the namespaces of all apps and disconnects. */
  close(): Promise<void>;
}

/** The worker's Deployment. */
export const worker = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  namespace: 'sluice-system',
  name: 'sluice-worker',
} as const;

/** Tests may check every second; releases of real people may not. */
const minInterval = '--min-interval=1s';

/** Connects to the sandbox that SLUICE_SANDBOX_NAME, KUBECONFIG, TEMPORAL_ADDRESS and LOAD_URL name. */
export async function openStage(): Promise<Stage> {
  const sandbox = await findSandbox(variable('SLUICE_SANDBOX_NAME'));
  if (sandbox === undefined) throw new Error('the sandbox of these tests is not up');
  const kube = connectKube(loadKubeConfig());
  const connection = await Connection.connect({ address: variable('TEMPORAL_ADDRESS') });
  const temporal = new Client({ connection });
  const sluice = sluiceOf(temporal, 'default');
  const traffic = trafficAt(variable('LOAD_URL'));
  await allowShortIntervals(kube);
  const apps: App[] = [];
  const allClients: Clients[] = [];
  return {
    ...{ kube, sluice, temporal, traffic },
    exec: (command) => executeIn(sandbox, command),
    async open(name, options) {
      const app = await openApp({ kube, sluice, temporal }, name, options);
      apps.push(app);
      return app;
    },
    clientsOf({ host }) {
      const clients = clientsOf(urlsOf(sandbox).gateway, host);
      allClients.push(clients);
      return clients;
    },
    requestsTo: ({ canary: { namespace } }, app) => requestsTo(sandbox, kube, { namespace, app }),
    async close() {
      allClients.forEach((clients) => clients.close());
      await Promise.all(apps.map((app) => app.remove()));
      await connection.close();
    },
  };
}

/** Waits until every pod of a workload is of its newest revision and ready. */
export async function untilRolledOut(kube: Kube, ref: Parameters<Kube['find']>[0]): Promise<void> {
  await until(
    `the roll-out of ${ref.name}`,
    async () => {
      const { metadata, spec, status = {} } = (await kube.find<Workload>(ref)) ?? missing(ref.name);
      const { observedGeneration, replicas, updatedReplicas, availableReplicas } = status;
      return (
        observedGeneration === metadata.generation &&
        [replicas, updatedReplicas, availableReplicas].every((count) => count === spec.replicas)
      );
    },
    120_000,
  );
}

interface Workload extends KubeObject {
  readonly spec: {
    readonly replicas: number;
    readonly template: { readonly spec: { readonly containers: { readonly args?: string[] }[] } };
  };
  readonly status?: Readonly<
    Partial<
      Record<'observedGeneration' | 'replicas' | 'updatedReplicas' | 'availableReplicas', number>
    >
  >;
}

async function allowShortIntervals(kube: Kube): Promise<void> {
  const live = (await kube.find<Workload>(worker)) ?? missing(worker.name);
  const { containers } = live.spec.template.spec;
  if (!containers.some(({ args = [] }) => args.includes(minInterval))) {
    const changed = containers.map((it) => ({ ...it, args: [...(it.args ?? []), minInterval] }));
    await kube.patch(worker, { spec: { template: { spec: { containers: changed } } } });
  }
  await untilRolledOut(kube, worker);
}

function variable(name: string): string {
  const value = process.env[name] ?? '';
  if (value === '') throw new Error(`${name} is not set: run these tests with npm test -- e2e`);
  return value;
}

function missing(name: string): never {
  throw new Error(`there is no ${name}`);
}
