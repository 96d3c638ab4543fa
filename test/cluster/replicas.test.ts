import { setTimeout as sleep } from 'node:timers/promises';

import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';

import type { Deps } from '../../activities/deps.js';
import type { Kube } from '../../activities/kube.js';
import { problemsOfReplicas } from '../../activities/replicas.js';
import { liveRoutes, repairRoutes, type Drift } from '../../activities/routing.js';
import type { Canary } from '../../domain/canary.js';
import type { Deployment, KubeObject, Service } from '../../domain/objects.js';
import { toCanary } from '../../domain/routes.js';
import { aCanary } from '../activities/a-canary.js';
import { openBench, type ActivityBench } from './activity-bench.js';

/** Pods as shares of the traffic, with the Deployment controller of a real cluster. */
let bench: ActivityBench;
let number = 0;

beforeAll(async () => {
  bench = await openBench('replicas');
});
afterAll(() => bench.close());

it('pods move weight by weight, and never are fewer available than were meant to be', async () => {
  const app = await open(5);
  const seen: unknown[] = [];
  for (const weight of [0, 20, 60, 100, 40, 0]) {
    const drift = await app.route(weight);
    seen.push([weight, drift, ...(await app.pods()), await app.reached()]);
    expect(await app.route(weight)).toBe('none');
    expect(await app.live(weight)).toEqual(toCanary(weight));
  }

  expect(seen).toEqual([
    [0, 'none', 5, 1, 'primary'],
    [20, 'weights', 4, 1, 'both'],
    [60, 'weights', 2, 3, 'both'],
    [100, 'weights', 0, 5, 'both'],
    [40, 'weights', 3, 2, 'both'],
    [0, 'weights', 5, 1, 'primary'],
  ]);
  expect(app.fewest()).toBe(5);
  expect((await app.deployment('primary')).metadata.annotations).not.toHaveProperty([
    'sluice.dev/replicas',
  ]);
}, 120_000);

it('what somebody scaled or selected otherwise is put back', async () => {
  const app = await open(4);
  await app.route(50);

  await app.scale('canary', 4);
  expect(await app.route(50)).toBe('weights');
  await app.scale('primary', 1);
  expect(await app.route(50)).toBe('weights');
  await bench.kube.patch(app.apex, { spec: { selector: { app: `${app.name}-primary` } } });
  expect(await app.route(50)).toBe('weights');

  expect(await app.pods()).toEqual([2, 2]);
  expect(await app.reached()).toBe('both');
  expect(await app.live(50)).toEqual(toCanary(50));
  // Two pods of four are 40% as well as 50%.
  expect(await app.live(30)).toEqual(toCanary(40));
}, 120_000);

it('a move that is cut off anywhere is taken up again', async () => {
  const app = await open(3);

  for (const writes of [0, 1, 1]) {
    await expect(app.route(50, failingAfter(writes))).rejects.toThrow('cut off');
    expect(await app.meant()).toBe(3);
  }
  await app.route(50);
  expect(await app.pods()).toEqual([1, 2]);
  for (const writes of [0, 1, 1]) {
    await expect(app.route(0, failingAfter(writes))).rejects.toThrow('cut off');
  }
  await app.route(0);

  expect(await app.pods()).toEqual([3, 1]);
  expect(app.fewest()).toBe(3);
}, 120_000);

it('one pod is enough', async () => {
  const app = await open(1);

  await app.route(10);
  expect(await app.pods()).toEqual([1, 1]);
  await app.route(0);

  expect(await app.pods()).toEqual([1, 1]);
  expect(await app.reached()).toBe('primary');
}, 60_000);

it('pods without a service move all the same', async () => {
  const app = await open(4, { port: 0 });

  expect(await app.route(50)).toBe('weights');
  expect(await app.pods()).toEqual([2, 2]);
  expect(await app.problems()).toEqual([]);
}, 60_000);

it('a target with one label only is refused, and nothing of its primary is taken away', async () => {
  const app = await open(2, { labels: {} });
  const needed = `deployment ${app.name}.${bench.namespace} spec.selector.matchLabels has app only: to send service ${app.name} to the pods of primary and canary it needs a second label, which no other pods have`;

  expect(await app.problems()).toEqual([needed]);
  await expect(app.route(50)).rejects.toMatchObject({ type: 'InvalidSpec', message: needed });
  expect(await app.route(0)).toBe('none');
  expect(await app.pods()).toEqual([2, 1]);
  expect(await app.reached()).toBe('primary');
}, 60_000);

it('a label that other pods have too is refused, lest they get requests', async () => {
  const app = await open(2);
  const labels = { app: 'database', part: app.name };
  await bench.kube.create<KubeObject>({
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: { name: `database-${app.name}`, namespace: bench.namespace, labels },
    spec: { schedulerName: 'nobody', containers: [{ name: 'db', image: 'db:1' }] },
  });

  await expect(app.route(50)).rejects.toThrow(
    `service ${app.name}.${bench.namespace} cannot select the pods of primary and canary by part=${app.name}: pod database-${app.name} has these labels too`,
  );
  expect(await app.reached()).toBe('primary');
}, 60_000);

interface App {
  readonly name: string;
  readonly apex: Parameters<Kube['find']>[0];
  route(weight: number, kube?: Kube): Promise<Drift>;
  /** What the pods stand for, when the status shows so much. */
  live(weight: number): Promise<unknown>;
  problems(): Promise<string[]>;
  /** Replicas of primary and canary. */
  pods(): Promise<(number | undefined)[]>;
  /** How many pods the primary is meant to have. */
  meant(): Promise<number>;
  /** Whose pods the apex service selects. */
  reached(): Promise<'primary' | 'both'>;
  scale(role: 'primary' | 'canary', replicas: number): Promise<void>;
  deployment(role: 'primary' | 'canary'): Promise<Deployment>;
  /** The fewest available pods that any write would have left. */
  fewest(): number;
}

/** A primary with so many pods, a canary with one, and the apex service. */
async function open(
  replicas: number,
  { port = 80, labels }: { port?: number; labels?: Record<string, string> } = {},
): Promise<App> {
  number += 1;
  const name = `app-${String(number)}`;
  const { namespace, kube, deps } = bench;
  const more = labels ?? { part: name };
  const parsed = aCanary({ spec: { targetRef: targetRef(name) }, service: { name } });
  const canary: Canary = {
    ...parsed,
    namespace,
    provider: 'kubernetes',
    service: { ...parsed.service, port },
    analysis: {
      ...parsed.analysis,
      strategy: { kind: 'replicas', weights: [20, 40, 50, 60, 100] },
    },
  };
  const names = { primary: `${name}-primary`, canary: name };
  await kube.create(workload(names.canary, { app: name, ...more }, 1));
  await kube.create(workload(names.primary, { app: names.primary, ...more }, replicas));
  const apex = { apiVersion: 'v1', kind: 'Service', namespace, name };
  await kube.create<KubeObject>({
    ...{ apiVersion: 'v1', kind: 'Service' },
    metadata: { name, namespace },
    spec: { selector: { app: names.primary }, ports: [{ port: 80 }] },
  });
  const find = async (role: 'primary' | 'canary'): Promise<Deployment> =>
    (await kube.find<Deployment>({
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', namespace },
      name: names[role],
    }))!;
  const left: number[] = [];
  const inEnvironment = <T>(work: (deps: Deps) => Promise<T>, on: Kube = kube): Promise<T> => {
    const watched = onShrinking(on, async (shrunk, to) => {
      const other = shrunk === names.primary ? 'canary' : 'primary';
      left.push(to + ((await find(other)).status?.availableReplicas ?? 0));
    });
    const logger = new DefaultLogger('ERROR');
    return new MockActivityEnvironment({}, { logger }).run(() => work({ ...deps, kube: watched }));
  };
  const app: App = {
    ...{ name, apex },
    route: (weight, on) =>
      inEnvironment(
        async (using) =>
          (await repairRoutes(using, canary, { routes: toCanary(weight), cookies: {} })).drift,
        on,
      ),
    live: (canaryWeight) =>
      inEnvironment((using) => liveRoutes(using, { ...canary, status: { canaryWeight } })),
    problems: () => problemsOfReplicas(deps, canary),
    async pods() {
      return [(await find('primary')).spec.replicas, (await find('canary')).spec.replicas];
    },
    async meant() {
      const { metadata, spec } = await find('primary');
      return Number(metadata.annotations?.['sluice.dev/replicas'] ?? spec.replicas);
    },
    async reached() {
      const { selector } = (await kube.find<Service>(apex))!.spec;
      if (selector?.['app'] === names.primary) return 'primary';
      expect(selector).toEqual(more);
      return 'both';
    },
    async scale(role, to) {
      const { metadata } = await find(role);
      await kube.patch(
        { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: metadata.name },
        { spec: { replicas: to } },
      );
    },
    deployment: find,
    fewest: () => Math.min(...left),
  };
  await settled(app);
  return app;
}

async function settled(app: App): Promise<void> {
  for (const role of ['primary', 'canary'] as const) {
    for (;;) {
      const { spec, status } = await app.deployment(role);
      if (status?.availableReplicas === spec.replicas) break;
      await sleep(50);
    }
  }
}

function targetRef(name: string): object {
  return { apiVersion: 'apps/v1', kind: 'Deployment', name };
}

function workload(name: string, labels: Record<string, string>, replicas: number): KubeObject {
  return {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment' },
    metadata: { name, namespace: bench.namespace },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          schedulerName: 'nobody',
          terminationGracePeriodSeconds: 0,
          containers: [{ name: 'web', image: 'web:1' }],
        },
      },
    },
  };
}

/** The cluster, with a look at each write that takes pods away from a Deployment. */
function onShrinking(kube: Kube, shrinks: (name: string, to: number) => Promise<void>): Kube {
  return {
    ...kube,
    async replace<T extends KubeObject>(object: T) {
      if (object.kind === 'Deployment') {
        const { metadata, spec } = object as unknown as Deployment;
        const live = await bench.kube.find<Deployment>({
          ...{ apiVersion: 'apps/v1', kind: 'Deployment' },
          ...{ namespace: bench.namespace, name: metadata.name },
        });
        const to = spec.replicas ?? 1;
        if (to < (live?.spec.replicas ?? 1)) await shrinks(metadata.name, to);
      }
      return await kube.replace(object);
    },
  };
}

/** The cluster, which takes so many writes and no more. */
function failingAfter(writes: number): Kube {
  let left = writes;
  return {
    ...bench.kube,
    replace: async <T extends KubeObject>(object: T) => {
      if (left === 0) throw new Error('cut off');
      left -= 1;
      return await bench.kube.replace(object);
    },
  };
}
