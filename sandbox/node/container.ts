import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { V1Container } from '@kubernetes/client-node';

import { ContainerHealth } from './container-health.js';
import { launchContainer, terminationMessage } from './container-launch.js';
import type { Launch, PodContext } from './container-launch.js';
import { runInside } from './container-process.js';
import { identity } from './identity.js';
import { logFile } from './log-file.js';
import type { ContainerRecord, ContainerState, TerminatedState } from './pod-status.js';
import { probeOnce } from './probes.js';
import type { ProbeTarget } from './probes.js';
import { delayText, nextBackoff } from './restart-backoff.js';
import type { Backoff } from './restart-backoff.js';
import { pause } from './waiting.js';

/** When a container that ended is started again. */
export type RestartPolicy = 'Always' | 'OnFailure' | 'Never';

/** How often a container whose configuration is incomplete is tried again, ms; changes wake it earlier. */
const configRetryMs = 10_000;
/** How long the error itself stands in the status before it says that it backs off, ms. */
const imageErrorShownMs = 1000;

/** Runs one container of a pod: starts it, watches its health, restarts it, stops it. */
export class ContainerRunner {
  record: ContainerRecord;
  private readonly stop = new AbortController();
  private launch: Launch | undefined;
  private beingKilled: Launch | undefined;
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
      const run = String(this.record.restartCount);
      const attempt = await launchContainer(this.container, this.context, {
        directory: join(this.context.directory, 'containers', this.container.name, run),
        log: this.logFile(this.record.restartCount),
      });
      if (attempt.kind === 'launched') return attempt.launch;
      const { reason, message } = attempt;
      this.set({ state: { kind: 'waiting', reason, message } });
      this.context.node.warn(this.context.pod(), 'Failed', `Error: ${message}`);
      if (reason === 'ErrImagePull') {
        imageBackoff = nextBackoff(imageBackoff, Date.now()).backoff;
        await this.awaitImage(imageBackoff, message);
      } else {
        await this.context.bell.wait(configRetryMs, this.stop.signal);
      }
    }
    return undefined;
  }

  private async awaitImage({ delayMs }: Backoff, why: string): Promise<void> {
    await pause(imageErrorShownMs, this.stop.signal);
    const message = `Back-off pulling image "${this.record.image}": ${why}`;
    this.set({ state: { kind: 'waiting', reason: 'ImagePullBackOff', message } });
    await pause(delayMs, this.stop.signal);
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
    const message = await terminationMessage(this.container, launch, exitCode);
    const state: TerminatedState = {
      kind: 'terminated',
      exitCode,
      reason: launched ? (exitCode === 0 ? 'Completed' : 'Error') : 'StartError',
      ...(message === '' ? {} : { message }),
      ...{ startedAt, finishedAt: new Date(), containerId },
    };
    this.set({ state, started: false, ready: false, containerId });
    // A child that is still writing may keep a file busy; it all goes with the pod's directory.
    await rm(launch.directory, { recursive: true, force: true }).catch(() => undefined);
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
    // Asked a second time, only the last moment comes closer.
    if (this.beingKilled !== launch) {
      this.beingKilled = launch;
      if (graceMs > 0) await Promise.race([this.preStop(launch, graceMs), process.exited]);
      process.signal('SIGTERM');
    }
    await process.exited;
    clearTimeout(lastMoment);
  }

  private async preStop(launch: Launch, graceMs: number): Promise<void> {
    const hook = this.container.lifecycle?.preStop;
    if (hook?.sleep !== undefined) {
      await new Promise((resolve) => setTimeout(resolve, (hook.sleep?.seconds ?? 0) * 1000));
    } else if (hook !== undefined) {
      await probeOnce(hook, this.probeTarget(launch), graceMs);
    }
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

  private isStopped(): boolean {
    return this.stop.signal.aborted;
  }

  private podGraceMs(): number {
    return (this.context.pod().spec?.terminationGracePeriodSeconds ?? 30) * 1000;
  }

  private logFile(restartCount: number): string {
    return logFile(this.context.logsDirectory, this.container.name, restartCount);
  }

  private set(change: Partial<ContainerRecord>): void {
    this.record = { ...this.record, ...change };
    this.context.changed();
  }
}
