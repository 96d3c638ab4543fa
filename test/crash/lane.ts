import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Client } from '@temporalio/client';

import type { Kube } from '../../activities/kube.js';
import type { HookServer } from '../activities/hook-server.js';
import { appOf, pathOf, type App } from '../conformance/app.js';
import { recordHistory } from '../conformance/history.js';
import { canaryOf, targetOf } from '../conformance/manifests.js';
import { refusePrimaryPods } from '../conformance/pods.js';
import { kubeconfigOf, startApiProxy } from './api-proxy.js';
import { hookCallOf, writeOf } from './effects.js';
import { outcomeOf, untilTold, type Outcome } from './outcome.js';
import { startProxy, type Forward } from './proxy.js';
import { initialisedAlert, options, type Scenario } from './scenarios.js';
import { trapOf, type Aim } from './trap.js';
import { startWorkerProcess, type WorkerProcess } from './worker-process.js';

/** What all lanes share. */
export interface Ground {
  readonly kube: Kube;
  readonly temporal: Client;
  readonly hooks: HookServer;
  /** The folder of the bundled programs. */
  readonly programs: string;
}

/** What became of an app from the change to its end. */
export interface Release {
  /** The side effects the worker made, in order. */
  readonly effects: readonly string[];
  readonly outcome: Outcome;
}

/**
 * A cluster of its own, as far as the worker knows: a namespace, a worker process and the proxies
 * through which it reaches the API server and the webhooks. Releases in it are made one by one.
 */
export interface Lane {
  /** Releases an app of its own. With an aim the worker dies of that, and another takes over. */
  release(scenario: Scenario, aim?: Aim): Promise<Release>;
  close(): Promise<void>;
}

/** Opens a lane with a worker; its number tells it from the others. */
export async function openLane(ground: Ground, number: number): Promise<Lane> {
  const { kube, temporal, hooks, programs } = ground;
  const namespace = `crash-${process.pid}-${number}`;
  await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const history = await recordHistory(kube, namespace);
  const trap = trapOf(() => worker.kill());
  const api = await startApiProxy(trap.around(writeOf, (status) => status < 300));
  const web = await startProxy(
    toServer(hooks.url),
    trap.around(hookCallOf, () => true),
  );
  const folder = await mkdtemp(join(tmpdir(), 'sluice-crash-'));
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, kubeconfigOf(api));
  const start = (): WorkerProcess => startWorkerProcess({ programs, name: namespace, kubeconfig });

  let worker = start();
  const undo: (() => Promise<void>)[] = [];
  let opened = 0;
  let prepared: Promise<App> | undefined;

  const checkWorker = (): void => {
    if (worker.failure === undefined) return;
    throw new Error(`the worker ended by itself: ${worker.failure}`);
  };

  function newApp(): App {
    opened += 1;
    const canary = { cluster: namespace, namespace, name: `web-${number}-${opened}` };
    const seen: HookServer = Object.assign(Object.create(hooks) as HookServer, { url: web.url });
    return appOf({ kube, temporal, history, hooks: seen, checkWorker }, canary, 'Deployment');
  }

  /** Creates what there is of an app before it is initialised. */
  async function create({ canary: { name } }: App, spec: object = {}): Promise<void> {
    const urlOf = (hook: string): string => `${web.url}${pathOf(name, hook)}`;
    await kube.create(targetOf(namespace, name, options));
    await kube.create({
      ...{
        apiVersion: 'flagger.app/v1beta1',
        kind: 'AlertProvider',
        metadata: { name, namespace },
      },
      spec: { type: 'webhook', address: urlOf('chat') },
    });
    const alerts = [{ name: 'chat', severity: 'info', providerRef: { name } }];
    const analysis = { ...options.analysis, alerts };
    await kube.create(canaryOf(namespace, name, { ...options, spec, analysis, urlOf }));
  }

  /** An app that the worker of the moment has initialised. */
  async function prepare(spec: object = {}): Promise<App> {
    const app = newApp();
    await create(app, spec);
    // What is delivered of this is no side effect of the release.
    await app.until('the end of the initialisation', () => isInitialised(app), limitMs);
    await untilTold(app, initialisedAlert, limitMs);
    return app;
  }

  /** One whose primary the API server refuses the next image; the release finds out soon. */
  async function prepareRefused(): Promise<App> {
    const app = await prepare({ progressDeadlineSeconds: 15 });
    undo.push(await refusePrimaryPods(kube, { namespace, name: app.canary.name, tag: '2' }));
    return app;
  }

  async function nextApp(): Promise<App> {
    const next = prepared ?? prepare();
    prepared = undefined;
    return next;
  }

  async function appFor(change: Scenario['change'], isRefused = false): Promise<App> {
    if (change === 'app') return newApp();
    return isRefused ? prepareRefused() : nextApp();
  }

  async function survive(app: App): Promise<void> {
    await app.until('the end of the worker', () => Promise.resolve(trap.struck), limitMs);
    await worker.gone;
    worker = start();
    // The next release need not wait for its app: this one has long waits ahead.
    prepared ??= prepare();
    prepared.catch(() => undefined);
  }

  return {
    async release({ change, isRefusedByPrimary, answers, phase, lastAlert }, aim) {
      if (!worker.alive) worker = start();
      const app = await appFor(change, isRefusedByPrimary);
      for (const [hook, answer] of Object.entries(answers)) app.answer(hook, answer);
      trap.set(app.canary.name, aim);
      await (change === 'app' ? create(app) : app.setImage('2'));
      if (aim !== undefined) await survive(app);
      await app.untilPhase(phase, limitMs);
      const timeline = change === 'app' ? app.timeline : app.releaseTimeline;
      const outcome = await outcomeOf(app, { lastAlert, timeline, limitMs });
      return { effects: trap.effects, outcome };
    },
    async close() {
      worker.kill();
      await worker.gone;
      history.stop();
      await Promise.all(undo.map((remove) => remove()));
      await Promise.all([api.stop(), web.stop()]);
      await rm(folder, { recursive: true });
      await kube.remove({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: namespace });
    },
  };
}

/** The event comes after the status, and is the last thing of all. */
async function isInitialised(app: App): Promise<boolean> {
  return (await app.events()).some((event) => event.startsWith('Normal Initialization done!'));
}

/** How long a machine with other things to do may take for a part of a release, in milliseconds. */
const limitMs = 240_000;

function toServer(url: string): Forward {
  const { hostname, port } = new URL(url);
  // A kept connection may be closed at the very moment it is used again.
  return (request, answered) => httpRequest({ ...request, hostname, port, agent: false }, answered);
}
