/**
 * The rig of the conformance suite: the real worker (watch, release workflow, activities) in this
 * process, on a real API server, a real Temporal and pods that are processes.
 *
 *     let rig: Rig;
 *     beforeAll(async () => { rig = await openRig('traces'); });
 *     afterAll(() => rig.close());
 *
 *     it.concurrent(same('S1', 'step 20 max 50 gives 20, 40, 60, then promotes'), async () => {
 *       const app = await rig.open('s1', { analysis: { stepWeight: 20, maxWeight: 50 } });
 *       await app.untilPhase('Initialized');
 *       await app.setImage('2');
 *       await app.untilPhase('Succeeded');
 *       expect(await app.releaseTimeline()).toEqual([...]);
 *     });
 *
 * A file has one rig, with a namespace and a worker of its own; a test has an app of its own in it,
 * so tests can run at the same time (`it.concurrent`). `openRig` takes flags of the worker for a
 * file that is about settings. Webhooks are scripted per app (`hooks`, `app.answer`, `app.calls`);
 * writes of the worker are made to fail with `rig.freeze`.
 */
import { Client, Connection } from '@temporalio/client';

import { connectKube, type Kube } from '../../activities/kube.js';
import { sluiceOf, type Sluice } from '../../api/client.js';
import { loadTemporalConfig, parseConfig } from '../../worker/config.js';
import { jsonLogger } from '../../worker/log.js';
import { runWorker } from '../../worker/run-worker.js';
import { startHookServer } from '../activities/hook-server.js';
import { startMetricsServer, type MetricsServer } from '../providers/prometheus-server.js';
import { quietRuntime } from '../workflows/rig.js';
import { appOf, pathOf, type App } from './app.js';
import { freeze, type FreezableKind } from './freezing.js';
import { recordHistory } from './history.js';
import { canaryOf, gatewayOf, targetOf, type AppOptions } from './manifests.js';

export type { App } from './app.js';
export type { AppHook, AppOptions } from './manifests.js';
export { imageOf } from './manifests.js';
export { differs, same } from './verdicts.js';

/** A namespace with a worker that looks after it, and what tests need beside. */
export interface Rig {
  readonly namespace: string;
  readonly kube: Kube;
  /** People's orders. */
  readonly sluice: Sluice;
  /** The Prometheus of built-in and inline queries; answers every query of all apps alike. */
  readonly metrics: MetricsServer;
  /** Creates a target and its Canary; the name is the test's own. */
  open(name: string, options?: AppOptions): Promise<App>;
  /** Makes the API server refuse every update of an object until the function it gives is called. */
  freeze(kind: FreezableKind, name: string): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

let isQuiet = false;

/** Opens a namespace and starts a worker for it. */
export async function openRig(name: string, ...flags: readonly string[]): Promise<Rig> {
  // The runtime is shared by all workers of a file, and is set up once.
  if (!isQuiet) quietRuntime();
  isQuiet = true;
  const kube = connectKube();
  const namespace = `${name}-${process.pid}`;
  await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await kube.create(gatewayOf(namespace));
  const hooks = await startHookServer();
  const metrics = await startMetricsServer();
  const history = await recordHistory(kube, namespace);

  const config = parseConfig(
    [
      ...[
        `--cluster=${namespace}`,
        `--namespace=${namespace}`,
        `--metrics-server=${metrics.address}`,
      ],
      ...['--min-interval=1s', '--settle=0s', '--port=0', '--log-level=error', ...flags],
    ],
    {},
  );
  const temporalConfig = loadTemporalConfig(process.env);
  const connection = await Connection.connect(temporalConfig.connectionOptions);
  const temporal = new Client({ connection, namespace: temporalConfig.namespace });
  const stopping = new AbortController();
  let failure: unknown;
  const worker = runWorker({
    config,
    temporal: temporalConfig,
    version: 'test',
    log: jsonLogger('error'),
    stop: stopping.signal,
  }).catch((error: unknown) => {
    failure = error;
  });
  const checkWorker = (): void => {
    if (failure !== undefined) throw new Error('the worker failed', { cause: failure });
  };

  return {
    ...{ namespace, kube, metrics },
    sluice: sluiceOf(temporal, namespace),
    async open(app, options = {}) {
      const canary = { cluster: namespace, namespace, name: app };
      const { hooks: scripted = [], beside = [], kind = 'Deployment' } = options;
      for (const { name: hook, answers = [] } of scripted) {
        hooks.answerAt(pathOf(app, hook), ...answers);
      }
      const urlOf = (hook: string): string => `${hooks.url}${pathOf(app, hook)}`;
      for (const object of beside) {
        await kube.create({ ...object, metadata: { ...object.metadata, namespace } });
      }
      await kube.create(targetOf(namespace, app, options));
      await kube.create(canaryOf(namespace, app, { ...options, urlOf }));
      return appOf({ kube, temporal, history, hooks, checkWorker }, canary, kind);
    },
    freeze: (kind, of) => freeze(kube, kind, { namespace, name: of }),
    async close() {
      stopping.abort();
      await worker;
      history.stop();
      await connection.close();
      await Promise.all([hooks.stop(), metrics.stop()]);
      await kube.remove({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: namespace });
      checkWorker();
    },
  };
}
