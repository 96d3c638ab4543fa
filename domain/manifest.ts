import type { AdditionalRoute, AutoscalerRef, Canary, Metadata, ServiceSpec } from './canary.js';
import { defined } from './entries.js';
import { analysisOf } from './manifest/analysis.js';
import { draftOf, type Draft } from './manifest/draft.js';
import { foreignRefs, problemsOf } from './manifest/problems.js';
import { warningsOf } from './manifest/strategy.js';
import type { WireRoute, WireSpec } from './manifest/wire.js';
import type { KubeObject } from './objects.js';
import { isProvider } from './providers.js';

/** What the worker's configuration gives to manifests that leave it out. */
export interface CanaryDefaults {
  readonly provider: string;
  /** The shortest interval a manifest may ask for, in milliseconds. Flagger's floor is 10 s. */
  readonly minIntervalMs: number;
  /** Refuses references to objects in other namespaces than the Canary's. */
  readonly noCrossNamespaceRefs?: boolean;
}

export type Parsed =
  | {
      readonly ok: true;
      readonly canary: Canary;
      /** What is read otherwise than written, as sentences. */
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly string[] };

/**
 * Reads a Canary manifest, once, at the edge. Each problem names the field, what it holds and what
 * is allowed; the schema's own rules are the API server's business and are not repeated.
 */
export function parseCanary(object: KubeObject, defaults: CanaryDefaults): Parsed {
  // The schema takes a Canary without a spec, as Flagger's does.
  if (object.spec === undefined) return { ok: false, problems: ['spec: is required'] };
  const draft = draftOf(object.spec as WireSpec, defaults.provider);
  const { provider, targetKind } = draft;
  const { namespace = 'default' } = object.metadata;
  const problems = [
    ...problemsOf(draft),
    ...(defaults.noCrossNamespaceRefs === true ? foreignRefs(draft, namespace) : []),
  ];
  if (problems.length > 0 || !isProvider(provider) || targetKind === undefined) {
    return { ok: false, problems };
  }
  const identity = identityOf(object);
  return {
    ok: true,
    canary: {
      ...identity,
      ...settingsOf(draft.spec),
      ...routeOf(draft.spec, identity.namespace),
      additionalRoutes: additionalRoutesOf(draft.spec, identity.namespace),
      provider,
      target: { ...draft.spec.targetRef, kind: targetKind },
      service: serviceOf(draft),
      analysis: analysisOf(draft, identity.namespace, defaults.minIntervalMs),
    },
    warnings: warningsOf(draft),
  };
}

function identityOf({
  metadata,
  status,
}: KubeObject): Pick<
  Canary,
  'name' | 'namespace' | 'uid' | 'generation' | 'accessLog' | 'mesh' | 'status'
> {
  const { name, namespace = 'default', uid = '', generation = 0, annotations = {} } = metadata;
  const accessLog = annotations['appmesh.flagger.app/accesslog'] === 'enabled';
  const mesh = annotations['kuma.io/mesh'] ?? 'default';
  return { name, namespace, uid, generation, accessLog, mesh, status: status ?? {} };
}

function settingsOf(
  spec: WireSpec,
): Pick<
  Canary,
  | 'autoscaler'
  | 'metricsServer'
  | 'progressDeadlineMs'
  | 'skipAnalysis'
  | 'suspend'
  | 'revertOnDeletion'
  | 'onNewRevision'
> {
  const { metricsServer, progressDeadlineSeconds = 600 } = spec;
  return {
    ...defined({ metricsServer, autoscaler: autoscalerOf(spec) }),
    progressDeadlineMs: progressDeadlineSeconds * 1_000,
    skipAnalysis: spec.skipAnalysis === true,
    suspend: spec.suspend === true,
    revertOnDeletion: spec.revertOnDeletion === true,
    onNewRevision: spec.onNewRevision ?? 'restart',
  };
}

/** What of the user's own leads to a route. */
function routeOf(
  { ingressRef, routeRef, upstreamRef }: Omit<WireRoute, 'provider'>,
  here: string,
): Omit<AdditionalRoute, 'provider'> {
  const { name = '', namespace = '' } = upstreamRef ?? {};
  return {
    ...defined({ ingressName: ingressRef?.name, routeName: routeRef?.name }),
    ...(upstreamRef === undefined
      ? {}
      : { upstreamRef: { name, namespace: namespace === '' ? here : namespace } }),
  };
}

function additionalRoutesOf(
  { additionalRoutes = [] }: WireSpec,
  here: string,
): readonly AdditionalRoute[] {
  return additionalRoutes.flatMap(({ provider, ...route }) =>
    isProvider(provider) ? [{ provider, ...routeOf(route, here) }] : [],
  );
}

function autoscalerOf({ autoscalerRef: wire }: WireSpec): AutoscalerRef | undefined {
  if (wire === undefined) return undefined;
  return {
    primaryScalerQueries: {},
    primaryScalerReplicas: {},
    ...wire,
    // Any other kind is a problem, so nobody gets here with one.
    kind: wire.kind as AutoscalerRef['kind'],
  };
}

const serviceDefaults = {
  /** No services: nobody calls the workload. */
  port: 0,
  portName: 'http',
  portDiscovery: false,
  headless: false,
  hosts: [],
  gateways: [],
  delegation: false,
  gatewayRefs: [],
  match: [],
  mirror: [],
  backends: [],
};

function serviceOf({ spec: { service = {}, targetRef } }: Draft): ServiceSpec {
  const { apex, primary, canary, unmanagedMetadata, targetPort, ...rest } = service;
  const port = service.port ?? 0;
  return {
    ...serviceDefaults,
    ...rest,
    // As in Flagger an empty name is none.
    name: service.name === undefined || service.name === '' ? targetRef.name : service.name,
    targetPort: targetPort === undefined || String(targetPort) === '0' ? port : targetPort,
    apex: metadataOf(apex),
    primary: metadataOf(primary),
    canary: metadataOf(canary),
    unmanaged: { labels: [], annotations: [], ...unmanagedMetadata },
  };
}

function metadataOf(wire: Partial<Metadata> | undefined): Metadata {
  return { labels: {}, annotations: {}, ...wire };
}
