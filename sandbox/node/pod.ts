import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { V1Container, V1Pod } from '@kubernetes/client-node';

import { ContainerRunner } from './container.js';
import type { RestartPolicy } from './container.js';
import type { PodContext } from './container-launch.js';
import { containerEnvironment } from './environment.js';
import { identity } from './identity.js';
import type { Image } from './images.js';
import { noteNetwork } from './leftovers.js';
import { podLogs } from './log-file.js';
import type { PodNamespaces } from './network.js';
import type { NodeServices } from './node-services.js';
import { podHostname, writePodFiles } from './pod-files.js';
import { isSidecar, podStatus } from './pod-status.js';
import { serviceEnvironment } from './service-environment.js';
import { StatusWriter } from './status-writer.js';
import { PodVolumes } from './volumes.js';
import { Bell, pause } from './waiting.js';

/** How often a pod that cannot be set up yet is tried again, ms; changes of its sources wake it earlier. */
const setupRetryMs = 2000;

/** Runs one pod from its first sight to the removal of its object. */
export class PodRunner {
  readonly logsDirectory: string;
  private readonly bell = new Bell();
  private readonly ending = new AbortController();
  private readonly status: StatusWriter;
  private readonly volumes: PodVolumes;
  private readonly directory: string;
  private readonly startTime = new Date();
  private readonly finished: Promise<void>;
  private conditions: NonNullable<V1Pod['status']>['conditions'] = [];
  private namespaces: PodNamespaces | undefined;
  private podIp: string | undefined;
  private initRunners: ContainerRunner[] = [];
  private runners: ContainerRunner[] = [];
  private sidecars: Promise<void>[] = [];
  private removal: Promise<void> | undefined;
  private graceMs = Infinity;

  constructor(
    private pod: V1Pod,
    private readonly node: NodeServices,
  ) {
    const own = identity(pod);
    this.directory = join(node.podsDir, own.uid);
    this.logsDirectory = podLogs(node.logsDir, own);
    this.volumes = new PodVolumes(join(this.directory, 'volumes'), node);
    this.status = new StatusWriter(node.api, own, () => this.currentStatus());
    this.conditions = pod.status?.conditions ?? [];
    this.makeRunners();
    this.finished = this.run();
    // What an earlier life of the agent has said about it no longer holds.
    if (pod.status?.phase === 'Running') this.status.touch();
  }

  get namespace(): string {
    return identity(this.pod).namespace;
  }

  get name(): string {
    return identity(this.pod).name;
  }

  /** Takes a newer form of the pod object: labels, readiness gates, or the wish to end. */
  update(pod: V1Pod): void {
    this.pod = pod;
    if (pod.metadata?.deletionTimestamp !== undefined) {
      this.remove((pod.metadata.deletionGracePeriodSeconds ?? 30) * 1000);
      return;
    }
    if ((pod.spec?.readinessGates ?? []).length > 0) this.status.touch();
  }

  /** A ConfigMap or Secret of the namespace has changed. */
  sourcesChanged(): void {
    this.bell.ring();
  }

  /** The pod object is gone without waiting for its containers: they are stopped at once. */
  objectGone(): void {
    this.status.abandon();
    this.remove(1000);
  }

  /** Kills everything at once, for the end of the node itself. */
  abort(): void {
    this.status.abandon();
    this.ending.abort();
    for (const runner of this.allRunners()) void runner.end(0);
    this.namespaces?.close();
  }

  /** Resolves when nothing of the pod is left on the node. */
  async left(): Promise<void> {
    await this.finished;
    await this.removal;
  }

  /** The runner of a container by its name. */
  runner(container: string): ContainerRunner | undefined {
    return this.allRunners().find((runner) => runner.record.name === container);
  }

  private allRunners(): ContainerRunner[] {
    return [...this.initRunners, ...this.runners];
  }

  private remove(graceMs: number): void {
    // Every change of a pod that is being deleted comes by here; only a shorter grace period is news.
    if (graceMs >= this.graceMs) return;
    this.graceMs = graceMs;
    if (this.removal === undefined) this.removal = this.endAndRemove(graceMs);
    else for (const runner of this.allRunners()) void runner.end(graceMs);
  }

  private async endAndRemove(graceMs: number): Promise<void> {
    this.ending.abort();
    const sidecars = this.initRunners.filter(({ record }) => isSidecar(this.pod, record.name));
    const others = this.allRunners().filter((runner) => !sidecars.includes(runner));
    await Promise.all(others.map((runner) => runner.end(graceMs)));
    for (const runner of sidecars.reverse()) await runner.end(graceMs);
    await this.finished;
    this.status.touch();
    await this.status.settled();
    await this.status.remove();
  }

  private async run(): Promise<void> {
    try {
      const isReady = await this.setUp();
      if (isReady && (await this.runInitContainers())) {
        const upkeep = this.keepVolumesFresh();
        await Promise.all(this.runners.map((runner) => runner.run()));
        await this.endSidecars();
        this.ending.abort();
        await upkeep;
      }
    } catch (error) {
      console.log(`pod ${this.namespace}/${this.name}: ${String(error)}`);
    }
    this.ending.abort();
    await this.endSidecars();
    this.namespaces?.close();
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 }).catch(
      (error: unknown) => console.log(`pod ${this.namespace}/${this.name}: ${String(error)}`),
    );
    this.status.touch();
  }

  /** Namespaces, network and volumes. False when the pod was ended before they stood. */
  private async setUp(): Promise<boolean> {
    while (!this.ending.signal.aborted) {
      try {
        await this.node.startGate.pass(async () => {
          await this.openNamespaces();
          await this.refreshVolumes();
        });
        return true;
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        const reason = this.podIp === undefined ? 'FailedCreatePodSandBox' : 'FailedMount';
        this.node.warn(this.pod, reason, message);
        this.status.touch();
      }
      await this.bell.wait(setupRetryMs, this.ending.signal);
    }
    return false;
  }

  private async openNamespaces(): Promise<void> {
    if (this.namespaces !== undefined) return;
    this.namespaces = await this.node.network.open({
      hostname: podHostname(this.pod),
      hostNetwork: this.pod.spec?.hostNetwork === true,
    });
    this.podIp = this.namespaces.podIp;
    noteNetwork(this.directory, this.namespaces.network);
  }

  /** Runs the init containers one after the other. False when one failed for good or the pod was ended. */
  private async runInitContainers(): Promise<boolean> {
    for (const runner of this.initRunners) {
      if (this.ending.signal.aborted) return false;
      if (isSidecar(this.pod, runner.record.name)) {
        this.sidecars.push(runner.run());
        await this.startOf(runner);
        continue;
      }
      await runner.run();
      const { state } = runner.record;
      if (state.kind !== 'terminated' || state.exitCode !== 0) return false;
    }
    return !this.isEnding();
  }

  private async startOf(runner: ContainerRunner): Promise<void> {
    while (!runner.record.started && !this.isEnding()) await pause(50, this.ending.signal);
  }

  private isEnding(): boolean {
    return this.ending.signal.aborted;
  }

  private async endSidecars(): Promise<void> {
    const graceMs = (this.pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000;
    const running = this.initRunners.filter(({ record }) => isSidecar(this.pod, record.name));
    await Promise.all(running.map((runner) => runner.end(graceMs)));
    await Promise.all(this.sidecars);
  }

  private async keepVolumesFresh(): Promise<void> {
    const aDayMs = 86_400_000;
    while (!this.ending.signal.aborted) {
      await this.refreshVolumes().catch((error: unknown) => {
        // What a running pod has mounted stays as it was; the next change tries again.
        this.node.warn(this.pod, 'FailedMount', String(error));
      });
      const renewInMs = (this.volumes.renewAtMs() ?? Infinity) - Date.now();
      await this.bell.wait(Math.max(1000, Math.min(renewInMs, aDayMs)), this.ending.signal);
    }
  }

  private refreshVolumes(): Promise<void> {
    const addresses = { podIp: this.podIp ?? '', hostIp: this.node.nodeIp };
    return this.volumes.refresh(this.pod, addresses);
  }

  private makeRunners(): void {
    const policy = (this.pod.spec?.restartPolicy ?? 'Always') as RestartPolicy;
    const initContainers = this.pod.spec?.initContainers ?? [];
    const context = this.containerContext();
    this.initRunners = initContainers.map((container) => {
      const initPolicy = policy === 'Always' ? 'OnFailure' : policy;
      const own = container.restartPolicy === 'Always' ? 'Always' : initPolicy;
      return new ContainerRunner(container, own, context, 'PodInitializing');
    });
    const reason = initContainers.length > 0 ? 'PodInitializing' : 'ContainerCreating';
    this.runners = (this.pod.spec?.containers ?? []).map(
      (container) => new ContainerRunner(container, policy, context, reason),
    );
  }

  private containerContext(): PodContext {
    let sharedMounts: ReturnType<PodContext['sharedMounts']> | undefined;
    const filesDir = join(this.directory, 'etc');
    const ips = (): { podIp: string; dnsIp: string } => ({
      podIp: this.podIp ?? '',
      dnsIp: this.node.dnsIp,
    });
    return {
      node: this.node,
      pod: () => this.pod,
      addresses: () => ({
        podIp: this.podIp ?? '',
        holderPid: this.namespaces?.holderPid ?? -1,
      }),
      directory: this.directory,
      logsDirectory: this.logsDirectory,
      sharedMounts: () => (sharedMounts ??= writePodFiles(filesDir, this.pod, ips())),
      volumePath: (volume) => this.volumes.pathOf(volume),
      environment: (container, image) => this.environment(container, image),
      bell: this.bell,
      changed: () => this.status.touch(),
    };
  }

  private environment(container: V1Container, image: Image): Record<string, string> {
    const { objects, nodeIp, path } = this.node;
    const links = this.pod.spec?.enableServiceLinks !== false;
    const defaults = {
      PATH: path,
      HOSTNAME: podHostname(this.pod),
      // Root's own home is neither private to the container nor writable for an ordinary user.
      HOME: '/tmp',
    };
    return containerEnvironment(container, {
      pod: this.pod,
      addresses: { podIp: this.podIp ?? '', hostIp: nodeIp },
      image: { ...defaults, ...image.env },
      services: serviceEnvironment(objects.services.list(), this.namespace, links),
      configMap: (name) => objects.configMaps.get(this.namespace, name),
      secret: (name) => objects.secrets.get(this.namespace, name),
    });
  }

  private currentStatus(): NonNullable<V1Pod['status']> {
    const status = podStatus({
      pod: this.pod,
      initContainers: this.initRunners.map(({ record }) => record),
      containers: this.runners.map(({ record }) => record),
      ...(this.podIp === undefined ? {} : { podIp: this.podIp }),
      hostIp: this.node.nodeIp,
      startTime: this.startTime,
      isEnding: this.ending.signal.aborted,
      previous: this.conditions ?? [],
      now: new Date(),
    });
    this.conditions = status.conditions ?? [];
    return status;
  }
}
