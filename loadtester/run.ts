import { once } from 'node:events';
import type { Server } from 'node:http';

import type { Logger } from '@temporalio/common';
import { Registry } from 'prom-client';

import { loadKubeConfig } from '../activities/kube.js';
import { connectCluster, type Cluster } from './cluster.js';
import type { Config, GatesPlace } from './config.js';
import { gatesInConfigMap } from './gates/config-map.js';
import { gatesInFolder } from './gates/folder.js';
import type { Gates } from './gates/gates.js';
import { gatesInMemory } from './gates/memory.js';
import { within } from './limits.js';
import { pathsOf } from './paths.js';
import { createRunner } from './runner.js';
import { serve } from './server.js';
import { createTelemetry } from './telemetry.js';

export interface LoadTesterProcess {
  readonly config: Config;
  readonly version: string;
  readonly log: Logger;
  /** Ends the process in order: nothing new is taken, and who waits for an answer gets it. */
  readonly stop: AbortSignal;
  /** Ends the waiting too. */
  readonly hurry: AbortSignal;
}

/** How long tasks may take to end: processes are killed, but an API server may be slow to answer. */
const endingMs = 5_000;
/** How long the answers of tasks that were ended may take to be sent. */
const lastAnswersMs = 1_000;

/** Runs the load tester until `stop`; its tasks end with it. Rejects when it can never work. */
export async function runLoadTester(options: LoadTesterProcess): Promise<void> {
  const { config, version, log, stop, hurry } = options;
  const { timeoutMs, serves } = config;
  const registry = new Registry();
  const runner = createRunner({ telemetry: createTelemetry(registry), log, timeoutMs });
  const cluster = whenNeeded(openCluster);
  const around = { timeoutMs, cluster };
  const gates = await openGates(config.gates, cluster);
  const paths = pathsOf({ gates, runner, registry, around, serves });
  const server = await serve(config.port, paths, log);
  log.info('started', { version, port: portOf(server), gates: config.gates.kind });
  if (!stop.aborted) await once(stop, 'abort');

  log.info('stopping');
  const closed = once(server, 'close');
  server.close();
  await unlessLate(config.shutdownGraceMs, hurry, closed);
  await unlessLate(endingMs, hurry, runner.stop());
  await unlessLate(lastAnswersMs, hurry, closed);
  server.closeAllConnections();
  log.info('stopped');
}

/** Resolves with `what`, or when it has taken too long. */
async function unlessLate(ms: number, hurry: AbortSignal, what: Promise<unknown>): Promise<void> {
  await within(ms, hurry, (signal) =>
    Promise.race([what, signal.aborted || once(signal, 'abort')]),
  );
}

function portOf(server: Server): number | undefined {
  const address = server.address();
  return typeof address === 'object' ? address?.port : undefined;
}

async function openGates(place: GatesPlace, cluster: () => Cluster): Promise<Gates> {
  switch (place.kind) {
    case 'memory':
      return gatesInMemory();
    case 'folder':
      return gatesInFolder(place.path);
    case 'configmap': {
      const { kube, namespace } = cluster();
      return gatesInConfigMap(kube, {
        namespace: place.namespace ?? namespace,
        name: place.name,
      });
    }
  }
}

/** What the client library takes when there is neither a kubeconfig nor a pod's ServiceAccount. */
const noCluster = 'http://localhost:8080';

function openCluster(): Cluster {
  const config = loadKubeConfig();
  if (config.getCurrentCluster()?.server !== noCluster) return connectCluster(config);
  throw new Error(
    'no cluster is configured (KUBECONFIG, or the ServiceAccount of a pod): outside of one, use --gates folder:PATH or --gates memory',
  );
}

function whenNeeded<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
