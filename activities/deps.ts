import type { Delivery } from '../domain/deliveries.js';
import type { ConfigKind } from '../domain/configs.js';
import type { CanaryDefaults } from '../domain/manifest.js';
import type { KubeObject, ObjectRef } from '../domain/objects.js';
import type { CanaryRef, Outcome } from '../domain/release.js';
import type { Kube } from './kube.js';
import type { NotifierType } from './notifiers/index.js';

/** What the activities work with; built once in worker/main.ts and handed down. */
export interface Deps {
  readonly kube: Kube;
  readonly workloads: Workloads;
  readonly telemetry: Telemetry;
  readonly settings: Settings;
  /** Absent where nothing is watched, or delivered. */
  readonly canaries?: Canaries;
  readonly outbox?: Outbox;
  readonly configs?: ConfigChecksums;
}

/** The Canaries of the cluster as a watch last saw them. */
export interface Canaries {
  get(ref: Pick<ObjectRef, 'namespace' | 'name'>): KubeObject | undefined;
}

/** The checksums of the ConfigMaps and Secrets of the cluster as a watch last saw them. */
export interface ConfigChecksums {
  /** Undefined when there is none of that name, or its content does not count. */
  get(config: ConfigPlace): string | undefined;
}

/** Which ConfigMap or Secret, and where. */
export interface ConfigPlace {
  readonly kind: ConfigKind;
  readonly namespace: string;
  readonly name: string;
}

/** Takes what is to be delivered to people's endpoints, so that a release need not wait for them. */
export interface Outbox {
  /** Resolves when it is safe: it will be delivered, or be on record as given up. */
  add(canary: CanaryRef, deliveries: readonly Delivery[]): Promise<void>;
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
  /** Whether the contents of ConfigMaps and Secrets that targets refer to are part of a release. */
  readonly configTracking: boolean;
  /** The class written to HTTPProxies; empty for none. */
  readonly ingressClass: string;
  /** What the annotations of Ingress NGINX begin with. */
  readonly ingressAnnotationsPrefix: string;
  /** Time between taking the traffic away from pods and stopping them, in milliseconds. */
  readonly settleMs: number;
  /** Told of the events of canaries that name no event webhook; empty for none. */
  readonly eventWebhook: string;
  /** Absent where there is nothing to be set about alerts. */
  readonly alerts?: AlertSettings;
}

/** What the worker's configuration says of alerts. */
export interface AlertSettings {
  /** Gets every alert of canaries that name no AlertProvider. */
  readonly own?: NotifierSettings;
  /** Shown with every alert; empty for nothing. */
  readonly clusterName: string;
  /** The addresses of Sluice's page and of Temporal's UI, for links; empty for none. */
  readonly pageUrl: string;
  readonly temporalUiUrl: string;
}

/** A chat service as an AlertProvider and its Secret describe it; what is left out has a default. */
export interface NotifierSettings {
  readonly type: NotifierType;
  readonly address: string;
  readonly channel?: string;
  readonly username?: string;
  readonly token?: string;
  readonly proxy?: string;
  /** Of the messages to Microsoft Teams. */
  readonly format?: string;
}

/** The targets and primaries of the cluster as watches last saw them. */
export interface Workloads {
  /** The newest state the watch has seen. */
  get(ref: ObjectRef): KubeObject | undefined;
  /** Calls back at each change of one object until the returned function is called. */
  subscribe(ref: ObjectRef, changed: (object: KubeObject | undefined) => void): () => void;
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
