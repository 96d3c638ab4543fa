import type { Provider } from '../../domain/providers.js';
import { contour } from './contour.js';
import { gatewayApi } from './gateway-api.js';
import { knative } from './knative.js';
import type { Router } from './router.js';

/** What routers take from the worker's configuration. */
export interface RouterSettings {
  /** The class written to HTTPProxies; empty for none. */
  readonly ingressClass: string;
}

/**
 * Every provider name has its entry; a name without one does not compile. With `kubernetes` no
 * object holds routes: only the promotion, or pods that move, bring users to the new version.
 */
export function routersOf({
  ingressClass,
}: RouterSettings): Readonly<Record<Provider, Router | undefined>> {
  return {
    contour: contour({ ingressClass }),
    'gatewayapi:v1': gatewayApi({ version: 'v1' }),
    knative: knative(),
    kubernetes: undefined,
  };
}
