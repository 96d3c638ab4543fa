import { buildMetricProvider } from '../../activities/metrics/index.js';
import type { ProviderConfig } from '../../activities/metrics/provider.js';
import type { Subject } from './laws.js';

/** How a subject connects: with its Secret, for a metric of one minute. */
export function connecting(
  type: string,
  credentials: NonNullable<ProviderConfig['credentials']>,
): Subject['connect'] {
  return (address, timeoutMs) =>
    buildMetricProvider(type, {
      address,
      credentials,
      intervalMs: 60_000,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
}

/** A reply of this in JSON. */
export function json(content: unknown): { readonly body: string } {
  return { body: JSON.stringify(content) };
}
