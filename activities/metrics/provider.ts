import type { Measurement } from '../../domain/threshold.js';
import type { Kube } from '../kube.js';

/**
 * Answers queries of one metrics back end. An outage, a refused query or an answer that is not
 * one number is a thrown error; that there is nothing to measure is a measurement. Errors never
 * hold credentials.
 */
export interface MetricProvider {
  /** Asks for one number, now. */
  query(text: string, signal?: AbortSignal): Promise<Measurement>;
  /** Resolves when the back end answers as it should. */
  ping(signal?: AbortSignal): Promise<void>;
}

/** `MetricTemplate.spec.provider`, with the content of its Secret. */
export interface ProviderConfig {
  readonly address?: string;
  /** Sent with every request; a name may have several values. */
  readonly headers?: Readonly<Record<string, readonly string[]>>;
  readonly insecureSkipVerify?: boolean;
  /** Where a cloud's API is asked. */
  readonly region?: string;
  /** The decoded values of the Secret; absent when the template names none. */
  readonly credentials?: Readonly<Record<string, string>>;
  /** The metric's interval; from it follows what time a query without times of its own is about. */
  readonly intervalMs?: number;
  /** The cluster's API, for providers that measure in it. */
  readonly kube?: Kube;
  /** How long an answer may take; each provider has a time of its own. */
  readonly timeoutMs?: number;
}

/** Builds a provider; throws when the configuration lacks something it needs. */
export type ProviderFactory = (config: ProviderConfig) => MetricProvider;
