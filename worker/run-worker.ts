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
import { connectKube, loadKubeConfig } from '../activities/kube.js';
import { revisionOf } from '../activities/revision.js';
import type { Deployment } from '../domain/objects.js';
import { taskQueueOf } from '../domain/release.js';
import { cacheCanaries, type CanaryObject } from './canary-cache.js';
import type { Config, TemporalConfig } from './config.js';
import { cacheDeployments } from './deployment-cache.js';
import { serveHealth } from './health.js';
import { listWatchOf } from './list-watch.js';
import { releasesOf } from './releases.js';
import { ensureSearchAttributes } from './search-attributes.js';
import { createTelemetry } from './telemetry.js';
import { connectTemporal } from './temporal.js';
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
export async function runWorker({
  config,
  temporal,
  version,
  log,
  stop,
}: WorkerProcess): Promise<void> {
  const bundle = bundleOf(config.workflowBundle, log);
  const registry = new Registry();
  const waiting = new Set(['canaries', 'deployments', 'Temporal']);
  const kubeConfig = loadKubeConfig();
  const kube = connectKube(kubeConfig);
  const scope = config.namespace === '' ? {} : { namespace: config.namespace };
  const deployments = cacheDeployments(
    listWatchOf<Deployment>(kubeConfig, kube, {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments' },
      ...scope,
    }),
    log,
  );
  const canaries = cacheCanaries(
    listWatchOf<CanaryObject>(kubeConfig, kube, {
      ...{ apiVersion: 'flagger.app/v1beta1', kind: 'Canary', plural: 'canaries' },
      ...scope,
    }),
    log,
  );
  const { meshProvider } = config;
  const telemetry = createTelemetry({ registry, canaries, version, meshProvider });
  canaries.onChange((_key, now, before) => {
    if (now === undefined && before !== undefined) void telemetry.forget(before);
  });
  const health = await serveHealth({
    port: config.port,
    registry,
    waitingFor: () => [...waiting],
  });
  log.info('started', { version, cluster: config.cluster, port: config.port });

  const work = async (connection: NativeConnection): Promise<void> => {
    const client = new Client({ connection, namespace: temporal.namespace });
    await ensureSearchAttributes(client, log);
    const deps: Deps = { kube, deployments, telemetry, settings: settingsOf(config) };
    const worker = await createWorker({ config, connection, client, deps, bundle: await bundle });
    await Promise.race([aborted(stop), deployments.untilSynced()]);
    waiting.delete('deployments');
    await Promise.race([aborted(stop), canaries.untilSynced()]);
    waiting.delete('canaries');
    if (stop.aborted) return;
    const watch = watchCanaries({
      cluster: config.cluster,
      canaries,
      deployments,
      releases: releasesOf(client, config.cluster),
      revisionOf,
      sent: (kind) => {
        telemetry.watchSent(kind);
      },
      log,
    });
    waiting.delete('Temporal');
    await worker.runUntil(async () => {
      await aborted(stop);
      waiting.add('shutdown');
      log.info('stopping');
      await watch.stop();
    });
  };

  try {
    const connection = await connectTemporal(temporal.connectionOptions, log, stop);
    if (connection === undefined) return;
    try {
      await work(connection);
    } finally {
      await connection.close();
    }
  } finally {
    canaries.stop();
    deployments.stop();
    health.close();
    health.closeAllConnections();
    log.info('stopped');
  }
}

interface WorkerParts {
  readonly config: Config;
  readonly connection: NativeConnection;
  readonly client: Client;
  readonly deps: Deps;
  readonly bundle: WorkflowBundleOption;
}

function createWorker({ config, connection, client, deps, bundle }: WorkerParts): Promise<Worker> {
  return Worker.create({
    connection,
    namespace: client.options.namespace,
    taskQueue: taskQueueOf(config.cluster),
    identity: `${process.pid}@${hostname()}`,
    workflowBundle: bundle,
    activities: createActivities(deps),
    maxConcurrentActivityTaskExecutions: config.maxActivities,
    maxCachedWorkflows: config.maxCachedWorkflows,
    // A cancelled activity learns of it from the answer to a heartbeat.
    maxHeartbeatThrottleInterval: '5 seconds',
    shutdownGraceTime: config.shutdownGrace,
    shutdownForceTime: config.shutdownGrace + forceAfterMs,
  });
}

/** Time cancelled activities get to end; with the grace it stays below the pod's 30 s. */
const forceAfterMs = 15_000;

async function bundleOf(path: string, log: Logger): Promise<WorkflowBundleOption> {
  if (path !== '') return { codePath: path };
  // Compiled code bundles compiled workflows, sources bundle sources.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const entry = new URL(`../workflows/index.${extension}`, import.meta.url);
  return bundleWorkflowCode({ workflowsPath: fileURLToPath(entry), logger: log });
}

function settingsOf(config: Config): Settings {
  return {
    defaults: { provider: config.meshProvider, minIntervalMs: config.minInterval },
    metricsServer: config.metricsServer,
    selectorLabels: config.selectorLabels,
    includeLabelPrefixes: config.includeLabelPrefix,
    ingressClass: config.ingressClass,
    settleMs: config.settle,
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
