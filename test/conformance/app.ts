import type { Client } from '@temporalio/client';

import type { Kube } from '../../activities/kube.js';
import type { CanaryStatus, Phase } from '../../domain/canary.js';
import type { Deployment, KubeObject, PodWorkload } from '../../domain/objects.js';
import { releaseId, type CanaryRef } from '../../domain/release.js';
import type { HookReply, HookRequest, HookServer } from '../activities/hook-server.js';
import { until } from '../e2e/until.js';
import {
  changesOf,
  routesText,
  statusText,
  versionOf,
  type Happening,
  type History,
} from './history.js';
import { imageOf } from './manifests.js';

/**
 * A target under a Canary of the same name, and what became of them. In all texts the namespace
 * reads `test` and the address of the webhooks `http://hooks`.
 */
export interface App {
  readonly canary: CanaryRef;
  /** Changes the target as `kubectl set image` does; see `imageOf` for tags. */
  setImage(tag: string): Promise<void>;
  /** Merge-patches the target, or the `spec` of the Canary. */
  patchTarget(change: object): Promise<void>;
  patchCanary(spec: object): Promise<void>;
  /**
   * Resolves when the phase has been entered since the last call, however short it was; for a phase
   * at rest, also when the run that brought it has ended.
   */
  untilPhase(phase: Phase, limitMs?: number): Promise<void>;
  /** Resolves with the first answer that is not undefined or false. */
  until<T>(what: string, ask: () => Promise<T | undefined | false>, limitMs?: number): Promise<T>;
  untilStatus(what: string, is: (status: CanaryStatus) => boolean): Promise<CanaryStatus>;
  status(): Promise<CanaryStatus>;
  /** An object of the namespace. */
  find<T extends KubeObject>(
    apiVersion: string,
    kind: string,
    name: string,
  ): Promise<T | undefined>;
  /** One of the workloads, which has to be there. */
  workload<T extends PodWorkload = Deployment>(role: 'target' | 'primary'): Promise<T>;
  /** The events on the Canary as `TYPE message`, in the order they were written. */
  events(): Promise<string[]>;
  /**
   * Events (`TYPE message`), changes of the status (see `statusText`) and of the routes
   * (`routes 90/10`) in the order the API server stored them. Left out is what depends on how fast
   * pods start: the Warning that some are waited for.
   */
  timeline(): Promise<string[]>;
  /** The part of the timeline behind the initialisation. */
  releaseTimeline(): Promise<string[]>;
  /** What a webhook answers from now on: one after the other, the last for good. */
  answer(hook: string, ...answers: readonly HookReply[]): void;
  /** The calls of a webhook so far. */
  calls(hook: string): readonly HookRequest[];
  /** How many calls each webhook has had; those without any are left out. */
  callCounts(): Readonly<Record<string, number>>;
  /** Phase and text of what the webhook of type `event` was told, once it knows all events. */
  told(hook: string): Promise<(readonly [phase: Phase, text: string])[]>;
}

export interface AppAccess {
  readonly kube: Kube;
  readonly temporal: Client;
  readonly history: History;
  readonly hooks: HookServer;
  /** Throws what ended the worker, should it have ended. */
  readonly checkWorker: () => void;
}

/** What a test can do with an app and see of it. */
export function appOf(
  { kube, temporal, history, hooks, checkWorker }: AppAccess,
  canary: CanaryRef,
  kind: 'Deployment' | 'DaemonSet',
): App {
  const { namespace, name } = canary;
  const targetRef = { apiVersion: 'apps/v1', kind, namespace, name };
  const canaryRef = { apiVersion: 'flagger.app/v1beta1', kind: 'Canary', namespace, name };
  let enteredBefore = 0;

  async function waitFor<T>(
    what: string,
    ask: () => Promise<T | undefined | false>,
    limitMs?: number,
  ): Promise<T> {
    try {
      return await until(
        `${name}: ${what}`,
        () => {
          checkWorker();
          return ask();
        },
        limitMs,
      );
    } catch (error) {
      const seen = (await happenings().catch(() => [])).map(({ text }) => `\n  ${text}`);
      throw new Error(`${String(error)}; until then:${seen.join('')}`, { cause: error });
    }
  }

  /** Phases as they were entered. */
  function entered(): readonly (Happening & { readonly phase: Phase })[] {
    return changesOf(history.of('Canary', name), (object) => statusOf(object).phase ?? '').map(
      (change) => ({ ...change, phase: change.text as Phase }),
    );
  }

  async function isRunning(): Promise<boolean> {
    const { status } = await temporal.workflow.getHandle(releaseId(canary)).describe();
    return status.name === 'RUNNING';
  }

  /** What the API server has now is in the history. */
  async function untilRecorded(kind: 'Canary' | 'HTTPProxy' | 'HTTPRoute'): Promise<void> {
    const apiVersion = apiVersions[kind];
    const now = await kube.find({ apiVersion, kind, namespace, name });
    if (now === undefined) return;
    await until(`the history of ${kind} ${name}`, () => {
      const last = history.of(kind, name).at(-1);
      return Promise.resolve(last !== undefined && versionOf(last) >= versionOf(now));
    });
  }

  async function eventHappenings(): Promise<Happening[]> {
    const events = await kube.list<Event>({ apiVersion: 'v1', kind: 'Event', namespace });
    return events
      .filter(({ involvedObject: of }) => of.kind === 'Canary' && of.name === name)
      .map((event) => ({
        version: versionOf(event),
        text: plain(`${event.type} ${event.message}`),
      }))
      .sort(byVersion);
  }

  async function happenings(): Promise<Happening[]> {
    const routes = ['HTTPProxy', 'HTTPRoute'] as const;
    await Promise.all(['Canary' as const, ...routes].map(untilRecorded));
    return [
      ...(await eventHappenings()),
      ...changesOf(history.of('Canary', name), (object) => statusText(statusOf(object))),
      ...routes.flatMap((kind) => changesOf(history.of(kind, name), routesText)),
    ].sort(byVersion);
  }

  function plain(text: string): string {
    return text.replaceAll(`.${namespace}`, '.test').replaceAll(hooks.url, 'http://hooks');
  }

  const app: App = {
    canary,
    async setImage(tag) {
      const containers = [{ name: 'app', image: imageOf(tag) }];
      await app.patchTarget({ spec: { template: { spec: { containers } } } });
    },
    async patchTarget(change) {
      await kube.patch(targetRef, change);
    },
    async patchCanary(spec) {
      await kube.patch(canaryRef, { spec });
    },
    async untilPhase(phase, limitMs) {
      enteredBefore = await waitFor(
        `phase ${phase}`,
        () => {
          const news = entered().filter(({ version }) => version > enteredBefore);
          return Promise.resolve(news.find((change) => change.phase === phase)?.version);
        },
        limitMs,
      );
      if (atRest.has(phase)) {
        await waitFor(`the end of the run behind ${phase}`, async () => !(await isRunning()));
      }
    },
    until: waitFor,
    untilStatus: (what, is) =>
      waitFor(what, async () => {
        const status = await app.status();
        return is(status) && status;
      }),
    status: async () => statusOf((await kube.find(canaryRef)) ?? missing(`Canary ${name}`)),
    find: <T extends KubeObject>(apiVersion: string, kind: string, of: string) =>
      kube.find<T>({ apiVersion, kind, namespace, name: of }),
    async workload<T extends PodWorkload>(role: 'target' | 'primary') {
      const of = role === 'target' ? name : `${name}-primary`;
      return (await app.find<T>('apps/v1', kind, of)) ?? missing(`${kind} ${of}`);
    },
    events: async () => (await eventHappenings()).map(({ text }) => text),
    async timeline() {
      const all = (await happenings()).map(({ text }) => text);
      return all.filter((text) => !text.includes('not ready: waiting for rollout to finish'));
    },
    async releaseTimeline() {
      const all = await app.timeline();
      return all.slice(all.findIndex((text) => text.includes('Initialization done!')) + 1);
    },
    answer: (hook, ...answers) => {
      hooks.answerAt(pathOf(name, hook), ...answers);
    },
    calls: (hook) => hooks.requests.filter(({ path }) => path === pathOf(name, hook)),
    callCounts() {
      const own = hooks.paths.filter((path) => path.startsWith(pathOf(name, '')));
      const counts: Record<string, number> = {};
      for (const hook of own.map((path) => path.slice(pathOf(name, '').length))) {
        counts[hook] = (counts[hook] ?? 0) + 1;
      }
      return counts;
    },
    async told(hook) {
      const { length } = await app.events();
      await waitFor(`${length} events told`, () =>
        Promise.resolve(app.calls(hook).length >= length),
      );
      return app.calls(hook).map(({ body: { phase, metadata = {} } }) => {
        const { eventType = '', eventMessage = '' } = metadata;
        return [phase, plain(`${eventType} ${eventMessage}`)] as const;
      });
    },
  };
  return app;
}

/** Where a webhook of an app is on the server of the rig. */
export function pathOf(app: string, hook: string): string {
  return `/${app}/${hook}`;
}

interface Event extends KubeObject {
  readonly involvedObject: { readonly kind: string; readonly name: string };
  readonly type: string;
  readonly message: string;
}

const apiVersions = {
  Canary: 'flagger.app/v1beta1',
  HTTPProxy: 'projectcontour.io/v1',
  HTTPRoute: 'gateway.networking.k8s.io/v1',
} as const;

const atRest: ReadonlySet<Phase> = new Set(['Initialized', 'Succeeded', 'Failed']);

function statusOf({ status }: KubeObject): CanaryStatus {
  return status ?? {};
}

function byVersion(a: Happening, b: Happening): number {
  return a.version - b.version;
}

function missing(what: string): never {
  throw new Error(`there is no ${what}`);
}
