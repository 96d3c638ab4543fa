import { KubeError, type Kube } from '../../activities/kube.js';
import { until } from '../cluster/activity-bench.js';
import { crdsOf, crdSources, type CrdProduct, type Definition } from './crds.js';

/** What a router reads or writes. */
export interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
}

type Version = Definition['spec']['versions'][number];

/** The second API of App Mesh is published nowhere any more: its objects may have any fields. */
const anyFields = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

const mesh = { group: 'appmesh.k8s.aws', name: 'v1beta2', openAPIV3Schema: anyFields };

/**
 * Versions that no published definition has. The fields of a TrafficSplit are those of
 * https://pkg.go.dev/github.com/servicemeshinterface/smi-sdk-go@v0.5.0/pkg/apis/split/v1alpha1
 */
const standIns = [
  { ...mesh, kind: 'VirtualNode' },
  { ...mesh, kind: 'VirtualRouter' },
  { ...mesh, kind: 'VirtualService' },
  {
    ...{ group: 'split.smi-spec.io', name: 'v1alpha1', kind: 'TrafficSplit' },
    openAPIV3Schema: objectOf({
      spec: objectOf({
        service: { type: 'string' },
        backends: {
          type: 'array',
          items: objectOf({
            service: { type: 'string' },
            weight: {
              anyOf: [{ type: 'integer' }, { type: 'string' }],
              'x-kubernetes-int-or-string': true,
            },
          }),
        },
      }),
    }),
  },
];

/**
 * Installs the definitions of kinds, as far as the cluster has none of them yet, and waits until
 * the API server serves them.
 */
export async function define(kube: Kube, kinds: readonly Kind[]): Promise<void> {
  const products = Object.keys(crdSources) as CrdProduct[];
  const published = (await Promise.all(products.map(crdsOf))).flat();
  const wanted = withStandIns(published).filter(({ spec }) =>
    kinds.some(({ apiVersion, kind }) => isDefinedBy(spec, apiVersion, kind)),
  );
  for (const definition of wanted) {
    await kube.create(definition).catch((error: unknown) => {
      if (!(error instanceof KubeError && error.reason === 'AlreadyExists')) throw error;
    });
  }
  await until(() =>
    Promise.all(kinds.map((kind) => kube.list(kind))).then(
      () => true,
      () => false,
    ),
  );
}

function isDefinedBy({ group, names }: Definition['spec'], apiVersion: string, kind: string) {
  return names.kind === kind && apiVersion.startsWith(`${group}/`);
}

/** All definitions, each with the versions nobody publishes. */
function withStandIns(published: readonly Definition[]): readonly Definition[] {
  const alone = standIns.filter(
    ({ group, kind, name }) =>
      !published.some(({ spec }) => isDefinedBy(spec, `${group}/${name}`, kind)),
  );
  return [
    ...published.map((definition) => {
      const { spec } = definition;
      const added = standIns
        .filter(({ group, name, kind }) => isDefinedBy(spec, `${group}/${name}`, kind))
        .map((standIn) => versionOf(standIn, false));
      return { ...definition, spec: { ...spec, versions: [...spec.versions, ...added] } };
    }),
    ...alone.map(({ group, kind, ...version }) => {
      const singular = kind.toLowerCase();
      return {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: `${singular}s.${group}` },
        spec: {
          group,
          scope: 'Namespaced',
          names: { kind, plural: `${singular}s`, singular },
          versions: [versionOf(version, true)],
        },
      };
    }),
  ];
}

function versionOf(
  { name, openAPIV3Schema }: { readonly name: string; readonly openAPIV3Schema: object },
  storage: boolean,
): Version & { readonly subresources: object } {
  const subresources = { status: {} };
  return { name, served: true, storage, schema: { openAPIV3Schema }, subresources };
}

function objectOf(properties: Readonly<Record<string, object>>): object {
  return { type: 'object', properties };
}
