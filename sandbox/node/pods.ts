import { rm } from 'node:fs/promises';

import type { V1Pod } from '@kubernetes/client-node';

import { Follower } from './follower.js';
import type { Change } from './follower.js';
import { identity } from './identity.js';
import type { NodeServices } from './node-services.js';
import { PodRunner } from './pod.js';

/** Logs outlive their pods, but no more than these many: they lie in memory. */
const keptLogs = 200;

/** Runs the pods that are bound to the node. */
export class Pods {
  private readonly runners = new Map<string, PodRunner>();
  private readonly bound: Follower<V1Pod>;
  /** Log directories of pods that are gone, the oldest first. */
  private readonly endedLogs: string[] = [];

  constructor(
    private readonly node: NodeServices,
    nodeName: string,
  ) {
    const { core, watch } = node.api;
    const fieldSelector = `spec.nodeName=${nodeName}`;
    this.bound = new Follower(watch, {
      path: '/api/v1/pods',
      list: () => core.listPodForAllNamespaces({ fieldSelector }),
      fieldSelector,
    });
  }

  /** Starts running pods; resolves once the first list of them has been seen. */
  async start(): Promise<void> {
    const { configMaps, secrets } = this.node.objects;
    configMaps.onChange(({ object }) => this.wake(object.metadata?.namespace));
    secrets.onChange(({ object }) => this.wake(object.metadata?.namespace));
    this.bound.onChange((change) => this.note(change));
    await this.bound.start();
  }

  /** The runner of a pod by its name; the newest one where a namesake is still ending. */
  find(namespace: string, name: string): PodRunner | undefined {
    return [...this.runners.values()]
      .reverse()
      .find((runner) => runner.namespace === namespace && runner.name === name);
  }

  /** Kills all pods at once. */
  abort(): void {
    for (const runner of this.runners.values()) runner.abort();
  }

  private wake(namespace: string | undefined): void {
    for (const runner of this.runners.values()) {
      if (runner.namespace === namespace) runner.sourcesChanged();
    }
  }

  private note({ object: pod, gone }: Change<V1Pod>): void {
    const { uid } = identity(pod);
    const known = this.runners.get(uid);
    if (gone) {
      known?.objectGone();
      void known?.left().then(() => this.forget(uid, known));
      return;
    }
    const runner = known ?? this.adopt(uid, pod);
    runner?.update(pod);
  }

  private forget(uid: string, runner: PodRunner): void {
    this.runners.delete(uid);
    this.endedLogs.push(runner.logsDirectory);
    const oldest = this.endedLogs.length > keptLogs ? this.endedLogs.shift() : undefined;
    if (oldest !== undefined) void rm(oldest, { recursive: true, force: true });
  }

  private adopt(uid: string, pod: V1Pod): PodRunner | undefined {
    const phase = pod.status?.phase;
    const isOver = phase === 'Succeeded' || phase === 'Failed';
    // An update of a pod that has just been removed may still be on its way.
    if (isOver && pod.metadata?.deletionTimestamp === undefined) return undefined;
    const runner = new PodRunner(pod, this.node);
    this.runners.set(uid, runner);
    return runner;
  }
}
