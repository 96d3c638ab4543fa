/** The traffic providers this build can drive. Names are those of `Canary.spec.provider`. */
export const providers = ['contour', 'gatewayapi:v1', 'knative', 'kubernetes'] as const;

export type Provider = (typeof providers)[number];

/** Which built-in queries measure the traffic of a provider. */
export type ObserverName = 'contour' | 'http' | 'knative';

/** The observer of each provider, as Flagger pairs them. */
export const observerOf = {
  contour: 'contour',
  'gatewayapi:v1': 'http',
  knative: 'knative',
  kubernetes: 'http',
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
  contour: { weigh: true, mirror: false, matchRequests: true, affinity: false },
  'gatewayapi:v1': { weigh: true, mirror: true, matchRequests: true, affinity: true },
  knative: { weigh: true, mirror: false, matchRequests: false, affinity: false },
  kubernetes: { weigh: false, mirror: false, matchRequests: false, affinity: false },
};

/** The providers that can do something, as people read them. */
export function providersThat(can: keyof Capabilities): string {
  return providers.filter((provider) => capabilities[provider][can]).join(', ');
}

/** Whether a string names a provider of this build. */
export function isProvider(name: string): name is Provider {
  return (providers as readonly string[]).includes(name);
}
