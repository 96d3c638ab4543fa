import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { V1Container, V1Pod } from '@kubernetes/client-node';

import { commandLine } from './command-line.js';
import { ContainerHealth } from './container-health.js';
import { runInside, startProcess } from './container-process.js';
import type { ContainerProcess } from './container-process.js';
import { identity } from './identity.js';
import type { Image } from './images.js';
import { lastLines, logFile } from './log-file.js';
import type { BindMount } from './mount-plan.js';
import type { NodeServices } from './node-services.js';
import type { ContainerRecord, ContainerState, TerminatedState } from './pod-status.js';
import { probeOnce } from './probes.js';
import type { ProbeTarget } from './probes.js';
import { delayText, nextBackoff } from './restart-backoff.js';
import type { Backoff } from './restart-backoff.js';
import { volumeMounts } from './volume-mounts.js';
import type { Bell } from './waiting.js';
import { pause } from './waiting.js';

/** What a container needs of the pod it belongs to. */
export type PodContext = {
  readonly node: NodeServices;
  /** The pod in its newest form. */
  readonly pod: () => V1Pod;
  /** Known once the pod's namespaces stand. */
  readonly addresses: () => { readonly podIp: string; readonly holderPid: number };
  readonly directory: string;
  /** Mounts that every container of the pod has: hosts, resolv.conf, hostname. */
  readonly sharedMounts: () => readonly BindMount[];
  readonly volumePath: Parameters<typeof volumeMounts>[3];
  readonly environment: (container: V1Container, image: Image) => Record<string, string>;
  /** Rings when a ConfigMap, Secret or the pod itself has changed. */
  readonly bell: Bell;
  /** To be called when a record has changed. */
  readonly changed: () => void;
};

/** When a container that ended is started again. */
export type RestartPolicy = 'Always' | 'OnFailure' | 'Never';

type Launch = {
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: string;
  readonly log: string;
  readonly process: ContainerProcess;
};

/** How often a container whose configuration is incomplete is tried again, ms; changes wake it earlier. */
const configRetryMs = 10_000;
const terminationMessageLimit = 4096;

/** Runs one container of a pod: starts it, watches its health, restarts it, stops it. */
export class ContainerRunner {
  record: ContainerRecord;
  private readonly stop = new AbortController();
  private launch: Launch | undefined;
  private health: ContainerHealth | undefined;
  private backoff: Backoff | undefined;

  constructor(
    readonly container: V1Container,
    private readonly restartPolicy: RestartPolicy,
    private readonly context: PodContext,
    waitingReason: 'ContainerCreating' | 'PodInitializing',
  ) {
    this.record = {
      name: container.name,
      image: container.image ?? '',
      state: { kind: 'waiting', reason: waitingReason },
      restartCount: 0,
      started: false,
      ready: false,
    };
  }

  /** Runs the container until it has ended for good. */
  async run(): Promise<void> {
    while (!this.isStopped()) {
      const launch = await this.launchWhenPossible();
      if (launch === undefined) return;
      const ended = await this.runOnce(launch);
      if (this.isStopped() || !this.comesBack(ended)) return;
      await this.backOff(ended);
    }
  }

  /** Stops the container for good: preStop hook, SIGTERM, and SIGKILL once the grace period is over. */
  async end(graceMs: number): Promise<void> {
    this.stop.abort();
    this.health?.stopJudging();
    await this.kill(graceMs);
  }

  /** The log of the current run, or of the one before. */
  logOf(run: 'current' | 'previous'): string {
    const { restartCount, state } = this.record;
    // While it waits to be restarted the run before is the newest one there is.
    const hasRun = state.kind !== 'waiting' || restartCount === 0;
    const newest = hasRun ? restartCount : restartCount - 1;
    return this.logFile(run === 'current' ? newest : newest - 1);
  }

  private async launchWhenPossible(): Promise<Launch | undefined> {
    let imageBackoff: Backoff | undefined;
    while (!this.isStopped()) {
      const attempt = await this.tryLaunch();
      if (attempt.kind === 'launched') return attempt.launch;
      this.set({ state: { kind: 'waiting', reason: attempt.reason, message: attempt.message } });
      this.context.node.warn(this.context.pod(), 'Failed', `Error: ${attempt.message}`);
      if (attempt.reason !== 'ErrImagePull') {
        await this.context.bell.wait(configRetryMs, this.stop.signal);
        continue;
      }
      imageBackoff = nextBackoff(imageBackoff, Date.now()).backoff;
      const message = `Back-off pulling image "${this.record.image}": ${attempt.message}`;
      await pause(1000, this.stop.signal);
      this.set({ state: { kind: 'waiting', reason: 'ImagePullBackOff', message } });
      await pause(imageBackoff.delayMs, this.stop.signal);
    }
    return undefined;
  }

  private async tryLaunch(): Promise<
    | { readonly kind: 'launched'; readonly launch: Launch }
    | { readonly kind: 'failed'; readonly reason: string; readonly message: string }
  > {
    let reason = 'ErrImagePull';
    try {
      const image = this.context.node.findImage(this.record.image);
      if (image === undefined) {
        throw new Error(`no image map has an entry for "${this.record.image}"`);
      }
      reason = 'CreateContainerConfigError';
      const environment = this.context.environment(this.container, image);
      reason = 'CreateContainerError';
      return { kind: 'launched', launch: await this.start(image, environment) };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { kind: 'failed', reason, message };
    }
  }

  private async start(image: Image, environment: Record<string, string>): Promise<Launch> {
    const { context, container } = this;
    const run = String(this.record.restartCount);
    const directory = join(context.directory, 'containers', container.name, run);
    mkdirSync(directory, { recursive: true });
    const mounts = [
      ...context.sharedMounts(),
      this.terminationMessageMount(directory),
      ...volumeMounts(container, context.pod(), environment, context.volumePath),
    ];
    const imagePaths = [image.workdir, ...image.entrypoint, ...image.cmd];
    const fstab = await context.node.views.prepare(directory, mounts, imagePaths);
    const log = this.logFile(this.record.restartCount);
    const process = startProcess({
      ...commandLine(image, container, environment),
      holderPid: context.addresses().holderPid,
      fstab,
      root: context.node.views.root,
      environment,
      logFile: log,
    });
    return { environment, directory, log, process };
  }

  private terminationMessageMount(directory: string): BindMount {
    const source = join(directory, 'termination-log');
    writeFileSync(source, '');
    const target = this.container.terminationMessagePath ?? '/dev/termination-log';
    return { source, target, kind: 'file', readOnly: false };
  }

  private async runOnce(launch: Launch): Promise<TerminatedState> {
    this.launch = launch;
    const startedAt = new Date();
    const containerId = `sandbox://${randomBytes(32).toString('hex')}`;
    const launched = await launch.process.launched;
    if (launched) {
      this.set({
        state: { kind: 'running', startedAt },
        containerId,
        started: false,
        ready: false,
      });
      if (this.isStopped()) launch.process.signal('SIGKILL');
      else void this.bringUp(launch);
    }
    const { exitCode } = await launch.process.exited;
    this.health?.stop();
    this.health = undefined;
    this.launch = undefined;
    const message = await this.terminationMessage(launch, exitCode);
    const state: TerminatedState = {
      kind: 'terminated',
      exitCode,
      reason: launched ? (exitCode === 0 ? 'Completed' : 'Error') : 'StartError',
      ...(message === '' ? {} : { message }),
      ...{ startedAt, finishedAt: new Date(), containerId },
    };
    this.set({ state, started: false, ready: false, containerId });
    await rm(launch.directory, { recursive: true, force: true });
    return state;
  }

  /** Runs the postStart hook, then starts probing. */
  private async bringUp(launch: Launch): Promise<void> {
    const target = this.probeTarget(launch);
    const hook = this.container.lifecycle?.postStart;
    if (hook !== undefined) {
      const { ok, message } = await probeOnce(hook, target, 60_000);
      if (!ok) {
        this.context.node.warn(this.context.pod(), 'FailedPostStartHook', message);
        await this.kill(this.podGraceMs());
        return;
      }
    }
    if (this.launch !== launch || this.isStopped()) return;
    this.health = new ContainerHealth(target, {
      started: () =>
        this.set({ started: true, ready: this.container.readinessProbe === undefined }),
      ready: (ready) => this.set({ ready }),
      failing: (message) => this.context.node.warn(this.context.pod(), 'Unhealthy', message),
      dead: (graceSeconds) => {
        const graceMs = graceSeconds === undefined ? this.podGraceMs() : graceSeconds * 1000;
        const message = `Container ${this.container.name} failed its probe, will be restarted`;
        this.context.node.warn(this.context.pod(), 'Killing', message);
        void this.kill(graceMs);
      },
    });
  }

  private async kill(graceMs: number): Promise<void> {
    const { launch } = this;
    if (launch === undefined) return;
    const { process } = launch;
    const lastMoment = setTimeout(() => process.signal('SIGKILL'), graceMs);
    const hook = this.container.lifecycle?.preStop;
    if (hook !== undefined && graceMs > 0) {
      const hooked =
        hook.sleep === undefined
          ? probeOnce(hook, this.probeTarget(launch), graceMs)
          : new Promise((resolve) => setTimeout(resolve, (hook.sleep?.seconds ?? 0) * 1000));
      await Promise.race([hooked, process.exited]);
    }
    process.signal('SIGTERM');
    await process.exited;
    clearTimeout(lastMoment);
  }

  private comesBack({ exitCode }: TerminatedState): boolean {
    if (this.restartPolicy === 'Always') return true;
    return this.restartPolicy === 'OnFailure' && exitCode !== 0;
  }

  private async backOff(ended: TerminatedState): Promise<void> {
    const { waitMs, backoff } = nextBackoff(this.backoff, Date.now());
    this.backoff = backoff;
    if (waitMs > 0) {
      const pod = this.context.pod();
      const { name, namespace, uid } = identity(pod);
      const message = `back-off ${delayText(waitMs)} restarting failed container=${this.container.name} pod=${name}_${namespace}(${uid})`;
      const state: ContainerState = { kind: 'waiting', reason: 'CrashLoopBackOff', message };
      this.set({ state, lastTerminated: ended });
      this.context.node.warn(
        pod,
        'BackOff',
        `Back-off restarting failed container ${this.container.name}`,
      );
      await pause(waitMs, this.stop.signal);
      if (this.isStopped()) return;
    }
    // Not published by itself: the next start follows at once.
    this.record = {
      ...this.record,
      lastTerminated: ended,
      restartCount: this.record.restartCount + 1,
    };
  }

  private probeTarget({ process, environment }: Launch): ProbeTarget {
    return {
      container: this.container,
      podIp: this.context.addresses().podIp,
      run: (argv, timeoutMs) => runInside(process.pid, argv, { environment, timeoutMs }),
    };
  }

  private async terminationMessage({ directory, log }: Launch, exitCode: number): Promise<string> {
    const written = await readFile(join(directory, 'termination-log'), 'utf8').catch(() => '');
    const asksForLog = this.container.terminationMessagePolicy === 'FallbackToLogsOnError';
    if (written === '' && exitCode !== 0 && asksForLog) return lastLines(log, 80, 2048);
    return written.slice(0, terminationMessageLimit);
  }

  private isStopped(): boolean {
    return this.stop.signal.aborted;
  }

  private podGraceMs(): number {
    return (this.context.pod().spec?.terminationGracePeriodSeconds ?? 30) * 1000;
  }

  private logFile(restartCount: number): string {
    const pod = identity(this.context.pod());
    return logFile(this.context.node.logsDir, pod, this.container.name, restartCount);
  }

  private set(change: Partial<ContainerRecord>): void {
    this.record = { ...this.record, ...change };
    this.context.changed();
  }
}
