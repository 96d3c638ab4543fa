import type { Canary } from '../../domain/canary.js';
import { capabilities, providersThat } from '../../domain/providers.js';
import { Unroutable, type Split } from './router.js';

/**
 * Refuses copies and cookies where the provider of a Canary has none. Manifests that ask for them
 * are refused before anything moves; leaving them out here would be no release anybody asked for.
 */
export function refuseUnable({ provider }: Canary, { routes, cookies }: Split): void {
  const can = capabilities[provider];
  if (routes.mirror === true && !can.mirror) throw unable(provider, 'mirror', 'mirror');
  if ((cookies.canary ?? cookies.primary) !== undefined && !can.affinity) {
    throw unable(provider, 'sessionAffinity', 'affinity');
  }
}

function unable(provider: string, field: string, what: 'mirror' | 'affinity'): Unroutable {
  return new Unroutable(
    `spec.analysis.${field}: is not supported by ${provider} (supported by: ${providersThat(what)})`,
  );
}
