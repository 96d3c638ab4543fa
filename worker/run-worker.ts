import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';

import { Client } from '@temporalio/client';
import type { Logger } from '@temporalio/common';
import {
  bundleWorkflowCode,
  Worker,
  type NativeConnection,
  type WorkflowBundleOption,
} from '@temporalio/worker';
import { Registry } from 'prom-client';

import type { Deps, Settings } from '../activities/deps.js';
import { createActivities } from '../activities/index.js';
import { connectKube } from '../activities/kube.js';
import { revisionOfKind } from '../activities/workloads/revisions.js';
import { taskQueueOf } from '../domain/release.js';
import { countingActivities } from './activity-counters.js';
import { alertSettingsOf } from './alert-settings.js';
import { openCaches, type Caches } from './caches.js';
import type { Config, TemporalConfig } from './config.js';
import { serveHealth } from './health.js';
import { keyOf } from './reflector.js';
import { outboxOf } from './outbox.js';
import { releasesOf } from './releases.js';
import { ensureSearchAttributes } from './search-attributes.js';
import { createTelemetry, type WorkerTelemetry } from './telemetry.js';
import { connectTemporal } from './temporal.js';
import { viewOf } from './view.js';
import { watchCanaries } from './watch.js';

export interface WorkerProcess {
  readonly config: Config;
  readonly temporal: TemporalConfig;
  /** Of the package. */
  readonly version: string;
  readonly log: Logger;
  /** Ends the process in order: nothing new is started, what runs may finish. */
  readonly stop: AbortSignal;
}

/**
 * Builds the parts of the worker and runs them until `stop`. Waits for the API server and for
 * Temporal as long as it takes; rejects when the worker can never work, such as without a namespace.
 */
export async function runWorker(options: WorkerProcess): Promise<void> {
  const { config, temporal, version, log, stop } = options;
  const { meshProvider, namespace, port } = config;
  const waitingFor = new Set(['Temporal', 'workloads', 'configs', 'canaries', 'the workflow code']);
  const bundle = bundleOf(config.workflowBundle, log);
  // It is awaited only after Temporal and the API server have come up.
  bundle.catch(() => undefined);

  const registry = new Registry();
  const kube = connectKube();
  const caches = openCaches({ kube, namespace, log, configTracking: config.enableConfigTracking });
  const telemetry = createTelemetry({
    registry,
    canaries: caches.canaries,
    version,
    meshProvider,
  });
  const health = await serveHealth({ port, registry, waitingFor: () => [...waitingFor] });
  log.info('started', { version, cluster: config.cluster, port });
  try {
    const connection = await connectTemporal(temporal.connectionOptions, log, stop);
    if (connection === undefined) return;
    const client = new Client({ connection, namespace: temporal.namespace });
    const deps: Deps = {
      kube,
      workloads: caches.workloads,
      canaries: { get: (ref) => caches.canaries.get(keyOf(ref)) },
      ...(caches.configs === undefined ? {} : { configs: caches.configs }),
      telemetry,
      settings: settingsOf(config),
      outbox: outboxOf(client),
    };
    await work({
      ...options,
      connection,
      client,
      caches,
      deps,
      telemetry,
      bundle,
      waitingFor,
    }).finally(() => connection.close());
  } finally {
    caches.stop();
    health.close();
    health.closeAllConnections();
    log.info('stopped');
  }
}

interface Parts extends WorkerProcess {
  readonly connection: NativeConnection;
  readonly client: Client;
  readonly caches: Caches;
  readonly deps: Deps;
  readonly telemetry: WorkerTelemetry;
  readonly bundle: Promise<WorkflowBundleOption>;
  readonly waitingFor: Set<string>;
}

/** Watches the cluster and performs releases, until the process is to stop. */
async function work(parts: Parts): Promise<void> {
  const { config, log, stop, client, caches, telemetry, waitingFor } = parts;
  const { canaries, workloads, configs, dependencies } = caches;
  await ensureSearchAttributes(client, log);
  await Promise.race([aborted(stop), workloads.untilSynced()]);
  waitingFor.delete('workloads');
  await Promise.race([aborted(stop), configs?.untilSynced()]);
  waitingFor.delete('configs');
  await Promise.race([aborted(stop), canaries.untilSynced()]);
  waitingFor.delete('canaries');
  if (stop.aborted) return;

  // Before there is a worker: Temporal keeps what is sent until one comes.
  const watch = watchCanaries({
    cluster: config.cluster,
    canaries,
    dependencies,
    releases: releasesOf(client, config.cluster),
    seen: viewOf({
      workloads,
      settings: parts.deps.settings,
      revisionOf: (kind, target) => revisionOfKind(kind, target, configs),
    }),
    sent: (kind) => {
      telemetry.watchSent(kind);
    },
    reached: (temporal) => {
      if (temporal) waitingFor.delete('Temporal');
      else waitingFor.add('Temporal');
    },
    log,
  });
  canaries.onChange((_key, now, before) => {
    if (now === undefined && before !== undefined) void telemetry.forget(before);
  });
  try {
    const worker = await createWorker(parts);
    waitingFor.delete('the workflow code');
    await worker.runUntil(async () => {
      await aborted(stop);
      waitingFor.add('the end');
      log.info('stopping');
      await watch.stop();
    });
  } finally {
    await watch.stop();
  }
}

/** Time cancelled activities get to end; with the grace it stays below the pod's 30 s. */
const forceAfterMs = 15_000;

async function createWorker({
  config,
  temporal,
  connection,
  deps,
  telemetry,
  bundle,
}: Parts): Promise<Worker> {
  return Worker.create({
    connection,
    namespace: temporal.namespace,
    taskQueue: taskQueueOf(config.cluster),
    identity: `${process.pid}@${hostname()}`,
    workflowBundle: await bundle,
    activities: createActivities(deps),
    interceptors: {
      activity: [(context) => ({ inbound: countingActivities(telemetry, context) })],
    },
    maxConcurrentActivityTaskExecutions: config.maxActivities,
    maxCachedWorkflows: config.maxCachedWorkflows,
    // How long the releases of a worker that was killed wait for it before another one takes them.
    stickyQueueScheduleToStartTimeout: '5 seconds',
    // A cancelled activity learns of it from the answer to a heartbeat.
    maxHeartbeatThrottleInterval: '5 seconds',
    shutdownGraceTime: config.shutdownGrace,
    shutdownForceTime: config.shutdownGrace + forceAfterMs,
  });
}

async function bundleOf(path: string, log: Logger): Promise<WorkflowBundleOption> {
  if (path !== '') return { codePath: path };
  // Compiled code bundles compiled workflows, sources bundle sources.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const entry = new URL(`../workflows/index.${extension}`, import.meta.url);
  // Webpack's account of every module is of no interest to operators.
  const info: Logger['info'] = (message, meta) => {
    log.debug(message, meta);
  };
  return bundleWorkflowCode({
    workflowsPath: fileURLToPath(entry),
    logger: { ...log, info },
  });
}

function settingsOf(config: Config): Settings {
  return {
    defaults: {
      provider: config.meshProvider,
      minIntervalMs: config.minInterval,
      noCrossNamespaceRefs: config.noCrossNamespaceRefs,
    },
    metricsServer: config.metricsServer,
    selectorLabels: config.selectorLabels,
    includeLabelPrefixes: config.includeLabelPrefix,
    configTracking: config.enableConfigTracking,
    ingressClass: config.ingressClass,
    ingressAnnotationsPrefix: config.ingressAnnotationsPrefix,
    eventWebhook: config.eventWebhook,
    alerts: alertSettingsOf(config),
    settleMs: config.settle,
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
