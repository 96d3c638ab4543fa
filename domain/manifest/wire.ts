import type { Severity } from '../alerts.js';
import type {
  AutoscalerRef,
  Gate,
  HookType,
  Metadata,
  RequestMatch,
  ServiceSpec,
  SessionAffinity,
  UnansweredPolicy,
} from '../canary.js';

/** `Canary.spec` as people write it. The API server has checked its types, not what it means. */
export interface WireSpec {
  readonly provider?: string;
  readonly metricsServer?: string;
  readonly targetRef: { readonly apiVersion: string; readonly kind: string; readonly name: string };
  readonly autoscalerRef?: WireAutoscalerRef;
  readonly ingressRef?: { readonly name: string };
  readonly routeRef?: { readonly name: string };
  readonly upstreamRef?: { readonly name: string; readonly namespace?: string };
  readonly additionalRoutes?: readonly WireRoute[];
  readonly service?: WireService;
  readonly analysis?: WireAnalysis;
  /** The name of `analysis` before v1beta1. */
  readonly canaryAnalysis?: WireAnalysis;
  readonly progressDeadlineSeconds?: number;
  readonly skipAnalysis?: boolean;
  readonly revertOnDeletion?: boolean;
  readonly suspend?: boolean;
  readonly onNewRevision?: 'restart' | 'queue' | 'refuse';
}

/** One entry of `spec.additionalRoutes`. */
export interface WireRoute extends Pick<WireSpec, 'ingressRef' | 'routeRef' | 'upstreamRef'> {
  readonly provider: string;
}

export interface WireAutoscalerRef extends Partial<
  Pick<AutoscalerRef, 'primaryScalerQueries' | 'primaryScalerReplicas'>
> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

export interface WireService extends Partial<
  Omit<ServiceSpec, 'apex' | 'primary' | 'canary' | 'unmanaged'>
> {
  readonly apex?: Partial<Metadata>;
  readonly primary?: Partial<Metadata>;
  readonly canary?: Partial<Metadata>;
  readonly unmanagedMetadata?: {
    readonly labels?: readonly string[];
    readonly annotations?: readonly string[];
  };
}

export interface WireAnalysis {
  readonly interval?: string;
  readonly threshold?: number;
  readonly iterations?: number;
  readonly maxWeight?: number;
  readonly stepWeight?: number;
  readonly stepWeights?: readonly number[];
  readonly stepWeightPromotion?: number;
  readonly mirror?: boolean;
  readonly mirrorWeight?: number;
  readonly shift?: 'traffic' | 'replicas';
  readonly primaryReadyThreshold?: number;
  readonly canaryReadyThreshold?: number;
  readonly match?: readonly RequestMatch[];
  readonly sessionAffinity?: Partial<SessionAffinity>;
  readonly metrics?: readonly WireMetric[];
  readonly webhooks?: readonly WireWebhook[];
  readonly gates?: readonly WireGate[];
  readonly alerts?: readonly WireAlert[];
  readonly onFailure?: 'rollback' | 'hold';
}

export interface WireMetric {
  readonly name: string;
  readonly interval?: string;
  readonly threshold?: number;
  readonly thresholdRange?: { readonly min?: number; readonly max?: number };
  readonly query?: string;
  readonly templateRef?: { readonly name: string; readonly namespace?: string };
  readonly templateVariables?: Readonly<Record<string, string>>;
  readonly onNoData?: UnansweredPolicy;
  readonly onProviderError?: UnansweredPolicy;
  readonly minRequests?: number;
}

export interface WireWebhook {
  readonly type?: HookType | '';
  readonly name: string;
  readonly url: string;
  readonly timeout?: string;
  readonly retries?: number;
  readonly muteAlert?: boolean;
  readonly disableTLS?: boolean;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface WireAlert {
  readonly name: string;
  readonly severity?: Severity | '';
  readonly providerRef: { readonly name: string; readonly namespace?: string };
}

export interface WireGate {
  readonly name: string;
  readonly before: Gate['before'];
  readonly approvers?: readonly string[];
  readonly timeout?: string;
  readonly onTimeout?: Gate['onTimeout'];
}
