import type { Provider } from '../../domain/providers.js';
import { contour } from './contour.js';
import { gatewayApi } from './gateway-api.js';
import type { Router } from './router.js';

/** What routers take from the worker's configuration. */
export interface RouterSettings {
  /** The class written to HTTPProxies; empty for none. */
  readonly ingressClass: string;
}

/** Every provider name has exactly one router; a name without one does not compile. */
export function routersOf({ ingressClass }: RouterSettings): Readonly<Record<Provider, Router>> {
  return {
    contour: contour({ ingressClass }),
    'gatewayapi:v1': gatewayApi({ version: 'v1' }),
  };
}
