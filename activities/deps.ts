import type { CanaryDefaults } from '../domain/canary.js';
import type { Deployment, ObjectRef } from '../domain/objects.js';
import type { CanaryRef, Outcome } from '../domain/release.js';
import type { Kube } from './kube.js';

/** What the activities work with; built once in worker/main.ts and handed down. */
export interface Deps {
  readonly kube: Kube;
  readonly deployments: Deployments;
  readonly telemetry: Telemetry;
  readonly settings: Settings;
}

/** The part of the worker's configuration that activities obey. */
export interface Settings {
  readonly defaults: CanaryDefaults;
  /** The Prometheus of the built-in queries, unless the Canary names another. */
  readonly metricsServer: string;
  /** The labels a target's selector may be keyed by, in order of preference. */
  readonly selectorLabels: readonly string[];
  /** Prefixes of the label and annotation keys copied to the primary; `*` copies all. */
  readonly includeLabelPrefixes: readonly string[];
  /** The class written to HTTPProxies; empty for none. */
  readonly ingressClass: string;
  /** Time between taking the traffic away from pods and stopping them, in milliseconds. */
  readonly settleMs: number;
}

/** The Deployments of the cluster as a watch last saw them. */
export interface Deployments {
  /** The newest state the watch has seen. */
  get(ref: Pick<ObjectRef, 'namespace' | 'name'>): Deployment | undefined;
  /** Calls back at each change of one Deployment until the returned function is called. */
  subscribe(
    ref: Pick<ObjectRef, 'namespace' | 'name'>,
    changed: (deployment: Deployment | undefined) => void,
  ): () => void;
}

/** The counters and histograms activities bump. */
export interface Telemetry {
  metricMeasured(
    canary: CanaryRef & { readonly target: string },
    metric: string,
    value: number,
  ): void;
  checkTook(canary: CanaryRef & { readonly target: string }, seconds: number): void;
  releaseEnded(
    canary: CanaryRef & { readonly target: string },
    ended: {
      readonly outcome: Outcome;
      readonly skippedAnalysis: boolean;
      readonly seconds: number;
      readonly waitedForPeopleSeconds: number;
    },
  ): void;
}
