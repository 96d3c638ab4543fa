import type { KubeObject } from '../../domain/objects.js';
import { readManifests } from '../../sandbox/supervisor/manifests.js';
import {
  addToCache,
  cacheFolder,
  isCached,
  openCache,
  toolFolder,
} from '../../sandbox/tools/cache.js';
import { findGo } from '../../sandbox/tools/go-compiler.js';
import { make } from '../../sandbox/tools/recipes.js';
import type { Tool } from '../../sandbox/tools/table.js';
import { modernised, type OldDefinition } from './old-definitions.js';

/**
 * The products' own definitions of the objects that routers write, each out of a module of its
 * product; `files` is a file or a folder in it. Those of App Mesh and Gloo are of an older form.
 */
export const crdSources = {
  'app-mesh': {
    module: 'github.com/aws/aws-app-mesh-controller-for-k8s',
    version: '0.5.0',
    files: 'deploy/all.yaml',
  },
  apisix: {
    module: 'github.com/apache/apisix-ingress-controller',
    version: '1.8.4',
    files: 'samples/deploy/crd/v1/ApisixRoute.yaml',
  },
  contour: {
    module: 'github.com/projectcontour/contour',
    version: '1.33.8',
    files: 'examples/contour/01-crds.yaml',
  },
  'gateway-api': {
    module: 'sigs.k8s.io/gateway-api',
    version: '1.3.0',
    files: 'config/crd/standard/gateway.networking.k8s.io_httproutes.yaml',
  },
  gloo: { module: 'github.com/solo-io/solo-apis', version: '1.6.31', files: 'crds' },
  istio: {
    module: 'istio.io/api',
    version: '1.31.1',
    files: 'kubernetes/customresourcedefinitions.gen.yaml',
  },
  knative: { module: 'knative.dev/serving', version: '0.46.0', files: 'config/core/300-resources' },
  kuma: {
    module: 'github.com/kumahq/kuma',
    version: '1.8.1',
    files: 'deployments/charts/kuma/crds/kuma.io_trafficroutes.yaml',
  },
  smi: {
    module: 'github.com/openservicemesh/osm',
    version: '1.2.4',
    files: 'cmd/osm-bootstrap/crds/smi_traffic_split.yaml',
  },
  traefik: {
    module: 'github.com/traefik/traefik/v3',
    version: '3.7.13',
    files: 'docs/content/reference/dynamic-configuration/traefik.io_traefikservices.yaml',
  },
} as const satisfies Record<string, CrdSource>;

/** A product whose definitions can be had. */
export type CrdProduct = keyof typeof crdSources;

interface CrdSource {
  readonly module: string;
  readonly version: string;
  readonly files: string;
}

/** A definition of one kind. */
export interface Definition extends KubeObject {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string; readonly plural: string };
    readonly versions: readonly {
      readonly name: string;
      readonly served: boolean;
      readonly storage: boolean;
      readonly schema?: { readonly openAPIV3Schema?: object };
    }[];
    readonly [field: string]: unknown;
  };
}

/**
 * The definitions of a product. Its module is fetched once into the user's cache, by Go; all
 * versions are served, which some products leave to those who install them.
 */
export async function crdsOf(product: CrdProduct): Promise<readonly Definition[]> {
  const { module, version, files }: CrdSource = crdSources[product];
  const tool: Tool = { version, recipe: { kind: 'module-files', module, files }, path: '.' };
  const cache = cacheFolder();
  const folder = toolFolder(cache, `${product}-definitions`, tool);
  if (!isCached(folder)) {
    await openCache(cache);
    await addToCache(cache, folder, (work) => make(tool, work, { cache, go: () => findGo(cache) }));
  }
  return readManifests(folder).filter(isDefinition).map(current).map(served);
}

function isDefinition(object: KubeObject): object is Definition | OldDefinition {
  return object.kind === 'CustomResourceDefinition';
}

function current(definition: Definition | OldDefinition): Definition {
  return isOld(definition) ? modernised(definition) : definition;
}

function isOld(definition: KubeObject): definition is OldDefinition {
  return definition.apiVersion === 'apiextensions.k8s.io/v1beta1';
}

function served({ spec, ...definition }: Definition): Definition {
  const versions = spec.versions.map((version) => ({ ...version, served: true }));
  return { ...definition, spec: { ...spec, versions } };
}
