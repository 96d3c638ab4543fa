import { refOf } from '../../activities/kube.js';
import { routersOf } from '../../activities/routers/index.js';
import type { Router } from '../../activities/routers/router.js';
import type { Deps } from '../../activities/deps.js';
import type { Canary } from '../../domain/canary.js';
import type { KubeObject } from '../../domain/objects.js';
import { aManifest, type CanaryParts } from '../activities/a-canary.js';
import { openBench, type ActivityBench } from '../cluster/activity-bench.js';
import { canaryFrom, manifests, subjects, type Routed } from './cases.js';
import { define } from './definitions.js';

/** A namespace in a real API server that knows the kinds of all routers, and nobody who serves them. */
export interface Rig {
  readonly kube: ActivityBench['kube'];
  readonly deps: Deps;
  /** Prepares the namespace for a manifest: gives its Canary, and what is there before it comes. */
  settle(provider: Routed, parts: CanaryParts): Promise<Settled>;
  close(): Promise<void>;
}

/** A Canary about to be released. */
export interface Settled {
  readonly canary: Canary;
  readonly router: Router;
  /** The objects the router knows of, as they are now. */
  live(): Promise<readonly KubeObject[]>;
  /** Makes the namespace as it was: without what the router wrote, and with all else. */
  reset(): Promise<void>;
}

/** Opens the namespace. */
export async function openRig(name: string): Promise<Rig> {
  const bench = await openBench(name);
  const { kube, namespace } = bench;
  // A class that no controller of the cluster serves.
  const settings = { ...bench.deps.settings, ingressClass: 'nobody' };
  const routers = routersOf(settings);
  const routerOf = (provider: Routed): Router => routers[provider]!;
  await define(
    kube,
    manifests.flatMap(([, provider, parts]) =>
      routerOf(provider)
        .reads(canaryFrom(provider, parts))
        .map(({ apiVersion, kind }) => ({ apiVersion, kind })),
    ),
  );
  // What no living object owns is collected as garbage.
  const owner = await kube.create<KubeObject>({
    ...aManifest(),
    metadata: { name: 'podinfo', namespace },
  });
  let clear = (): Promise<void> => Promise.resolve();
  return {
    kube,
    deps: { ...bench.deps, settings },

    async settle(provider, parts) {
      await clear();
      const parsed = canaryFrom(provider, parts);
      const { upstreamRef, service } = parsed;
      const canary: Canary = {
        ...parsed,
        namespace,
        uid: owner.metadata.uid!,
        accessLog: true,
        // What has no namespace is told apart from that of other tests by its name.
        ...(provider === 'kuma' ? { service: { ...service, name: namespace } } : {}),
        ...(upstreamRef === undefined ? {} : { upstreamRef: { ...upstreamRef, namespace } }),
      };
      const router = routerOf(provider);
      const seeds = (subjects[provider].seeds ?? []).map((seed) => ({
        ...seed,
        metadata: { ...seed.metadata, namespace },
      }));
      const settled: Settled = {
        canary,
        router,
        live: async () =>
          (await Promise.all(router.reads(canary).map((ref) => kube.find(ref)))).filter(
            (object) => object !== undefined,
          ),
        async reset() {
          await clear();
          for (const seed of seeds) await kube.create(seed);
        },
      };
      clear = async () => {
        const refs = [...router.reads(canary), ...seeds.map(refOf)];
        for (const ref of refs) await kube.remove(ref);
      };
      await settled.reset();
      return settled;
    },

    async close() {
      await clear();
      await bench.close();
    },
  };
}
