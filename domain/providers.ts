/** The traffic providers this build can drive. Names are those of `Canary.spec.provider`. */
export const providers = [
  'apisix',
  'appmesh',
  'appmesh:v1beta2',
  'contour',
  'gatewayapi:v1',
  'gatewayapi:v1beta1',
  'gloo',
  'istio',
  'knative',
  'kubernetes',
  'kuma',
  'linkerd',
  'nginx',
  'osm',
  'skipper',
  'smi:v1alpha1',
  'smi:v1alpha2',
  'smi:v1alpha3',
  'traefik',
] as const;

export type Provider = (typeof providers)[number];

/** Which built-in queries measure the traffic of a provider. */
export type ObserverName =
  | 'apisix'
  | 'appMesh'
  | 'contour'
  | 'gloo'
  | 'http'
  | 'istio'
  | 'knative'
  | 'kuma'
  | 'linkerd'
  | 'nginx'
  | 'osm'
  | 'skipper'
  | 'traefik';

/** The observer of each provider, as Flagger pairs them. */
export const observerOf = {
  apisix: 'apisix',
  appmesh: 'appMesh',
  'appmesh:v1beta2': 'appMesh',
  contour: 'contour',
  'gatewayapi:v1': 'http',
  'gatewayapi:v1beta1': 'http',
  gloo: 'gloo',
  istio: 'istio',
  knative: 'knative',
  kubernetes: 'http',
  kuma: 'kuma',
  linkerd: 'linkerd',
  nginx: 'nginx',
  osm: 'osm',
  skipper: 'skipper',
  'smi:v1alpha1': 'istio',
  'smi:v1alpha2': 'istio',
  'smi:v1alpha3': 'istio',
  traefik: 'traefik',
} as const satisfies Record<Provider, ObserverName>;

/** What a provider can do with requests. What it cannot is refused before anything moves. */
export interface Capabilities {
  /** Splits traffic by weight. */
  readonly weigh: boolean;
  /** Gives the canary copies of requests. */
  readonly mirror: boolean;
  /** Tells requests apart, for A/B testing. */
  readonly matchRequests: boolean;
  /** Keeps a client on the version it got first. */
  readonly affinity: boolean;
}

/** What each provider can do. */
export const capabilities: Readonly<Record<Provider, Capabilities>> = {
  apisix: { weigh: true, mirror: false, matchRequests: false, affinity: false },
  appmesh: { weigh: true, mirror: false, matchRequests: true, affinity: false },
  'appmesh:v1beta2': { weigh: true, mirror: false, matchRequests: true, affinity: false },
  contour: { weigh: true, mirror: false, matchRequests: true, affinity: false },
  'gatewayapi:v1': { weigh: true, mirror: true, matchRequests: true, affinity: true },
  'gatewayapi:v1beta1': { weigh: true, mirror: true, matchRequests: true, affinity: true },
  gloo: { weigh: true, mirror: false, matchRequests: true, affinity: false },
  istio: { weigh: true, mirror: true, matchRequests: true, affinity: true },
  knative: { weigh: true, mirror: false, matchRequests: false, affinity: false },
  kubernetes: { weigh: false, mirror: false, matchRequests: false, affinity: false },
  kuma: { weigh: true, mirror: false, matchRequests: false, affinity: false },
  linkerd: { weigh: true, mirror: false, matchRequests: false, affinity: false },
  nginx: { weigh: true, mirror: false, matchRequests: true, affinity: false },
  osm: { weigh: true, mirror: false, matchRequests: false, affinity: false },
  skipper: { weigh: true, mirror: false, matchRequests: false, affinity: false },
  'smi:v1alpha1': { weigh: true, mirror: false, matchRequests: false, affinity: false },
  'smi:v1alpha2': { weigh: true, mirror: false, matchRequests: false, affinity: false },
  'smi:v1alpha3': { weigh: true, mirror: false, matchRequests: false, affinity: false },
  traefik: { weigh: true, mirror: false, matchRequests: false, affinity: false },
};

/** The field of `spec` that names the route of the user's whose traffic is split. */
export const routedBy: Readonly<Partial<Record<Provider, 'ingressRef' | 'routeRef'>>> = {
  apisix: 'routeRef',
  nginx: 'ingressRef',
  skipper: 'ingressRef',
};

/** Whether a service speaks no protocol a mesh sees the requests of. */
export function isPlainTcp({ appProtocol = '' }: { readonly appProtocol?: string }): boolean {
  return appProtocol.toLowerCase() === 'tcp';
}

/** What a provider can do with the requests of a service. */
export function capabilitiesFor(
  provider: Provider,
  service: { readonly appProtocol?: string },
): Capabilities {
  const can = capabilities[provider];
  return provider === 'istio' && isPlainTcp(service)
    ? { ...can, mirror: false, matchRequests: false, affinity: false }
    : can;
}

/** The providers that can do something, as people read them. */
export function providersThat(can: keyof Capabilities): string {
  return providers.filter((provider) => capabilities[provider][can]).join(', ');
}

/** Whether a string names a provider of this build. */
export function isProvider(name: string): name is Provider {
  return (providers as readonly string[]).includes(name);
}
