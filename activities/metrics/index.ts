import { prometheus } from './prometheus.js';
import type { MetricProvider, ProviderConfig, ProviderFactory } from './provider.js';

/** The metric providers of this build by the name in `MetricTemplate.spec.provider.type`. */
export const metricProviders = { prometheus } as const satisfies Record<string, ProviderFactory>;

/** Builds the provider of a type; throws for an unknown type and for what the type is missing. */
export function buildMetricProvider(type: string, config: ProviderConfig): MetricProvider {
  if (isKnown(type)) return metricProviders[type](config);
  const known = Object.keys(metricProviders).join(', ');
  throw new Error(`provider type ${type} is not supported (supported: ${known})`);
}

function isKnown(type: string): type is keyof typeof metricProviders {
  return Object.hasOwn(metricProviders, type);
}
