/** The traffic providers this build can drive. Names are those of `Canary.spec.provider`. */
export const providers = ['contour', 'gatewayapi:v1'] as const;

export type Provider = (typeof providers)[number];

/** Which built-in queries measure the traffic of a provider. */
export type ObserverName = 'contour' | 'http';

/** The observer of each provider, as Flagger pairs them. */
export const observerOf = {
  contour: 'contour',
  'gatewayapi:v1': 'http',
} as const satisfies Record<Provider, ObserverName>;

/** Whether a string names a provider of this build. */
export function isProvider(name: string): name is Provider {
  return (providers as readonly string[]).includes(name);
}
