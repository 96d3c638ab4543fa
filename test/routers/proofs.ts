import type { Provider } from '../../domain/providers.js';
import type { CrdProduct } from './crds.js';

/** How what a router writes is proved, beside the laws that all routers keep. */
export interface Proof {
  /** Real requests that went where the routes say. */
  readonly live?: {
    /** What led them. */
    readonly plane: string;
    /** Where it is tested, naming the provider. */
    readonly test: string;
  };
  /**
   * By which definitions a real API server took the objects: those a product publishes,
   * Kubernetes' own kinds, or such as were made for the test because none are published.
   */
  readonly definitions?: CrdProduct | 'kubernetes' | 'made';
}

const by = (plane: string, name: string): NonNullable<Proof['live']> => ({
  plane,
  test: `test/routers/live/${name}.test.ts`,
});

const byContour = by('Envoy, led by Contour', 'envoy');

/** What is proved for each provider; tests hold that it is. */
export const proofs: Readonly<Record<Provider, Proof>> = {
  apisix: { definitions: 'apisix' },
  appmesh: { definitions: 'app-mesh' },
  'appmesh:v1beta2': { definitions: 'made' },
  contour: { definitions: 'contour', live: byContour },
  'gatewayapi:v1': { definitions: 'gateway-api', live: byContour },
  'gatewayapi:v1beta1': { definitions: 'gateway-api', live: byContour },
  gloo: { definitions: 'gloo' },
  istio: { definitions: 'istio', live: by('Envoy, led by Istio', 'istio') },
  knative: { definitions: 'knative' },
  kubernetes: { live: by('the pods themselves', 'kubernetes') },
  kuma: {
    definitions: 'kuma',
    live: { plane: 'Envoy, led by Kuma', test: 'test/routers/mesh/kuma.test.ts' },
  },
  linkerd: { definitions: 'made' },
  nginx: { definitions: 'kubernetes' },
  osm: { definitions: 'smi' },
  skipper: { definitions: 'kubernetes', live: by('Skipper', 'skipper') },
  'smi:v1alpha1': { definitions: 'made' },
  'smi:v1alpha2': { definitions: 'smi' },
  'smi:v1alpha3': { definitions: 'smi' },
  traefik: { definitions: 'traefik', live: by('Traefik', 'traefik') },
};

/** What is special about published definitions. */
export const definitionNotes: Readonly<Partial<Record<CrdProduct, string>>> = {
  'app-mesh': 'of an older form: the fields they name are checked, others are kept',
  'gateway-api': 'of the experimental channel, which alone has CORS filters',
  gloo: 'name no fields: any are taken',
  kuma: 'name no fields of a spec: any are taken',
};
