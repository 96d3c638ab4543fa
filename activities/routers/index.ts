import type { Provider } from '../../domain/providers.js';
import { apisix } from './apisix.js';
import { appMesh } from './app-mesh.js';
import { contour } from './contour.js';
import { gatewayApi } from './gateway-api.js';
import { gloo } from './gloo.js';
import { istio } from './istio.js';
import { knative } from './knative.js';
import { kuma } from './kuma.js';
import { nginx } from './nginx.js';
import type { Router } from './router.js';
import { skipper } from './skipper.js';
import { smi } from './smi.js';
import { traefik } from './traefik.js';

/** What routers take from the worker's configuration. */
export interface RouterSettings {
  /** The class written to HTTPProxies; empty for none. */
  readonly ingressClass: string;
  /** What the annotations of Ingress NGINX begin with. */
  readonly ingressAnnotationsPrefix: string;
  /** The labels a target's selector may be keyed by, in order of preference. */
  readonly selectorLabels: readonly string[];
}

/**
 * Every provider name has its entry; a name without one does not compile. With `kubernetes` no
 * object holds routes: only the promotion, or pods that move, bring users to the new version.
 */
export function routersOf({
  ingressClass,
  ingressAnnotationsPrefix,
  selectorLabels,
}: RouterSettings): Readonly<Record<Provider, Router | undefined>> {
  return {
    apisix: apisix(),
    appmesh: appMesh({ version: 'v1beta1', selectorLabels }),
    'appmesh:v1beta2': appMesh({ version: 'v1beta2', selectorLabels }),
    contour: contour({ ingressClass }),
    'gatewayapi:v1': gatewayApi({ version: 'v1' }),
    'gatewayapi:v1beta1': gatewayApi({ version: 'v1beta1' }),
    gloo: gloo(),
    istio: istio({ version: 'v1beta1' }),
    knative: knative(),
    kubernetes: undefined,
    kuma: kuma(),
    linkerd: smi({ version: 'v1alpha1' }),
    nginx: nginx({ annotationsPrefix: ingressAnnotationsPrefix }),
    osm: smi({ version: 'v1alpha2' }),
    skipper: skipper(),
    'smi:v1alpha1': smi({ version: 'v1alpha1' }),
    'smi:v1alpha2': smi({ version: 'v1alpha2' }),
    'smi:v1alpha3': smi({ version: 'v1alpha3' }),
    traefik: traefik(),
  };
}
