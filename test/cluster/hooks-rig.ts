import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';

import type { Activities } from '../../activities/contract.js';
import type { Deps } from '../../activities/deps.js';
import { createActivities } from '../../activities/index.js';
import type { Canary, CanaryStatus } from '../../domain/canary.js';
import type { CanaryRef } from '../../domain/release.js';
import { startHookServer, type HookServer } from '../activities/hook-server.js';
import { openRig, type AnalysisRig } from './analysis-rig.js';

type Info = ConstructorParameters<typeof MockActivityEnvironment>[0];

/** An analysis rig beside an endpoint for webhooks. */
export interface HooksRig {
  readonly base: AnalysisRig;
  /** New for each test. */
  readonly server: HookServer;
  beginTest(): Promise<void>;
  endTest(): Promise<void>;
  /** Runs an attempt at an activity of the run `a-run`, the first unless it is said which. */
  run<K extends keyof Activities>(
    name: K,
    input: Parameters<Activities[K]>[0],
    how?: Info & { readonly deps?: Deps },
  ): Promise<Awaited<ReturnType<Activities[K]>>>;
  /** A webhook whose path is its name. */
  hook(name: string, type: string, more?: object): object;
  statusOf(canary: Canary): Promise<CanaryStatus>;
  setStatus(canary: Canary, status: CanaryStatus): Promise<void>;
}

/** An attempt at an activity of the run `a-run`. */
export function environmentOf(info: Info = {}): MockActivityEnvironment {
  const workflowExecution = { workflowId: 'a-release', runId: 'a-run' };
  const logger = new DefaultLogger('ERROR');
  return new MockActivityEnvironment({ workflowExecution, ...info }, { logger });
}

/** Names a Canary as the activities do. */
export function refOf({ name, namespace }: Canary): CanaryRef {
  return { cluster: 'test', namespace, name };
}

/** Opens the rig in a new namespace, for all tests of a file. */
export async function openHooksRig(namespace: string): Promise<HooksRig> {
  const base = await openRig(namespace);
  let server!: HookServer;
  return {
    base,
    get server() {
      return server;
    },
    async beginTest() {
      await base.beginTest();
      server = await startHookServer();
    },
    async endTest() {
      await base.endTest();
      await server.stop();
    },
    run<K extends keyof Activities>(
      name: K,
      input: Parameters<Activities[K]>[0],
      { deps = base.deps, ...info }: Info & { readonly deps?: Deps } = {},
    ): Promise<Awaited<ReturnType<Activities[K]>>> {
      const activity = createActivities(deps)[name] as (of: typeof input) => Promise<never>;
      return environmentOf(info).run(activity, input);
    },
    hook: (name, type, more = {}) => ({ name, type, url: `${server.url}/${name}`, ...more }),
    statusOf: async (canary) => (await base.find(canary))?.status ?? {},
    async setStatus({ name }, status) {
      const ref = { apiVersion: 'flagger.app/v1beta1', kind: 'Canary', namespace, name };
      await base.kube.patch(ref, { status }, 'status');
    },
  };
}
