import type { Activities } from '../../activities/contract.js';
import type { Deployment, KubeObject } from '../../domain/objects.js';
import type { CanaryRef, Role } from '../../domain/release.js';
import { brokenTag, openBench, until, type ActivityBench } from './activity-bench.js';

type Input<K extends keyof Activities> = Parameters<Activities[K]>[0];
type Result<K extends keyof Activities> = Awaited<ReturnType<Activities[K]>>;

/** A bench with canaries on it, brought where a test begins, and a look at what became of them. */
export interface CanaryRig extends ActivityBench {
  refTo(name: string): CanaryRef;
  createTarget(canary: CanaryRef, spec?: object, labels?: Record<string, string>): Promise<void>;
  createCanary(canary: CanaryRef, spec?: object): Promise<void>;
  /** A canary at rest, its target at zero. */
  initialised(name: string, targetSpec?: object): Promise<CanaryRef>;
  /** Brings a new image as far as half of the traffic; tells its revision. */
  released(canary: CanaryRef, image: string): Promise<string>;
  /** Runs an activity, and again: the second attempt must find everything done. */
  twice<K extends keyof Activities>(name: K, input: Input<K>): Promise<Result<K>>;
  ready(canary: CanaryRef, role: Role): Promise<void>;
  manifest(canary: CanaryRef): Promise<KubeObject>;
  deployment(name: string): Promise<Deployment>;
  service(name: string): Promise<KubeObject>;
  /** The weights of a proxy's first route, by service. */
  weights(name: string): Promise<Record<string, number>>;
}

/** Opens a bench with a rig on it. */
export async function openRig(name: string): Promise<CanaryRig> {
  const bench = await openBench(name);
  const { namespace, kube, attempt } = bench;
  const find = async <T extends KubeObject>(apiVersion: string, kind: string, of: string) =>
    (await kube.find<T>({ apiVersion, kind, namespace, name: of }))!;

  const rig: CanaryRig = {
    ...bench,
    refTo: (of) => ({ cluster: 'test', namespace, name: of }),
    manifest: (of) => find('flagger.app/v1beta1', 'Canary', of.name),
    deployment: (of) => find<Deployment>('apps/v1', 'Deployment', of),
    service: (of) => find('v1', 'Service', of),

    async weights(of) {
      const { spec } = await find<HttpProxy>('projectcontour.io/v1', 'HTTPProxy', of);
      const { services } = spec.routes[0]!;
      return Object.fromEntries(services.map((to) => [to.name, to.weight ?? 0]));
    },

    async createTarget(canary, spec = {}, labels = { app: canary.name }) {
      await kube.create(targetManifest(canary, spec, labels));
    },

    async createCanary(canary, spec = {}) {
      await kube.create(canaryManifest(canary, spec));
    },

    async initialised(of, targetSpec) {
      const canary = rig.refTo(of);
      await rig.createTarget(canary, targetSpec);
      await rig.createCanary(canary);
      const { revision } = await attempt('prepare', { canary, report: { key: '1' } });
      await rig.ready(canary, 'primary');
      const status = { phase: 'Initialized', lastPromotedSpec: revision } as const;
      await attempt('initialise', { canary, revision, report: { key: '2', status } });
      return canary;
    },

    async released(canary, image) {
      const { revision } = await attempt('setImages', { canary, images: { shop: image } });
      await attempt('scaleUp', { canary, report: { key: '3' } });
      if (!image.endsWith(brokenTag)) await rig.ready(canary, 'canary');
      const routes = { primary: 50, canary: 50 };
      await attempt('route', { canary, routes, cookies: {}, report: { key: '4' } });
      return revision;
    },

    async twice<K extends keyof Activities>(activity: K, input: Input<K>): Promise<Result<K>> {
      const result: Result<K> = await attempt(activity, input);
      await atRest(bench);
      const before = await bench.versions();
      expect(await attempt(activity, input)).toEqual(result);
      expect(await bench.versions()).toEqual(before);
      return result;
    },

    async ready(canary, role) {
      const result = await attempt('awaitPods', within(20_000, canary, role));
      expect(result).toEqual({ ready: true });
    },
  };
  return rig;
}

/** The input of a wait for pods that ends after some milliseconds. */
export function within(ms: number, canary: CanaryRef, role: Role): Input<'awaitPods'> {
  return { canary, role, deadline: Date.now() + ms };
}

interface HttpProxy extends KubeObject {
  readonly spec: {
    readonly routes: readonly {
      readonly services: readonly { readonly name: string; readonly weight?: number }[];
    }[];
  };
}

/** Waits until the cluster's own controllers have nothing left to write. */
async function atRest(bench: ActivityBench): Promise<void> {
  let before = '';
  let quiet = 0;
  await until(async () => {
    // For a moment after a kind was installed the API server may refuse to list its objects.
    const now = await bench.versions().then(JSON.stringify, String);
    quiet = now === before ? quiet + 1 : 0;
    before = now;
    return quiet >= 6;
  });
}

function targetManifest(
  { name, namespace }: CanaryRef,
  spec: object,
  labels: Record<string, string>,
): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          // Nobody schedules them, so no kubelet gets hold of them.
          schedulerName: 'nobody',
          terminationGracePeriodSeconds: 0,
          initContainers: [{ name: 'setup', image: 'setup:1' }],
          containers: [{ name: 'shop', image: 'shop:1', ports: [{ containerPort: 8080 }] }],
        },
      },
      ...spec,
    },
  };
}

function canaryManifest({ name, namespace }: CanaryRef, spec: object): KubeObject {
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name, namespace },
    spec: {
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      service: { port: 80, targetPort: 8080 },
      analysis: { interval: '10s', threshold: 2, stepWeight: 10, maxWeight: 30 },
      ...spec,
    },
  };
}
