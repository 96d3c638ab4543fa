import { cloudwatch } from './cloudwatch.js';
import { datadog } from './datadog.js';
import { dynatrace } from './dynatrace.js';
import { externalMetrics } from './external-metrics.js';
import { graphite } from './graphite.js';
import { influxdb } from './influxdb.js';
import { keptn } from './keptn.js';
import { newrelic } from './newrelic.js';
import { prometheus } from './prometheus.js';
import type { MetricProvider, ProviderConfig, ProviderFactory } from './provider.js';
import { splunk } from './splunk.js';
import { stackdriver } from './stackdriver.js';

/** The metric providers of this build by the name in `MetricTemplate.spec.provider.type`. */
export const metricProviders = {
  cloudwatch,
  datadog,
  dynatrace,
  externalmetrics: externalMetrics,
  graphite,
  influxdb,
  keptn,
  newrelic,
  prometheus,
  splunk,
  stackdriver,
} as const satisfies Record<string, ProviderFactory>;

/** Builds the provider of a type; throws for an unknown type and for what the type is missing. */
export function buildMetricProvider(type: string, config: ProviderConfig): MetricProvider {
  if (isKnown(type)) return metricProviders[type](config);
  const known = Object.keys(metricProviders).join(', ');
  throw new Error(`provider type ${type} is not supported (supported: ${known})`);
}

function isKnown(type: string): type is keyof typeof metricProviders {
  return Object.hasOwn(metricProviders, type);
}
