import type { Client } from '@temporalio/client';

import type { Kube } from '../../activities/kube.js';
import { SluiceError, type Ending, type Sluice } from '../../api/client.js';
import type { CanaryStatus } from '../../domain/canary.js';
import type { Deployment, KubeObject } from '../../domain/objects.js';
import { releaseId, type CanaryRef, type ReleaseState } from '../../domain/release.js';
import type { Routes } from '../../domain/routes.js';
import { frontsOf } from './fronts.js';
import { canaryOf, deploymentOf, isGateway, type AppOptions } from './manifests.js';
import { until } from './until.js';

export type { AppOptions } from './manifests.js';

/** A demo app `web` under a Canary `web`, with what tests do to it and look at. */
export interface App {
  readonly canary: CanaryRef;
  /** The virtual host that Envoy serves it under. */
  readonly host: string;
  /** Resolves when the Canary has a primary; its pods are ready then. */
  initialised(): Promise<void>;
  /** Changes the target as `kubectl set image` (and `set env`) does. */
  setImage(tag: string, env?: Readonly<Record<string, string>>): Promise<void>;
  patchCanary(spec: object): Promise<void>;
  /** Resolves with the first state of the newest run for which this is true. */
  untilState(
    what: string,
    is: (state: ReleaseState) => boolean,
    limitMs?: number,
  ): Promise<ReleaseState>;
  untilStatus(
    what: string,
    is: (status: CanaryStatus) => boolean,
    limitMs?: number,
  ): Promise<CanaryStatus>;
  /** How the newest run ends, for the runs that this one becomes too. */
  ending(): Promise<Ending>;
  status(): Promise<CanaryStatus>;
  deployment(name: 'web' | 'web-primary'): Promise<Deployment>;
  /** The tag of the image a workload runs. */
  tag(name: 'web' | 'web-primary'): Promise<string>;
  /** The weights in the live HTTPProxy or HTTPRoute, in percent. */
  routes(): Promise<Routes>;
  /** The events on the Canary as `TYPE message`, in the order they were written. */
  events(): Promise<string[]>;
  /** Runs of this canary, oldest first. */
  runIds(): Promise<string[]>;
  remove(): Promise<void>;
}

interface Access {
  readonly kube: Kube;
  readonly sluice: Sluice;
  readonly temporal: Client;
}

/** Creates a namespace with the app, its virtual host and its Canary. */
export async function openApp(
  { kube, sluice, temporal }: Access,
  name: string,
  options: AppOptions = {},
): Promise<App> {
  const namespace = `${name}-${String(process.pid)}`;
  const host = `${namespace}.example.com`;
  const canary: CanaryRef = { cluster: 'default', namespace, name: 'web' };
  const manifest = canaryOf(namespace, host, options);
  const canaryObject = refOf(namespace, 'flagger.app/v1beta1', 'Canary', 'web');
  await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  for (const object of options.objects ?? []) {
    await kube.create({ ...object, metadata: { ...object.metadata, namespace } });
  }
  await kube.create(deploymentOf(namespace, options));
  const { provider = 'contour' } = options;
  for (const front of frontsOf(provider, { namespace, host })) await kube.create(front);
  await kube.create(manifest);

  const app: App = {
    canary,
    host,
    async initialised() {
      await app.untilStatus('initialisation', ({ phase }) => phase === 'Initialized', 120_000);
    },
    async setImage(tag, env) {
      const { spec } = deploymentOf(namespace, { ...options, tag, ...(env && { env }) });
      const { template } = spec as { template: unknown };
      const target = refOf(namespace, 'apps/v1', options.kind ?? 'Deployment', 'web');
      await kube.patch(target, { spec: { template } });
    },
    async patchCanary(spec) {
      await kube.patch(canaryObject, { spec });
    },
    untilState: (what, is, limitMs) =>
      until(
        `${namespace}: ${what}`,
        async () => {
          const state = await stateIfAny(sluice, canary);
          return state !== undefined && is(state) && state;
        },
        limitMs,
      ),
    untilStatus: (what, is, limitMs) =>
      until(
        `${namespace}: ${what}`,
        async () => {
          const status = await app.status();
          return is(status) && status;
        },
        limitMs,
      ),
    ending: () => sluice.wait(canary),
    status: async () => (await kube.find(canaryObject))?.status ?? {},
    async deployment(of) {
      const found = await kube.find<Deployment>(deploymentRef(namespace, of));
      if (found === undefined) throw new Error(`there is no deployment ${of}.${namespace}`);
      return found;
    },
    async tag(of) {
      const [container] = (await app.deployment(of)).spec.template.spec?.containers ?? [];
      return container?.image?.split(':').at(-1) ?? '';
    },
    routes: () =>
      isGateway(provider) ? routeWeights(kube, namespace) : proxyWeights(kube, namespace),
    async events() {
      const events = await kube.list<Event>({ apiVersion: 'v1', kind: 'Event', namespace });
      return events
        .filter(({ involvedObject }) => involvedObject.kind === 'Canary')
        .sort((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
        .map(({ type, message }) => `${type} ${message}`);
    },
    async runIds() {
      const ids: string[] = [];
      const query = `WorkflowId = '${releaseId(canary)}'`;
      for await (const { runId } of temporal.workflow.list({ query })) ids.push(runId);
      return ids.reverse();
    },
    remove: () => kube.remove(refOf('', 'v1', 'Namespace', namespace)),
  };
  return app;
}

interface Event extends KubeObject {
  readonly involvedObject: { readonly kind: string };
  readonly type: string;
  readonly message: string;
}

interface Backend {
  readonly name: string;
  readonly weight?: number;
}

async function proxyWeights(kube: Kube, namespace: string): Promise<Routes> {
  const proxy = await kube.find(refOf(namespace, 'projectcontour.io/v1', 'HTTPProxy', 'web'));
  const { routes } = (proxy?.spec ?? {}) as { routes?: { services?: Backend[] }[] };
  return weightsOf(routes?.[0]?.services);
}

async function routeWeights(kube: Kube, namespace: string): Promise<Routes> {
  const ref = refOf(namespace, 'gateway.networking.k8s.io/v1', 'HTTPRoute', 'web');
  const { rules } = ((await kube.find(ref))?.spec ?? {}) as {
    rules?: { backendRefs?: Backend[] }[];
  };
  return weightsOf(rules?.[0]?.backendRefs);
}

function weightsOf(backends: readonly Backend[] = []): Routes {
  const weight = (of: string): number => backends.find(({ name }) => name === of)?.weight ?? 0;
  return { primary: weight('web-primary'), canary: weight('web-canary') };
}

/** Before its first moments a release knows nothing, and while its worker is down nobody answers. */
async function stateIfAny(sluice: Sluice, canary: CanaryRef): Promise<ReleaseState | undefined> {
  try {
    return await sluice.state(canary);
  } catch (error) {
    if (error instanceof SluiceError) return undefined;
    throw error;
  }
}

function deploymentRef(namespace: string, name: string): ReturnType<typeof refOf> {
  return refOf(namespace, 'apps/v1', 'Deployment', name);
}

function refOf(
  namespace: string,
  apiVersion: string,
  kind: string,
  name: string,
): { namespace: string; apiVersion: string; kind: string; name: string } {
  return { namespace, apiVersion, kind, name };
}
