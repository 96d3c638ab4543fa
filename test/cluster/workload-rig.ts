import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';

import { canaryApiVersion } from '../../activities/canaries.js';
import { workloadOf } from '../../activities/workloads/index.js';
import type { Workload } from '../../activities/workloads/workload.js';
import type { Canary, TargetKind } from '../../domain/canary.js';
import type { KubeObject } from '../../domain/objects.js';
import type { Readiness } from '../../domain/readiness.js';
import type { Role } from '../../domain/release.js';
import { targetKinds } from '../../domain/targets.js';
import { aCanary } from '../activities/a-canary.js';
import { openBench, until, type ActivityBench } from './activity-bench.js';

/** Targets of one kind on a real API server, as the activities handle them. */
export interface WorkloadRig extends ActivityBench {
  /** A canary with a target of that name; its manifest is in the cluster, so that it can own. */
  canaryOf(name: string, parts?: Partial<Canary>): Promise<Canary>;
  workload(canary: Canary): Workload;
  /** Runs something twice; the second time must write nothing. */
  twice<T>(work: () => Promise<T>): Promise<T>;
  find<T extends KubeObject>(name: string): Promise<T>;
  /** Waits until the pods of a role are ready. */
  ready(canary: Canary, role: Role): Promise<void>;
  /**
   * Every reason that was told before a role was ready, each once.
   *
   * @param then done when the first reason was told
   */
  waitFor(canary: Canary, role: Role, then?: () => Promise<unknown>): Promise<readonly string[]>;
  patch(name: string, change: object): Promise<void>;
}

/** Opens a bench for targets of a kind. */
export async function openWorkloadRig(kind: TargetKind): Promise<WorkloadRig> {
  const bench = await openBench(kind.toLowerCase());
  const { kube, namespace, deps } = bench;
  const ref = (name: string) => ({ ...targetKinds[kind], namespace, name });
  const inActivity = <T>(work: () => Promise<T>): Promise<T> =>
    new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(work);

  const rig: WorkloadRig = {
    ...bench,

    async canaryOf(name, parts) {
      const { metadata } = await kube.create<KubeObject>({
        apiVersion: canaryApiVersion,
        kind: 'Canary',
        metadata: { name, namespace },
        spec: {
          targetRef: { ...targetKinds[kind], name },
          service: { port: 80 },
          analysis: { interval: '10s', threshold: 2, stepWeight: 10 },
        },
      });
      const base = aCanary();
      return {
        ...base,
        ...{ name, namespace, uid: metadata.uid ?? '' },
        target: { ...targetKinds[kind], kind, name },
        service: { ...base.service, name },
        ...parts,
      };
    },

    workload: (canary) => {
      const workload = workloadOf(deps, canary);
      return { ...workload, revert: () => inActivity(() => workload.revert()) };
    },

    async twice(work) {
      const result = await work();
      await settled(rig);
      const before = await versions(rig);
      expect(await work()).toEqual(result);
      expect(await versions(rig)).toEqual(before);
      return result;
    },

    find: async <T extends KubeObject>(name: string) => (await kube.find<T>(ref(name)))!,

    async ready(canary, role) {
      await rig.waitFor(canary, role);
    },

    async waitFor(canary, role, then = () => Promise.resolve()) {
      const reasons = new Set<string>();
      let stop: (() => void) | undefined;
      await new Promise<void>((resolve, reject) => {
        const late = setTimeout(reject, 30_000, new Error([...reasons].join('; ')));
        const judged = (readiness: Readiness): void => {
          if (!readiness.ready) {
            if (reasons.size === 0) then().catch(reject);
            reasons.add(readiness.reason);
            return;
          }
          clearTimeout(late);
          resolve();
        };
        workloadOf(deps, canary)
          .follow(role, judged)
          .then((end) => (stop = end), reject);
      });
      stop?.();
      return [...reasons];
    },

    async patch(name, change) {
      await kube.patch(ref(name), change);
    },
  };
  return rig;
}

/** The versions of everything a workload may write to; its status belongs to others. */
async function versions({ kube, namespace }: WorkloadRig): Promise<Record<string, unknown>> {
  const kinds = [
    ['apps/v1', 'Deployment'],
    ['apps/v1', 'DaemonSet'],
    ['v1', 'Service'],
  ] as const;
  const lists = await Promise.all(
    kinds.map(([apiVersion, kind]) => kube.list({ apiVersion, kind, namespace })),
  );
  return Object.fromEntries(
    lists
      .flat()
      .map(({ kind, metadata }) => [`${kind} ${metadata.name}`, metadata.resourceVersion]),
  );
}

/** Waits until the cluster's own controllers have nothing left to write. */
async function settled(rig: WorkloadRig): Promise<void> {
  let before = '';
  let quiet = 0;
  await until(async () => {
    const now = JSON.stringify(await versions(rig));
    quiet = now === before ? quiet + 1 : 0;
    before = now;
    return quiet >= 6;
  });
}
