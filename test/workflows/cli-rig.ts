import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type WorkflowBundle,
} from '@temporalio/worker';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';

import type { Activities } from '../../activities/contract.js';
import { run } from '../../cli/program.js';
import { taskQueueOf } from '../../domain/release.js';
import { activitiesOf, FakeCluster } from './fake-cluster.js';

/** What a command printed, and how it exited. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line over a real Temporal server and a worker whose canaries live in memory. */
export class CommandLine {
  readonly cluster = `cli-${randomUUID()}`;
  private readonly canaries = new Map<string, FakeCluster>();
  private worker: Worker | undefined;
  private running: Promise<void> = Promise.resolve();

  private constructor(
    private readonly connection: NativeConnection,
    private readonly bundle: WorkflowBundle,
  ) {}

  static async open(): Promise<CommandLine> {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    const address = process.env['TEMPORAL_ADDRESS'];
    if (address === undefined) throw new Error('TEMPORAL_ADDRESS is not set: run `npm test`');
    const bundle = await bundleWorkflowCode({
      workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)),
      logger: new DefaultLogger('ERROR'),
    });
    const line = new CommandLine(await NativeConnection.connect({ address }), bundle);
    await line.startWorker();
    return line;
  }

  /** A canary at rest whose promoted revision is v1; its container is called app. */
  canary(): { readonly name: string; readonly cluster: FakeCluster } {
    const name = `c-${randomUUID()}`;
    const cluster = new FakeCluster();
    cluster.revision = 'v1';
    this.canaries.set(name, cluster);
    return { name: `test/${name}`, cluster };
  }

  /** Runs `sluice` with these words, divided by spaces. */
  async sluice(words: string): Promise<Ran> {
    let stdout = '';
    let stderr = '';
    const code = await run([...words.split(' '), '--cluster', this.cluster], {
      stdout: { write: (text) => (stdout += text) },
      stderr: { write: (text) => (stderr += text) },
    });
    return { code, stdout, stderr };
  }

  /** Runs `sluice -o json` and reads the one document it prints. */
  async json(words: string): Promise<Record<string, unknown>> {
    const { stdout } = await this.sluice(`${words} -o json`);
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  /** Waits until `status` shows what is wanted. */
  async until(name: string, wanted: Record<string, unknown>): Promise<void> {
    for (;;) {
      const status = await this.json(`status ${name}`);
      if (Object.entries(wanted).every(([key, value]) => status[key] === value)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Starts a worker, also after {@link stopWorker}. */
  async startWorker(): Promise<void> {
    this.worker = await Worker.create({
      connection: this.connection,
      taskQueue: taskQueueOf(this.cluster),
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

  async close(): Promise<void> {
    await this.stopWorker();
    await this.connection.close();
  }

  private activities(): Activities {
    return activitiesOf(({ name }) => {
      const cluster = this.canaries.get(name);
      if (cluster === undefined) throw new Error(`no cluster of ${name}`);
      return cluster;
    });
  }
}
