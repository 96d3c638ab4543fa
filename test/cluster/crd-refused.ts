import {
  aCanary,
  aMetricTemplate,
  alerting,
  analysing,
  anAlertProvider,
  attachedTo,
  calling,
  deployment,
  loadBalancing,
  measuring,
  mirroring,
  routing,
  scaledBy,
  serving,
  testing,
  without,
} from './crd-manifests.js';
import type { Manifest } from './crd-manifests.js';

/** A manifest the API server refuses, naming `field`; the sentence is the name of the test. */
export interface RefusedCase {
  readonly sentence: string;
  readonly manifest: Manifest;
  readonly field: string;
}

const refuses = (sentence: string, field: string, manifest: Manifest): RefusedCase => ({
  sentence,
  field,
  manifest,
});
/** A long value by its beginning and its length. */
const shown = (value: string | number): string =>
  String(value).length > 20
    ? `${String(value).slice(0, 3)}… (${String(value).length} characters)`
    : JSON.stringify(value);

const providerRef = { name: 'slack' };

/** The references to other objects, with a kind each may have. */
const references = {
  autoscalerRef: 'HorizontalPodAutoscaler',
  ingressRef: 'Ingress',
  routeRef: 'ApisixRoute',
  upstreamRef: 'Upstream',
} as const;

/** Values of a gatewayRef or a mirror's backendRef that are just out of bounds. */
const outOfBounds = [
  ['name', ''],
  ['name', 'a'.repeat(254)],
  ['group', 'Upper.Case'],
  ['group', 'a'.repeat(254)],
  ['kind', ''],
  ['kind', '1st'],
  ['kind', 'K'.repeat(64)],
  ['namespace', ''],
  ['namespace', 'a.b'],
  ['namespace', 'a'.repeat(64)],
  ['port', 0],
  ['port', 65536],
  ['port', 80.5],
] as const;

/** Manifests that are refused, with the field the answer names. */
export const refusedCases: readonly RefusedCase[] = [
  refuses('a Canary without targetRef', 'spec.targetRef', without(aCanary(), 'targetRef')),
  refuses('a Canary without analysis', 'spec.analysis', without(aCanary(), 'analysis')),
  refuses(
    'canaryAnalysis in place of analysis',
    'spec.analysis',
    without(
      aCanary({ canaryAnalysis: { interval: '1m', threshold: 1, stepWeight: 5 } }),
      'analysis',
    ),
  ),
  ...['envoy', '', 'Contour', 'gatewayapi:v1alpha2', 'smi'].map((provider) =>
    refuses(`a router named "${provider}"`, 'spec.provider', aCanary({ provider })),
  ),
  refuses(
    'a target of kind StatefulSet',
    'spec.targetRef.kind',
    aCanary({ targetRef: { ...deployment, kind: 'StatefulSet' } }),
  ),
  ...['apiVersion', 'kind', 'name'].map((field) =>
    refuses(
      `a target without ${field}`,
      `spec.targetRef.${field}`,
      aCanary({ targetRef: { ...deployment, [field]: undefined } }),
    ),
  ),
  ...['minReplicas', 'maxReplicas'].map((field) =>
    refuses(
      `${field} of 0 for the primary`,
      `spec.autoscalerRef.primaryScalerReplicas.${field}`,
      scaledBy({ name: 'web', primaryScalerReplicas: { [field]: 0 } }),
    ),
  ),
  ...Object.entries(references).flatMap(([field, kind]) => [
    refuses(
      `${field} of another kind than ${kind}`,
      `spec.${field}.kind`,
      aCanary({ [field]: { apiVersion: 'v1', kind: 'ConfigMap', name: 'web' } }),
    ),
    ...['apiVersion', 'kind', 'name'].map((missing) =>
      refuses(
        `${field} without ${missing}`,
        `spec.${field}.${missing}`,
        aCanary({ [field]: { apiVersion: 'v1', kind, name: 'web', [missing]: undefined } }),
      ),
    ),
  ]),
  refuses(
    'a deadline in words',
    'spec.progressDeadlineSeconds',
    aCanary({ progressDeadlineSeconds: '60s' }),
  ),
  refuses('skipAnalysis as text', 'spec.skipAnalysis', aCanary({ skipAnalysis: 'true' })),

  refuses('stepWeight beside iterations', 'spec.analysis', analysing({ iterations: 10 })),
  refuses('stepWeight beside stepWeights', 'spec.analysis', analysing({ stepWeights: [10, 20] })),
  refuses('no strategy at all', 'spec.analysis', analysing({ stepWeight: undefined })),
  refuses('an analysis without interval', 'spec.analysis', analysing({ interval: undefined })),
  refuses('an analysis without threshold', 'spec.analysis', analysing({ threshold: undefined })),
  ...['1h', '', 's', '-30s', '1.5m', ' 30s', '30'].map((interval) =>
    refuses(`an interval of "${interval}"`, 'spec.analysis.interval', analysing({ interval })),
  ),
  refuses('a threshold in words', 'spec.analysis.threshold', analysing({ threshold: '5' })),
  refuses(
    'a weight of steps in words',
    'spec.analysis.stepWeights[1]',
    analysing({ stepWeight: undefined, stepWeights: [10, '20'] }),
  ),
  refuses(
    'an A/B header without a comparison',
    'spec.analysis.match[0].headers.x-user',
    testing({ headers: { 'x-user': {} } }),
  ),
  refuses(
    'an A/B header with two comparisons',
    'spec.analysis.match[0].headers.x-user',
    testing({ headers: { 'x-user': { exact: 'a', suffix: 'b' } } }),
  ),
  refuses(
    'an A/B query parameter with two comparisons',
    'spec.analysis.match[0].queryParams.a',
    testing({ queryParams: { a: { exact: 'a', regex: 'b' } } }),
  ),
  refuses(
    'session affinity without a cookie name',
    'spec.analysis.sessionAffinity.cookieName',
    analysing({ sessionAffinity: {} }),
  ),
  refuses(
    'a cookie that is the same site sometimes',
    'spec.analysis.sessionAffinity.sameSite',
    analysing({ sessionAffinity: { cookieName: 'a', sameSite: 'lax' } }),
  ),
  refuses('an alert without name', 'spec.analysis.alerts[0].name', alerting({ providerRef })),
  refuses(
    'an alert without providerRef',
    'spec.analysis.alerts[0].providerRef',
    alerting({ name: 'on-call' }),
  ),
  refuses(
    'an alert whose providerRef has no name',
    'spec.analysis.alerts[0].providerRef.name',
    alerting({ name: 'on-call', providerRef: {} }),
  ),
  refuses(
    'an alert of severity warning',
    'spec.analysis.alerts[0].severity',
    alerting({ name: 'on-call', severity: 'warning', providerRef }),
  ),
  refuses('a metric without name', 'spec.analysis.metrics[0].name', measuring({ threshold: 99 })),
  refuses(
    'a metric looking back 1h',
    'spec.analysis.metrics[0].interval',
    measuring({ name: 'a', interval: '1h' }),
  ),
  refuses(
    'a metric whose templateRef has no name',
    'spec.analysis.metrics[0].templateRef.name',
    measuring({ name: 'a', templateRef: { namespace: 'infra' } }),
  ),
  refuses(
    'a limit in words',
    'spec.analysis.metrics[0].thresholdRange.max',
    measuring({ name: 'a', thresholdRange: { max: '500' } }),
  ),
  refuses(
    'a template variable that is a number',
    'spec.analysis.metrics[0].templateVariables.code',
    measuring({ name: 'a', templateVariables: { code: 500 } }),
  ),
  refuses('a webhook without name', 'spec.analysis.webhooks[0].name', calling({ name: undefined })),
  refuses('a webhook without url', 'spec.analysis.webhooks[0].url', calling({ url: undefined })),
  refuses('a webhook of unknown type', 'spec.analysis.webhooks[0].type', calling({ type: 'gate' })),
  refuses(
    'a webhook timeout of 1h',
    'spec.analysis.webhooks[0].timeout',
    calling({ timeout: '1h' }),
  ),
  refuses(
    'webhook metadata that is a number',
    'spec.analysis.webhooks[0].metadata.rate',
    calling({ metadata: { rate: 10 } }),
  ),

  refuses('a service without port', 'spec.service.port', serving({ port: undefined })),
  refuses('a port in words', 'spec.service.port', serving({ port: '80' })),
  refuses('a targetPort that is true', 'spec.service.targetPort', serving({ targetPort: true })),
  refuses(
    'an unknown traffic distribution',
    'spec.service.trafficDistribution',
    serving({ trafficDistribution: 'Local' }),
  ),
  refuses(
    '33 gatewayRefs',
    'spec.service.gatewayRefs',
    serving({ gatewayRefs: Array(33).fill({ name: 'edge' }) }),
  ),
  refuses(
    'a gatewayRef without name',
    'spec.service.gatewayRefs[0].name',
    attachedTo({ name: undefined }),
  ),
  ...[
    ...outOfBounds,
    ['sectionName', ''] as const,
    ['sectionName', 'HTTP'] as const,
    ['sectionName', 'a'.repeat(254)] as const,
  ].map(([field, value]) =>
    refuses(
      `a gatewayRef whose ${field} is ${shown(value)}`,
      `spec.service.gatewayRefs[0].${field}`,
      attachedTo({ [field]: value }),
    ),
  ),
  ...outOfBounds.map(([field, value]) =>
    refuses(
      `a mirror whose ${field} is ${shown(value)}`,
      `spec.service.mirror[0].backendRef.${field}`,
      mirroring({ name: 'shadow', port: 80, [field]: value }),
    ),
  ),
  refuses(
    'a mirror to a Service without port',
    'spec.service.mirror[0].backendRef',
    mirroring({ name: 'shadow' }),
  ),
  refuses(
    'a mirror without a name',
    'spec.service.mirror[0].backendRef.name',
    mirroring({ port: 80 }),
  ),
  ...['uri', 'scheme', 'method', 'authority'].map((field) =>
    refuses(
      `a ${field} with two comparisons`,
      `spec.service.match[0].${field}`,
      routing({ [field]: { exact: '/', prefix: '/' } }),
    ),
  ),
  ...['headers', 'withoutHeaders', 'queryParams'].map((field) =>
    refuses(
      `two comparisons in ${field}`,
      `spec.service.match[0].${field}.a`,
      routing({ [field]: { a: { exact: '/', regex: '/' } } }),
    ),
  ),
  refuses(
    'a CORS origin without a comparison',
    'spec.service.corsPolicy.allowOrigins[0]',
    serving({ corsPolicy: { allowOrigins: [{}] } }),
  ),
  refuses(
    'a load balancer of both sorts',
    'spec.service.trafficPolicy.loadBalancer',
    loadBalancing({ simple: 'RANDOM', consistentHash: { useSourceIp: true } }),
  ),
  refuses(
    'a load balancer of neither sort',
    'spec.service.trafficPolicy.loadBalancer',
    loadBalancing({ warmupDurationSecs: '60s' }),
  ),
  refuses(
    'consistent hashing without a key',
    'spec.service.trafficPolicy.loadBalancer',
    loadBalancing({ consistentHash: {} }),
  ),
  refuses(
    'consistent hashing by two keys',
    'spec.service.trafficPolicy.loadBalancer',
    loadBalancing({ consistentHash: { useSourceIp: true, httpHeaderName: 'x-user' } }),
  ),
  refuses(
    'an unknown simple load balancer',
    'spec.service.trafficPolicy.loadBalancer.simple',
    loadBalancing({ simple: 'MAGLEV' }),
  ),
  refuses(
    'an unknown upgrade policy',
    'spec.service.trafficPolicy.connectionPool.http.h2UpgradePolicy',
    serving({ trafficPolicy: { connectionPool: { http: { h2UpgradePolicy: 'ALWAYS' } } } }),
  ),
  refuses(
    'an unknown TLS mode',
    'spec.service.trafficPolicy.tls.mode',
    serving({ trafficPolicy: { tls: { mode: 'ON' } } }),
  ),
  refuses(
    'retries by half',
    'spec.service.retries.attempts',
    serving({ retries: { attempts: 1.5 } }),
  ),

  refuses('a MetricTemplate without query', 'spec.query', without(aMetricTemplate(), 'query')),
  refuses(
    'a MetricTemplate without provider',
    'spec.provider',
    without(aMetricTemplate(), 'provider'),
  ),
  refuses(
    'a metric provider without type',
    'spec.provider.type',
    aMetricTemplate({ provider: { address: 'http://prometheus:9090' } }),
  ),
  refuses(
    'an unknown metric provider',
    'spec.provider.type',
    aMetricTemplate({ provider: { type: 'signoz' } }),
  ),
  refuses(
    'a metric provider whose secretRef has no name',
    'spec.provider.secretRef.name',
    aMetricTemplate({ provider: { type: 'datadog', secretRef: {} } }),
  ),
  refuses(
    'a header of a metric provider with one bare value',
    'spec.provider.headers.x-scope',
    aMetricTemplate({ provider: { type: 'prometheus', headers: { 'x-scope': 'shop' } } }),
  ),

  refuses(
    'an AlertProvider with both address and secretRef',
    'spec',
    anAlertProvider({ type: 'slack', address: 'https://a', secretRef: { name: 'slack' } }),
  ),
  refuses(
    'an AlertProvider with neither address nor secretRef',
    'spec',
    anAlertProvider({ type: 'slack' }),
  ),
  refuses('an AlertProvider without type', 'spec', anAlertProvider({ address: 'https://a' })),
  refuses(
    'an AlertProvider whose address is a number',
    'spec.address',
    anAlertProvider({ type: 'slack', address: 80 }),
  ),
  refuses(
    'an AlertProvider of unknown type',
    'spec.type',
    anAlertProvider({ type: 'email', address: 'https://a' }),
  ),
  refuses(
    'an AlertProvider whose secretRef has no name',
    'spec.secretRef.name',
    anAlertProvider({ type: 'slack', secretRef: {} }),
  ),
];
