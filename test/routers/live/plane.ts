import { randomUUID } from 'node:crypto';

import { connectKube, loadKubeConfig } from '../../../activities/kube.js';
import { routersOf } from '../../../activities/routers/index.js';
import type { Split } from '../../../activities/routers/router.js';
import type { Canary } from '../../../domain/canary.js';
import type { KubeObject } from '../../../domain/objects.js';
import { toCanary } from '../../../domain/routes.js';
import { findSandbox, type Description } from '../../../sandbox/description.js';
import { aCanary, someSettings } from '../../activities/a-canary.js';
import { requestsTo } from '../../e2e/copies.js';
import { frontsOf } from '../../e2e/fronts.js';
import { canaryOf, deploymentOf, type AppOptions } from '../../e2e/manifests.js';
import { byVersion, clientsOf, type Answer, type Clients } from '../../e2e/requests.js';
import { until } from '../../e2e/until.js';

const envoy = { forward: 'gateway', url: 'http://envoy.projectcontour/' } as const;

/** The gateway of each provider: the port on this machine, and its address in the cluster. */
export const gateways = {
  contour: envoy,
  'gatewayapi:v1': envoy,
  'gatewayapi:v1beta1': envoy,
  istio: { forward: 'istio', url: 'http://istio-ingressgateway.istio-system/' },
  skipper: { forward: 'skipper', url: 'http://skipper.skipper/' },
  traefik: { forward: 'traefik', url: 'http://traefik.traefik/' },
} as const;

/** A provider with a gateway that the sandbox can have. */
export type PlaneProvider = keyof typeof gateways;

const sandbox = await sandboxOfTests();

/** What the primary's and the canary's pods answer with. */
export const [primary, canary] = ['1.0.0', '2.0.0'] as const;

/** A primary and a canary behind a real gateway, whose routes the tests write by the router. */
export interface Plane {
  readonly canary: Canary;
  readonly clients: Clients;
  /** Writes the weight of the canary, as the router renders it. */
  write(weight: number): Promise<void>;
  /** Writes routes, and cookies, that a weight does not say. */
  writeSplit(split: Split): Promise<void>;
  /** Writes the weight and waits until those who send these headers are split by it. */
  lead(weight: number, headers?: Readonly<Record<string, string>>): Promise<void>;
  /** How many requests the canary has had, copies included. */
  requestsToCanary(): Promise<number>;
  remove(): Promise<void>;
}

const kube = connectKube(loadKubeConfig());

/** What the pods of a plane have in their environment, and the analysis of its Canary. */
interface PlaneOptions extends Pick<AppOptions, 'analysis'> {
  readonly primaryEnv?: AppOptions['env'];
  readonly canaryEnv?: AppOptions['env'];
}

/** Opens one in a namespace of its own. */
export async function openPlane(
  provider: PlaneProvider,
  { primaryEnv = {}, canaryEnv = {}, analysis = {} }: PlaneOptions = {},
): Promise<Plane> {
  const namespace = `plane-${randomUUID().slice(0, 8)}`;
  const host = `${namespace}.example.com`;
  const clients = clientsOf(
    `http://127.0.0.1:${String(sandbox.ports[gateways[provider].forward])}`,
    host,
  );
  await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const objects = [
    workload('web-primary', deploymentOf(namespace, { tag: primary, env: primaryEnv })),
    workload('web', deploymentOf(namespace, { tag: canary, env: canaryEnv })),
    ...['web', 'web-primary', 'web-canary'].map((name) => serviceOf(namespace, name)),
    ...frontsOf(provider, { namespace, host }),
  ];
  for (const object of objects) await kube.create(object);
  for (const name of ['web-primary', 'web']) await untilAvailable(namespace, name);

  const manifest = canaryOf(namespace, host, { provider, analysis });
  const here: Canary = { ...aCanary(manifest as { spec: object }), namespace, name: 'web' };
  const plane: Plane = {
    canary: here,
    clients,
    write: (weight) => plane.writeSplit({ routes: toCanary(weight), cookies: {} }),
    async writeSplit(split) {
      const router = routersOf(someSettings)[provider]!;
      const live = await liveOf(here, provider);
      for (const object of router.render(here, split, live)) {
        // Nobody owns it: what no living object owns is collected as garbage.
        const { ownerReferences: _, ...metadata } = object.metadata;
        const isThere = live.some(({ kind, metadata: { name } }) => {
          return kind === object.kind && name === metadata.name;
        });
        await (isThere ? kube.replace(object) : kube.create({ ...object, metadata }));
      }
    },
    async lead(weight, headers) {
      await plane.write(weight);
      await until(`weight ${String(weight)} by ${provider}`, () =>
        clients.askMany(200, headers).then(
          (answers) => isAbout(weight, answers),
          // Envoy does not even listen before there is something to lead anywhere.
          () => false,
        ),
      );
    },
    requestsToCanary: () => requestsTo(sandbox, kube, { namespace, app: 'web' }),
    async remove() {
      clients.close();
      await kube.remove({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: namespace });
    },
  };
  return plane;
}

async function sandboxOfTests(): Promise<Description> {
  const sandbox = await findSandbox(process.env['SLUICE_SANDBOX_NAME'] ?? '');
  if (sandbox === undefined) throw new Error('the sandbox of these tests is not up');
  return sandbox;
}

/** The canary's share of the answers, in percent; what neither version answered is an error. */
export function shareOf(answers: readonly Answer[]): number {
  const { [primary]: old = 0, [canary]: fresh = 0, ...others } = byVersion(answers);
  if (old + fresh !== answers.length) throw new Error(`unexpected: ${JSON.stringify(others)}`);
  return (fresh / answers.length) * 100;
}

/** Far enough from every other weight that these tests use before or after it. */
function isAbout(weight: number, answers: readonly Answer[]): boolean {
  const counts = byVersion(answers);
  const wanted = [...(weight < 100 ? [primary] : []), ...(weight > 0 ? [canary] : [])];
  const share = ((counts[canary] ?? 0) / answers.length) * 100;
  return Object.keys(counts).sort().join() === wanted.join() && Math.abs(share - weight) < 20;
}

async function liveOf(canaryHere: Canary, provider: PlaneProvider): Promise<KubeObject[]> {
  const refs = routersOf(someSettings)[provider]!.reads(canaryHere);
  const found = await Promise.all(refs.map((ref) => kube.find(ref)));
  return found.filter((object) => object !== undefined);
}

/** The same workload under another name, which its pods have as their label. */
function workload(name: string, { spec, ...object }: KubeObject): KubeObject {
  const { template, ...rest } = spec as { template: { metadata: object } };
  const labels = { app: name };
  return {
    ...object,
    metadata: { ...object.metadata, name, labels },
    spec: {
      ...rest,
      selector: { matchLabels: labels },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}

/** `web` is for everybody whom no route of the router's leads, so it leads to the primary. */
function serviceOf(namespace: string, name: string): KubeObject {
  const selector = { app: name === 'web-canary' ? 'web' : 'web-primary' };
  const ports = [{ port: 80, targetPort: 8080 }];
  const metadata = { name, namespace };
  return { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector, ports } };
}

async function untilAvailable(namespace: string, name: string): Promise<void> {
  const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name };
  await until(
    `the pods of ${name}`,
    async () => {
      const { status = {} } = (await kube.find(ref)) ?? {};
      return (status as { availableReplicas?: number }).availableReplicas === 1;
    },
    60_000,
  );
}
