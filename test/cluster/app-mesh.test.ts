import { KubeError, type Kube } from '../../activities/kube.js';
import {
  applyRoutes,
  finalizeRoutes,
  liveRoutes,
  prepareRoutes,
  repairRoutes,
} from '../../activities/routing.js';
import type { Canary } from '../../domain/canary.js';
import type { KubeObject } from '../../domain/objects.js';
import { toCanary } from '../../domain/routes.js';
import { aCanary, aManifest } from '../activities/a-canary.js';
import { aDeployment } from '../activities/a-deployment.js';
import { at } from '../activities/routers/laws.js';
import { openBench, until, type ActivityBench } from './activity-bench.js';

const apiVersion = 'appmesh.k8s.aws/v1beta2';
const kinds = ['VirtualNode', 'VirtualRouter', 'VirtualService'] as const;
let bench: ActivityBench;
let kube: Kube;
let canary: Canary;

beforeAll(async () => {
  bench = await openBench('app-mesh');
  ({ kube } = bench);
  const { namespace } = bench;
  for (const kind of kinds) await define(kind);
  const owner = await kube.create<KubeObject>({
    ...aManifest(),
    metadata: { name: 'podinfo', namespace },
  });
  const deployment = aDeployment();
  await kube.create({ ...deployment, metadata: { ...deployment.metadata, namespace } });
  const parsed = aCanary({ spec: { provider: 'appmesh:v1beta2' } });
  canary = { ...parsed, namespace, uid: owner.metadata.uid! };
});
afterAll(() => bench.close());

it('makes the nodes before the pods, then the routes, and each of them once', async () => {
  await prepareRoutes(bench.deps, canary);

  expect(await titles()).toEqual(['VirtualNode podinfo-canary', 'VirtualNode podinfo-primary']);
  expect(await liveRoutes(bench.deps, canary)).toBeUndefined();

  expect(await applyRoutes(bench.deps, canary, at(0))).toBe(true);
  expect(await applyRoutes(bench.deps, canary, at(30))).toBe(true);
  expect(await applyRoutes(bench.deps, canary, at(30))).toBe(false);
  await prepareRoutes(bench.deps, canary);

  expect(await titles()).toEqual([
    'VirtualNode podinfo-canary',
    'VirtualNode podinfo-primary',
    'VirtualRouter podinfo',
    'VirtualRouter podinfo-canary',
    'VirtualService podinfo',
    'VirtualService podinfo-canary',
  ]);
  expect(await liveRoutes(bench.deps, canary)).toEqual(toCanary(30));
  expect(await generations('VirtualRouter')).toEqual([2, 1]);
  expect(await generations('VirtualNode')).toEqual([1, 1]);
});

it('is repaired without losing the weight', async () => {
  await applyRoutes(bench.deps, canary, at(40));
  const listeners = { spec: { listeners: [] } };

  await kube.patch(ref('VirtualRouter', 'podinfo'), listeners);
  expect(await repairRoutes(bench.deps, canary, at(40))).toBe('fields');
  await kube.remove(ref('VirtualRouter', 'podinfo'));
  expect(await repairRoutes(bench.deps, canary, at(40))).toBe('weights');

  expect(await liveRoutes(bench.deps, canary)).toEqual(toCanary(40));
});

it('leaves what it made to the API server, and gives back what it took over', async () => {
  const before = { meshRef: { name: 'theirs' } };
  await kube.remove(ref('VirtualRouter', 'podinfo'));
  const { metadata } = await kube.create<KubeObject>({
    apiVersion,
    kind: 'VirtualRouter',
    metadata: { name: 'podinfo', namespace: bench.namespace },
    spec: before,
  });
  await applyRoutes(bench.deps, canary, at(20));

  await finalizeRoutes(bench.deps, canary);

  const router = await kube.find(ref('VirtualRouter', 'podinfo'));
  expect(router).toMatchObject({ metadata: { uid: metadata.uid }, spec: before });
  expect(router?.spec).toEqual(before);
  expect(await titles()).toHaveLength(6);
});

/** App Mesh's own definitions can no longer be had; what the server stores is not looked at. */
async function define(kind: (typeof kinds)[number]): Promise<void> {
  const plural = `${kind.toLowerCase()}s`;
  const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const version = {
    name: 'v1beta2',
    served: true,
    storage: true,
    schema: { openAPIV3Schema: schema },
  };
  await kube
    .create({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${plural}.appmesh.k8s.aws` },
      spec: {
        group: 'appmesh.k8s.aws',
        scope: 'Namespaced',
        names: { kind, plural, singular: kind.toLowerCase() },
        versions: [version],
      },
    })
    .catch((error: unknown) => {
      if (!(error instanceof KubeError && error.reason === 'AlreadyExists')) throw error;
    });
  await until(() =>
    listed(kind).then(
      () => true,
      () => false,
    ),
  );
}

function ref(kind: string, name: string) {
  return { apiVersion, kind, namespace: bench.namespace, name };
}

async function listed(kind: string): Promise<readonly KubeObject[]> {
  const objects = await kube.list({ apiVersion, kind, namespace: bench.namespace });
  return [...objects].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

async function titles(): Promise<string[]> {
  const all = await Promise.all(kinds.map(listed));
  return kinds.flatMap((kind, i) =>
    (all[i] ?? []).map(({ metadata }) => `${kind} ${metadata.name}`),
  );
}

async function generations(kind: string): Promise<(number | undefined)[]> {
  return (await listed(kind)).map(({ metadata }) => metadata.generation);
}
