import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Worker, type WorkflowBundle } from '@temporalio/worker';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';

import type { Deps } from '../../activities/deps.js';
import { createActivities } from '../../activities/index.js';
import type { Delivery } from '../../domain/deliveries.js';
import { deliveriesId, type DeliveryRecord } from '../../domain/deliveries.js';
import type { KubeObject, ObjectRef } from '../../domain/objects.js';
import { taskQueueOf, type CanaryRef } from '../../domain/release.js';
import { sluiceOf } from '../../api/client.js';
import { outboxOf } from '../../worker/outbox.js';
import { ensureSearchAttributes } from '../../worker/search-attributes.js';
import { journalQuery, type DeliveriesWorkflow } from '../../workflows/delivery-messages.js';
import { someSettings } from '../activities/a-canary.js';
import { quietRuntime } from './rig.js';

/** An event hook of a manifest. */
export interface WireHook {
  readonly name: string;
  readonly url: string;
}

/** The outbox of one canary whose manifest a test writes. */
export interface Box {
  readonly canary: CanaryRef;
  /** The event hooks the manifest has now. */
  hooks: readonly WireHook[];
  /** The addresses of AlertProviders, of type `slack`, by name. */
  providers: Readonly<Record<string, string>>;
  /** Hands deliveries over, as an activity does. */
  add(...deliveries: readonly Delivery[]): Promise<void>;
  journal(): Promise<readonly DeliveryRecord[]>;
  /** Waits until the journal has so many records. */
  until(records: number): Promise<readonly DeliveryRecord[]>;
  /** The end of the newest run, and of what it became. */
  result(): Promise<readonly DeliveryRecord[]>;
  /** All that is known of the canary's deliveries, as the command line finds it. */
  known(): Promise<readonly DeliveryRecord[]>;
  /** The history of the newest run, as JSON. */
  history(): Promise<string>;
}

/** Runs `deliveries` on a real Temporal server, with manifests in memory and endpoints on loopback. */
export class DeliveriesRig {
  private readonly cluster = `deliveries-${randomUUID()}`;
  private readonly boxes = new Map<string, Box>();
  private worker: Worker | undefined;
  private running: Promise<void> = Promise.resolve();

  private constructor(
    private readonly env: TestWorkflowEnvironment,
    private readonly bundle: WorkflowBundle,
  ) {}

  static async open(): Promise<DeliveriesRig> {
    quietRuntime();
    const address = process.env['TEMPORAL_ADDRESS'];
    if (address === undefined) {
      throw new Error('TEMPORAL_ADDRESS is not set: run these tests with `npm test -- cluster`');
    }
    const env = await TestWorkflowEnvironment.createFromExistingServer({ address });
    await ensureSearchAttributes(env.client, new DefaultLogger('ERROR'));
    const bundle = await bundleWorkflowCode({
      workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)),
      logger: new DefaultLogger('ERROR'),
    });
    const rig = new DeliveriesRig(env, bundle);
    await rig.startWorker();
    return rig;
  }

  async startWorker(): Promise<void> {
    const { deliver } = createActivities(this.deps());
    this.worker = await Worker.create({
      connection: this.env.nativeConnection,
      taskQueue: taskQueueOf(this.cluster),
      workflowBundle: this.bundle,
      activities: { deliver },
      maxHeartbeatThrottleInterval: '200 ms',
      shutdownGraceTime: '100 ms',
      stickyQueueScheduleToStartTimeout: '1 second',
    });
    this.running = this.worker.run();
  }

  async stopWorker(): Promise<void> {
    this.worker?.shutdown();
    await this.running;
  }

  async close(): Promise<void> {
    await this.stopWorker();
    await this.env.teardown();
  }

  box(options: Parameters<typeof outboxOf>[1] = {}): Box {
    const { client } = this.env;
    const canary = { cluster: this.cluster, namespace: 'test', name: `c-${randomUUID()}` };
    const outbox = outboxOf(client, { lingerMs: 100, ...options });
    const handle = () => client.workflow.getHandle<DeliveriesWorkflow>(deliveriesId(canary));
    const box: Box = {
      canary,
      hooks: [],
      providers: {},
      add: (...deliveries) => outbox.add(canary, deliveries),
      journal: () => handle().query(journalQuery),
      result: () => handle().result(),
      known: () => sluiceOf(client, this.cluster).deliveries(canary),
      history: async () => JSON.stringify(await handle().fetchHistory()),
      async until(records) {
        for (;;) {
          const journal = await box.journal();
          if (journal.length >= records) return journal;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      },
    };
    this.boxes.set(canary.name, box);
    return box;
  }

  /** Runs what happened again; throws when the workflow would decide otherwise. */
  async replay({ canary }: Box): Promise<void> {
    const handle = this.env.client.workflow.getHandle(deliveriesId(canary));
    await Worker.runReplayHistory({ workflowBundle: this.bundle }, await handle.fetchHistory());
  }

  /** The activity needs nothing of a cluster but manifests. */
  private deps(): Deps {
    const find = ({ kind, name }: ObjectRef): Promise<KubeObject | undefined> => {
      if (kind === 'AlertProvider') return Promise.resolve(this.providerOf(name));
      const box = this.boxes.get(name);
      if (box === undefined) return Promise.resolve(undefined);
      const webhooks = box.hooks.map((hook) => ({ ...hook, type: 'event', timeout: '5s' }));
      return Promise.resolve({
        apiVersion: 'flagger.app/v1beta1',
        kind: 'Canary',
        metadata: { name, namespace: 'test' },
        spec: { analysis: { webhooks } },
      });
    };
    return { kube: { find }, settings: someSettings } as unknown as Deps;
  }

  private providerOf(name: string): KubeObject | undefined {
    const boxes = [...this.boxes.values()];
    const address = boxes.flatMap(({ providers }) => providers[name] ?? [])[0];
    const spec = { type: 'slack', address };
    const found = {
      apiVersion: 'flagger.app/v1beta1',
      kind: 'AlertProvider',
      metadata: { name },
      spec,
    };
    return address === undefined ? undefined : found;
  }
}
