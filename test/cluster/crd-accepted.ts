import {
  completeAlertProvider,
  completeCanary,
  completeMetricTemplate,
} from './complete-manifests.js';
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
import type { Fields, Manifest } from './crd-manifests.js';

/** A manifest the API server stores as it is; the sentence is the name of the test. */
export interface AcceptedCase {
  readonly sentence: string;
  readonly manifest: Manifest;
}

const accepts = (sentence: string, manifest: Manifest): AcceptedCase => ({ sentence, manifest });
const routerNames = [
  'apisix',
  'appmesh',
  'appmesh:v1beta2',
  'contour',
  'gatewayapi:v1',
  'gatewayapi:v1beta1',
  'gloo',
  'istio',
  'knative',
  'kubernetes',
  'kuma',
  'linkerd',
  'nginx',
  'osm',
  'skipper',
  'smi:v1alpha1',
  'smi:v1alpha2',
  'smi:v1alpha3',
  'traefik',
] as const;

const webhookTypes = [
  '',
  'confirm-rollout',
  'pre-rollout',
  'rollout',
  'confirm-promotion',
  'post-rollout',
  'event',
  'rollback',
  'confirm-traffic-increase',
] as const;

const metricProviders = [
  'prometheus',
  'influxdb',
  'datadog',
  'externalmetrics',
  'stackdriver',
  'cloudwatch',
  'newrelic',
  'graphite',
  'dynatrace',
  'keptn',
  'splunk',
] as const;

const providerRef = { name: 'slack' };

const comparisons = [{ exact: 'a' }, { prefix: 'a' }, { regex: 'a' }] as const;
const by = (comparison: Fields): string => Object.keys(comparison).join() || 'nothing';

/** Manifests that are stored exactly as written. */
export const acceptedCases: readonly AcceptedCase[] = [
  accepts('a Canary that sets every field', completeCanary),
  accepts('a Canary without a spec', {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name: 'web' },
  }),
  accepts('a Canary without a service', without(aCanary(), 'service')),
  ...routerNames.map((provider) => accepts(`router ${provider}`, aCanary({ provider }))),
  ...['DaemonSet', 'Deployment', 'Service'].map((kind) =>
    accepts(`a target of kind ${kind}`, aCanary({ targetRef: { ...deployment, kind } })),
  ),
  accepts('a HorizontalPodAutoscaler', scaledBy({ name: 'web' })),

  accepts('stepWeight alone', analysing({})),
  accepts(
    'stepWeights alone',
    aCanary({ analysis: { interval: '1m', threshold: 1, stepWeights: [] } }),
  ),
  accepts(
    'iterations alone',
    aCanary({ analysis: { interval: '1m', threshold: 1, iterations: 10 } }),
  ),
  accepts(
    'iterations beside maxWeight',
    aCanary({ analysis: { interval: '1m', threshold: 1, iterations: 10, maxWeight: 50 } }),
  ),
  ...['30s', '1m', '1m30s', '500ms', '1min', '10sec', '0s'].map((interval) =>
    accepts(`an interval of ${interval}`, analysing({ interval })),
  ),
  accepts('a fractional threshold', analysing({ threshold: 1.5 })),
  accepts('a negative threshold', analysing({ threshold: -1 })),
  accepts('weights beyond 100', analysing({ stepWeight: 150, maxWeight: 1000 })),
  accepts('fractional steps', analysing({ stepWeight: 0.5, stepWeightPromotion: 2.5 })),
  ...['exact', 'prefix', 'suffix', 'regex'].map((comparison) =>
    accepts(
      `an A/B header compared by ${comparison}`,
      testing({ headers: { 'x-user': { [comparison]: 'a' } } }),
    ),
  ),
  ...['Strict', 'Lax', 'None'].map((sameSite) =>
    accepts(
      `a cookie with sameSite ${sameSite}`,
      analysing({ sessionAffinity: { cookieName: 'a', maxAge: 1, sameSite } }),
    ),
  ),
  ...['', 'info', 'warn', 'error'].map((severity) =>
    accepts(
      `an alert of severity "${severity}"`,
      alerting({ name: 'on-call', severity, providerRef }),
    ),
  ),
  ...webhookTypes.map((type) => accepts(`a webhook of type "${type}"`, calling({ type }))),
  accepts('a webhook whose url is none', calling({ url: 'not a url' })),
  accepts('a metric with nothing but a name', measuring({ name: 'request-success-rate' })),

  accepts('a numbered targetPort', serving({ targetPort: 8080 })),
  accepts('a named targetPort', serving({ targetPort: 'http' })),
  accepts('a fractional port', serving({ port: 80.5 })),
  ...['PreferClose', 'PreferSameZone', 'PreferSameNode'].map((trafficDistribution) =>
    accepts(`traffic distribution ${trafficDistribution}`, serving({ trafficDistribution })),
  ),
  accepts(
    'a core Service as the parent of a route',
    attachedTo({ group: '', kind: 'Service', port: 80 }),
  ),
  accepts(
    '32 gatewayRefs',
    serving({ gatewayRefs: Array(32).fill({ group: 'g.io', kind: 'Gateway', name: 'edge' }) }),
  ),
  accepts('an empty entry of service.mirror', serving({ mirror: [{}] })),
  accepts(
    'a mirror without port that is not a core Service',
    mirroring({ group: 'net.example.com', kind: 'Backend', name: 'shadow' }),
  ),
  ...[{}, ...comparisons].flatMap((comparison) => [
    ...['uri', 'scheme', 'method', 'authority'].map((field) =>
      accepts(`${field} compared by ${by(comparison)}`, routing({ [field]: comparison })),
    ),
    ...['headers', 'withoutHeaders', 'queryParams'].map((field) =>
      accepts(`${field} compared by ${by(comparison)}`, routing({ [field]: { a: comparison } })),
    ),
    accepts(
      `an A/B query parameter compared by ${by(comparison)}`,
      testing({ queryParams: { a: comparison } }),
    ),
  ]),
  ...comparisons.map((comparison) =>
    accepts(
      `a CORS origin compared by ${by(comparison)}`,
      serving({ corsPolicy: { allowOrigins: [comparison] } }),
    ),
  ),
  accepts('a rewrite of an unknown type', serving({ rewrite: { uri: '/', type: 'Other' } })),
  ...['ROUND_ROBIN', 'LEAST_CONN', 'RANDOM', 'PASSTHROUGH', 'LEAST_REQUEST'].map((simple) =>
    accepts(`load balancing by ${simple}`, loadBalancing({ simple })),
  ),
  ...[
    { httpHeaderName: 'x-user' },
    { httpCookie: { name: 'a' } },
    { httpQueryParameterName: 'user' },
    { useSourceIp: true },
  ].map((consistentHash) =>
    accepts(`load balancing by ${by(consistentHash)}`, loadBalancing({ consistentHash })),
  ),
  ...['DEFAULT', 'DO_NOT_UPGRADE', 'UPGRADE'].map((h2UpgradePolicy) =>
    accepts(
      `upgrade policy ${h2UpgradePolicy}`,
      serving({ trafficPolicy: { connectionPool: { http: { h2UpgradePolicy } } } }),
    ),
  ),
  ...['DISABLE', 'SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL'].map((mode) =>
    accepts(`TLS mode ${mode}`, serving({ trafficPolicy: { tls: { mode } } })),
  ),
  accepts(
    'a simple load balancer beside a hash without a key',
    loadBalancing({ simple: 'RANDOM', consistentHash: { minimumRingSize: 1 } }),
  ),

  ...metricProviders.map((type) =>
    accepts(`metric provider ${type}`, aMetricTemplate({ provider: { type } })),
  ),
  accepts('a MetricTemplate that sets every field', completeMetricTemplate),
  ...['slack', 'msteams', 'discord', 'rocket', 'gchat'].map((type) =>
    accepts(`an AlertProvider of type ${type}`, anAlertProvider({ type, address: 'https://a' })),
  ),
  accepts('an AlertProvider with a Secret', completeAlertProvider),
];
