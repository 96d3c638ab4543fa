import type { Client, WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import {
  bundleWorkflowCode,
  DefaultLogger,
  makeTelemetryFilterString,
  Runtime,
  Worker,
  type WorkflowBundle,
} from '@temporalio/worker';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';

import type { Activities } from '../../activities/contract.js';
import {
  releaseId,
  type CanaryRef,
  type ReleaseState,
  type Trigger,
} from '../../domain/release.js';
import { stateQuery } from '../../workflows/messages.js';
import type { release } from '../../workflows/release.js';
import { activitiesOf, FakeCluster } from './fake-cluster.js';

export type ReleaseHandle = WorkflowHandleWithFirstExecutionRunId<typeof release>;

/** Keeps Temporal's own log to errors; the tests make it warn on purpose. */
export function quietRuntime(): void {
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: {
      logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) },
    },
  });
}

/** A canary of one test: its cluster in memory and how to start its releases. */
export interface Rigged {
  readonly cluster: FakeCluster;
  readonly canary: CanaryRef;
  start(trigger?: Trigger, maxEvents?: number): Promise<ReleaseHandle>;
}

/**
 * Runs release workflows of many tests on one worker and a real Temporal server. Activities find
 * the fake cluster of the test by the canary's name.
 */
export class Rig {
  private readonly clusters = new Map<string, FakeCluster>();
  private running: Promise<void> = Promise.resolve();

  private constructor(
    private readonly env: TestWorkflowEnvironment,
    readonly bundle: WorkflowBundle,
    private worker: Worker | undefined,
    private readonly taskQueue: string,
  ) {}

  static async open(): Promise<Rig> {
    quietRuntime();
    const address = process.env['TEMPORAL_ADDRESS'];
    if (address === undefined) {
      throw new Error('TEMPORAL_ADDRESS is not set: run these tests with `npm test -- workflows`');
    }
    const env = await TestWorkflowEnvironment.createFromExistingServer({ address });
    const bundle = await bundleWorkflowCode({
      workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)),
      logger: new DefaultLogger('ERROR'),
    });
    const rig = new Rig(env, bundle, undefined, `test-${randomUUID()}`);
    await rig.startWorker();
    return rig;
  }

  get client(): Client {
    return this.env.client;
  }

  /** Starts a worker, also after {@link stopWorker}. */
  async startWorker(): Promise<void> {
    this.worker = await Worker.create({
      connection: this.env.nativeConnection,
      taskQueue: this.taskQueue,
      workflowBundle: this.bundle,
      activities: this.activities(),
      maxHeartbeatThrottleInterval: '200 ms',
      shutdownGraceTime: '1 second',
    });
    this.running = this.worker.run();
  }

  async stopWorker(): Promise<void> {
    this.worker?.shutdown();
    await this.running;
  }

  /** Waits until the release is in a state the test wants. */
  async until(
    handle: ReleaseHandle,
    reached: (state: ReleaseState) => boolean,
  ): Promise<ReleaseState> {
    for (;;) {
      const state = await handle.query(stateQuery);
      if (state !== undefined && reached(state)) return state;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  async close(): Promise<void> {
    await this.stopWorker();
    await this.env.teardown();
  }

  canary(): Rigged {
    const canary = { cluster: 'test', namespace: 'test', name: `c-${randomUUID()}` };
    const cluster = new FakeCluster();
    this.clusters.set(canary.name, cluster);
    return {
      cluster,
      canary,
      start: (trigger = { kind: 'change' }, maxEvents) =>
        this.client.workflow.start<typeof release>('release', {
          workflowId: releaseId(canary),
          taskQueue: this.taskQueue,
          args: [{ canary, trigger, ...(maxEvents === undefined ? {} : { maxEvents }) }],
        }),
    };
  }

  get queue(): string {
    return this.taskQueue;
  }

  private activities(): Activities {
    return activitiesOf(({ name }) => {
      const cluster = this.clusters.get(name);
      if (cluster === undefined) throw new Error(`no cluster of ${name}`);
      return cluster;
    });
  }
}
