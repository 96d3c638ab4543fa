import type { Provider } from './providers.js';
import type { Strategy } from './strategies/strategy.js';

/** A Canary with every default applied: inside the product nothing that has a default is optional. */
export interface Canary {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly generation: number;
  readonly provider: Provider;
  readonly target: {
    readonly apiVersion: string;
    readonly kind: TargetKind;
    readonly name: string;
  };
  readonly autoscaler?: AutoscalerRef;
  readonly service: ServiceSpec;
  readonly analysis: Analysis;
  readonly metricsServer?: string;
  readonly ingressName?: string;
  readonly routeName?: string;
  /** Gloo: the Upstream whose settings the generated ones have. */
  readonly upstreamRef?: { readonly name: string; readonly namespace: string };
  /** Further routes to the same services, which always split the traffic like the first. */
  readonly additionalRoutes: readonly AdditionalRoute[];
  /** App Mesh: whether the proxies of the workload log every request. */
  readonly accessLog: boolean;
  /** Kuma: the mesh the workload belongs to. */
  readonly mesh: string;
  readonly progressDeadlineMs: number;
  readonly skipAnalysis: boolean;
  readonly suspend: boolean;
  /** Whether deleting the Canary gives the target its pods and traffic back. */
  readonly revertOnDeletion: boolean;
  /** What becomes of a revision that comes while another one is released. */
  readonly onNewRevision: 'restart' | 'queue' | 'refuse';
  readonly status: CanaryStatus;
}

/** What a Canary can target; a Knative Service is a `Service` of another API group in manifests. */
export type TargetKind = 'Deployment' | 'DaemonSet' | 'Service' | 'KnativeService';

/** `spec.autoscalerRef`: the scaler of the target, which gets a copy for the primary. */
export interface AutoscalerRef {
  readonly apiVersion: string;
  readonly kind: 'HorizontalPodAutoscaler' | 'ScaledObject';
  readonly name: string;
  /** KEDA only: trigger name → query of the primary's ScaledObject. */
  readonly primaryScalerQueries: Readonly<Record<string, string>>;
  /** Bounds of the primary's scaler where they differ from the target's. */
  readonly primaryScalerReplicas: { readonly minReplicas?: number; readonly maxReplicas?: number };
}

/** One entry of `spec.additionalRoutes`. */
export type AdditionalRoute = Pick<
  Canary,
  'provider' | 'ingressName' | 'routeName' | 'upstreamRef'
>;

/** `spec.service`. Routing details that only routers read stay in the form the manifest has. */
export interface ServiceSpec {
  readonly name: string;
  readonly port: number;
  readonly portName: string;
  readonly targetPort: number | string;
  readonly appProtocol?: string;
  readonly trafficDistribution?: string;
  readonly portDiscovery: boolean;
  readonly headless: boolean;
  readonly timeout?: string;
  readonly backendTimeout?: string;
  readonly hosts: readonly string[];
  /** Istio: the gateways the routes are bound to. */
  readonly gateways: readonly string[];
  /** Istio: whether another VirtualService leads to the routes. */
  readonly delegation: boolean;
  /** Istio: how clients treat the endpoints of the services. */
  readonly trafficPolicy?: Readonly<Record<string, unknown>>;
  readonly gatewayRefs: readonly GatewayRef[];
  readonly match: readonly RequestMatch[];
  readonly rewrite?: { readonly uri?: string; readonly authority?: string; readonly type?: string };
  readonly retries?: {
    readonly attempts?: number;
    readonly perTryTimeout?: string;
    readonly retryOn?: string;
  };
  readonly headers?: { readonly request?: HeaderChange; readonly response?: HeaderChange };
  readonly mirror: readonly { readonly backendRef: Readonly<Record<string, unknown>> }[];
  readonly corsPolicy?: Readonly<Record<string, unknown>>;
  /** App Mesh: the mesh the workload belongs to. */
  readonly meshName?: string;
  /** App Mesh: the services the workload calls. */
  readonly backends: readonly string[];
  readonly apex: Metadata;
  readonly primary: Metadata;
  readonly canary: Metadata;
  readonly unmanaged: {
    readonly labels: readonly string[];
    readonly annotations: readonly string[];
  };
}

export interface Metadata {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface HeaderChange {
  readonly add?: Readonly<Record<string, string>>;
  readonly set?: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
}

export interface GatewayRef {
  readonly group?: string;
  readonly kind?: string;
  readonly name: string;
  readonly namespace?: string;
  readonly sectionName?: string;
  readonly port?: number;
}

export type StringMatch = Readonly<
  Partial<Record<'exact' | 'prefix' | 'suffix' | 'regex', string>>
>;

/** One entry of `service.match` or `analysis.match`. */
export interface RequestMatch {
  readonly uri?: StringMatch;
  readonly method?: StringMatch;
  readonly headers?: Readonly<Record<string, StringMatch>>;
  readonly queryParams?: Readonly<Record<string, StringMatch>>;
  readonly sourceLabels?: Readonly<Record<string, string>>;
  readonly [part: string]: unknown;
}

/** `spec.analysis`. */
export interface Analysis {
  /** Milliseconds between two checks; never under 10 s unless the process allows it. */
  readonly intervalMs: number;
  /** Failed checks that trigger the rollback. */
  readonly threshold: number;
  readonly strategy: Strategy;
  /** Points by which promotion shifts traffic back; 0 shifts all at once. */
  readonly stepWeightPromotion: number;
  readonly primaryReadyThreshold: number;
  readonly canaryReadyThreshold: number;
  /** Which requests reach the canary in A/B testing. */
  readonly match: readonly RequestMatch[];
  readonly sessionAffinity?: SessionAffinity;
  /** Percent of the requests the canary gets copies of, where the provider can choose some. */
  readonly mirrorWeight?: number;
  readonly metrics: readonly Metric[];
  readonly webhooks: readonly Webhook[];
  /** What only a person may open. */
  readonly gates: readonly Gate[];
  /** What follows when too many checks have failed. */
  readonly onFailure: 'rollback' | 'hold';
}

/** `spec.analysis.sessionAffinity`: cookies that keep a client on the version it got first. */
export interface SessionAffinity {
  readonly cookieName: string;
  /** Seconds. */
  readonly maxAge: number;
  readonly primaryCookieName?: string;
  readonly domain?: string;
  readonly httpOnly: boolean;
  readonly partitioned: boolean;
  readonly path?: string;
  readonly sameSite?: 'Strict' | 'Lax' | 'None';
  readonly secure: boolean;
}

/** When a webhook is called. */
export type HookType =
  | 'confirm-rollout'
  | 'pre-rollout'
  | 'rollout'
  | 'confirm-traffic-increase'
  | 'confirm-promotion'
  | 'post-rollout'
  | 'rollback'
  | 'event';

/** One entry of `spec.analysis.webhooks`. */
export interface Webhook {
  readonly type: HookType;
  readonly name: string;
  readonly url: string;
  /** As written in the manifest, `10s` when absent; one that cannot be read fails the hook. */
  readonly timeout: string;
  /** Attempts after the first. */
  readonly retries: number;
  /** Keeps a closed gate from being alerted. */
  readonly muteAlert: boolean;
  /** Leaves the certificate of the server unchecked. */
  readonly disableTls: boolean;
  readonly metadata: Readonly<Record<string, string>>;
}

/** One entry of `spec.analysis.gates`: a person has to approve before the release goes on. */
export interface Gate {
  readonly name: string;
  readonly before: 'rollout' | 'traffic-increase' | 'promotion';
  /** Who may approve; empty for anybody. */
  readonly approvers: readonly string[];
  /** Milliseconds the gate waits for a person; absent for ever. */
  readonly timeoutMs?: number;
  readonly onTimeout: 'reject' | 'approve' | 'hold';
}

/** One entry of `spec.analysis.metrics`. */
export interface Metric {
  readonly name: string;
  /** As written in the manifest (it is inserted into queries), `1m` when absent. */
  readonly interval: string;
  readonly threshold: number;
  readonly range?: { readonly min?: number; readonly max?: number };
  readonly query?: string;
  readonly template?: { readonly name: string; readonly namespace: string };
  readonly variables: Readonly<Record<string, string>>;
  readonly onNoData: UnansweredPolicy;
  readonly onProviderError: UnansweredPolicy;
  /** Fewer samples than this count as no data, where the provider can count them. */
  readonly minRequests?: number;
}

/**
 * What a metric without a value means: a failed check, a check that is repeated and stops the
 * progress but counts nothing (`hold` until there is a value, `extend` for as many checks as
 * failures are allowed), or nothing at all.
 */
export type UnansweredPolicy = 'fail' | 'hold' | 'extend' | 'ignore';

export type Phase =
  | ''
  | 'Initializing'
  | 'Initialized'
  | 'Waiting'
  | 'Progressing'
  | 'WaitingPromotion'
  | 'Promoting'
  | 'Finalising'
  | 'Succeeded'
  | 'Failed'
  | 'Terminating'
  | 'Terminated';

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly lastUpdateTime: string;
  readonly lastTransitionTime: string;
}

/** `Canary.status`, as the API server holds it. */
export interface CanaryStatus {
  readonly phase?: Phase;
  readonly canaryWeight?: number;
  readonly failedChecks?: number;
  readonly iterations?: number;
  /** Cookies of session affinity as `name=value`. */
  readonly sessionAffinityCookie?: string;
  readonly previousSessionAffinityCookie?: string;
  readonly primarySessionAffinityCookie?: string;
  /** `configmap/NAME` or `secret/NAME` → checksum of its content. */
  readonly trackedConfigs?: Readonly<Record<string, string>>;
  readonly lastAppliedSpec?: string;
  readonly lastPromotedSpec?: string;
  /** The generation of the manifest the generated objects were last made from. */
  readonly observedGeneration?: number;
  readonly lastTransitionTime?: string;
  readonly conditions?: readonly Condition[];
}
