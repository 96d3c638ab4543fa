import { parseDuration } from './duration.js';
import type { KubeObject } from './objects.js';
import { isProvider, providers, type Provider } from './providers.js';

/** A Canary with every default applied: inside the product nothing that has a default is optional. */
export interface Canary {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly generation: number;
  readonly provider: Provider;
  readonly target: {
    readonly apiVersion: string;
    readonly kind: 'Deployment';
    readonly name: string;
  };
  readonly service: ServiceSpec;
  readonly analysis: Analysis;
  readonly metricsServer?: string;
  readonly ingressName?: string;
  readonly routeName?: string;
  readonly progressDeadlineMs: number;
  readonly skipAnalysis: boolean;
  readonly suspend: boolean;
  readonly status: CanaryStatus;
}

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
  readonly [part: string]: unknown;
}

/** `spec.analysis`. */
export interface Analysis {
  /** Milliseconds between two checks; never under 10 s unless the process allows it. */
  readonly intervalMs: number;
  /** Failed checks that trigger the rollback. */
  readonly threshold: number;
  /** The canary weights of the release in order; the last one is followed by promotion. */
  readonly weights: readonly number[];
  /** Points by which promotion shifts traffic back; 0 shifts all at once. */
  readonly stepWeightPromotion: number;
  readonly primaryReadyThreshold: number;
  readonly canaryReadyThreshold: number;
  readonly match: readonly RequestMatch[];
  readonly metrics: readonly Metric[];
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
}

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
  readonly lastAppliedSpec?: string;
  readonly lastPromotedSpec?: string;
  readonly lastTransitionTime?: string;
  readonly conditions?: readonly Condition[];
}

/** What the worker's configuration gives to manifests that leave it out. */
export interface CanaryDefaults {
  readonly provider: string;
  /** The shortest interval a manifest may ask for, in milliseconds. Flagger's floor is 10 s. */
  readonly minIntervalMs: number;
}

export type Parsed =
  | { readonly ok: true; readonly canary: Canary }
  | { readonly ok: false; readonly problems: readonly string[] };

/**
 * Reads a Canary manifest, once, at the edge. Each problem names the field, what it holds and what
 * is allowed; the schema's own rules are the API server's business and are not repeated.
 */
export function parseCanary(object: KubeObject, defaults: CanaryDefaults): Parsed {
  const spec = object.spec as WireSpec;
  const { provider = defaults.provider } = spec;
  const problems = problemsOf(spec, provider);
  if (problems.length > 0 || !isProvider(provider)) return { ok: false, problems };
  return {
    ok: true,
    canary: { ...identityOf(object), ...specOf(spec, object, defaults), provider },
  };
}

function problemsOf(spec: WireSpec, provider: string): string[] {
  return [
    ...problemsOfProvider(provider),
    ...problemsOfTarget(spec),
    ...problemsOfStrategy(spec.analysis ?? {}),
    ...(spec.service?.port === undefined ? ['spec.service.port: is required'] : []),
    ...problemsOfExtras(spec),
  ];
}

/** What would change how a release goes is refused rather than left out in silence. */
function problemsOfExtras({ autoscalerRef, analysis }: WireSpec): string[] {
  const hooks = (analysis?.webhooks ?? []).filter(
    ({ type = '' }) => type !== 'event' && type !== 'post-rollout',
  );
  return [
    ...(autoscalerRef === undefined
      ? []
      : ['spec.autoscalerRef: autoscalers are not supported yet']),
    ...(hooks.length === 0
      ? []
      : [
          `spec.analysis.webhooks: ${hooks.map(({ name }) => name).join(', ')}: checks and gates by webhook are not supported yet`,
        ]),
  ];
}

function identityOf({ metadata, status }: KubeObject): Identity {
  const { name, namespace = 'default', uid = '', generation = 0 } = metadata;
  return { name, namespace, uid, generation, status: status ?? {} };
}

function specOf(
  spec: WireSpec,
  { metadata: { namespace = 'default' } }: KubeObject,
  defaults: CanaryDefaults,
): Omit<Canary, keyof Identity | 'provider'> {
  const { metricsServer, ingressRef, routeRef, progressDeadlineSeconds = 600 } = spec;
  return {
    target: { ...spec.targetRef, kind: 'Deployment' },
    service: serviceOf(spec),
    analysis: analysisOf(spec.analysis ?? {}, namespace, defaults),
    ...defined({ metricsServer, ingressName: ingressRef?.name, routeName: routeRef?.name }),
    progressDeadlineMs: progressDeadlineSeconds * 1_000,
    skipAnalysis: spec.skipAnalysis === true,
    suspend: spec.suspend === true,
  };
}

function problemsOfProvider(provider: string): string[] {
  return isProvider(provider)
    ? []
    : [`spec.provider: ${provider} is not supported (supported: ${providers.join(', ')})`];
}

function problemsOfTarget({ targetRef }: WireSpec): string[] {
  return targetRef.kind === 'Deployment'
    ? []
    : [`spec.targetRef.kind: ${targetRef.kind} is not supported yet (supported: Deployment)`];
}

function problemsOfStrategy(wire: WireAnalysis): string[] {
  if ((wire.iterations ?? 0) > 0) {
    return [
      'spec.analysis.iterations: A/B testing and Blue/Green are not supported yet (use stepWeight or stepWeights)',
    ];
  }
  if (wire.mirror === true) return ['spec.analysis.mirror: mirroring is not supported yet'];
  if (weightsOf(wire).length === 0) {
    return ['spec.analysis.stepWeight: must be above 0 (or list spec.analysis.stepWeights)'];
  }
  const steps = wire.stepWeights ?? [];
  const ascending = steps.every((weight, i) => weight > (steps[i - 1] ?? 0));
  return (wire.stepWeight ?? 0) > 0 || ascending
    ? []
    : [`spec.analysis.stepWeights: [${steps.join(', ')}] must be ascending weights above 0`];
}

/**
 * Every weight the canary takes, in order. Steps may pass maxWeight by less than one step, as in
 * Flagger: step 20 and max 50 give 20, 40, 60.
 */
export function weightsOf({
  stepWeight = 0,
  stepWeights = [],
  maxWeight = 0,
}: WireAnalysis): number[] {
  if (stepWeight <= 0) return stepWeights.map((weight) => Math.min(100, weight));
  const last = stepWeights.at(-1);
  const max =
    last !== undefined ? Math.min(100, last) : maxWeight > 0 ? Math.min(100, maxWeight) : 100;
  const weights = [];
  for (let weight = 0; weight < max;) {
    weight = Math.min(100, weight + stepWeight);
    weights.push(weight);
  }
  return weights;
}

const analysisDefaults = {
  stepWeightPromotion: 0,
  primaryReadyThreshold: 100,
  canaryReadyThreshold: 100,
  match: [],
};

function analysisOf(
  wire: WireAnalysis,
  namespace: string,
  { minIntervalMs }: CanaryDefaults,
): Analysis {
  const {
    interval = '',
    threshold = 1,
    metrics = [],
    stepWeightPromotion,
    primaryReadyThreshold,
    canaryReadyThreshold,
    match,
  } = wire;
  return {
    ...analysisDefaults,
    ...defined({ stepWeightPromotion, primaryReadyThreshold, canaryReadyThreshold, match }),
    intervalMs: Math.max(parseDuration(interval) ?? 60_000, minIntervalMs),
    threshold: Math.max(1, threshold),
    weights: weightsOf(wire),
    metrics: metrics.map((metric) => metricOf(metric, namespace)),
  };
}

function metricOf(wire: WireMetric, namespace: string): Metric {
  const { templateRef, thresholdRange, templateVariables, ...rest } = wire;
  return {
    interval: '1m',
    threshold: 0,
    ...rest,
    variables: templateVariables ?? {},
    ...defined({ range: thresholdRange }),
    ...(templateRef === undefined ? {} : { template: { namespace, ...templateRef } }),
  };
}

/** Leaves out the keys that hold undefined, so that spreading the rest keeps defaults. */
function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

const serviceDefaults = {
  port: 0,
  portName: 'http',
  portDiscovery: false,
  headless: false,
  hosts: [],
  gatewayRefs: [],
  match: [],
  mirror: [],
};

function serviceOf({ service = {}, targetRef }: WireSpec): ServiceSpec {
  const { apex, primary, canary, unmanagedMetadata, targetPort, ...rest } = service;
  const port = service.port ?? 0;
  return {
    ...serviceDefaults,
    name: targetRef.name,
    ...rest,
    targetPort: targetPort === undefined || String(targetPort) === '0' ? port : targetPort,
    apex: metadataOf(apex),
    primary: metadataOf(primary),
    canary: metadataOf(canary),
    unmanaged: { labels: [], annotations: [], ...unmanagedMetadata },
  };
}

function metadataOf(wire: Partial<Metadata> | undefined): Metadata {
  return { labels: wire?.labels ?? {}, annotations: wire?.annotations ?? {} };
}

type Identity = Pick<Canary, 'name' | 'namespace' | 'uid' | 'generation' | 'status'>;

interface WireSpec {
  readonly provider?: string;
  readonly metricsServer?: string;
  readonly targetRef: { readonly apiVersion: string; readonly kind: string; readonly name: string };
  readonly ingressRef?: { readonly name: string };
  readonly routeRef?: { readonly name: string };
  readonly autoscalerRef?: { readonly kind: string; readonly name: string };
  readonly service?: WireService;
  readonly analysis?: WireAnalysis;
  readonly progressDeadlineSeconds?: number;
  readonly skipAnalysis?: boolean;
  readonly suspend?: boolean;
}

interface WireService extends Partial<
  Pick<
    ServiceSpec,
    | 'name'
    | 'port'
    | 'portName'
    | 'targetPort'
    | 'appProtocol'
    | 'trafficDistribution'
    | 'portDiscovery'
    | 'headless'
    | 'timeout'
    | 'backendTimeout'
    | 'hosts'
    | 'gatewayRefs'
    | 'match'
    | 'rewrite'
    | 'retries'
    | 'headers'
    | 'mirror'
    | 'corsPolicy'
  >
> {
  readonly apex?: Partial<Metadata>;
  readonly primary?: Partial<Metadata>;
  readonly canary?: Partial<Metadata>;
  readonly unmanagedMetadata?: {
    readonly labels?: readonly string[];
    readonly annotations?: readonly string[];
  };
}

interface WireAnalysis {
  readonly interval?: string;
  readonly threshold?: number;
  readonly iterations?: number;
  readonly maxWeight?: number;
  readonly stepWeight?: number;
  readonly stepWeights?: readonly number[];
  readonly stepWeightPromotion?: number;
  readonly mirror?: boolean;
  readonly primaryReadyThreshold?: number;
  readonly canaryReadyThreshold?: number;
  readonly match?: readonly RequestMatch[];
  readonly metrics?: readonly WireMetric[];
  readonly webhooks?: readonly { readonly name: string; readonly type?: string }[];
}

interface WireMetric {
  readonly name: string;
  readonly interval?: string;
  readonly threshold?: number;
  readonly thresholdRange?: { readonly min?: number; readonly max?: number };
  readonly query?: string;
  readonly templateRef?: { readonly name: string; readonly namespace?: string };
  readonly templateVariables?: Readonly<Record<string, string>>;
}
