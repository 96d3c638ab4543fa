import {
  aCanary,
  aMetricTemplate,
  alerting,
  analysing,
  anAlertProvider,
  attachedTo,
  measuring,
  mirroring,
  routing,
  serving,
  testing,
} from './crd-manifests.js';
import type { Manifest } from './crd-manifests.js';

/** A manifest whose stored form has `value` at `path`; an undefined value means nothing is there. */
export interface ChangedCase {
  readonly sentence: string;
  readonly manifest: Manifest;
  readonly path: string;
  readonly value: unknown;
}

const stores = (
  sentence: string,
  [path, value]: readonly [path: string, value: unknown],
  manifest: Manifest,
): ChangedCase => ({ sentence, path, value, manifest });

const providerRef = { name: 'slack' };

/** Manifests the API server changes: unknown fields go, defaults come. */
export const changedCases: readonly ChangedCase[] = [
  stores('drops an unknown field', ['spec.colour', undefined], aCanary({ colour: 'blue' })),
  stores(
    'drops connectionPool.tcp',
    ['spec.service.trafficPolicy.connectionPool', {}],
    serving({ trafficPolicy: { connectionPool: { tcp: { maxConnections: 1 } } } }),
  ),
  stores(
    'drops portLevelSettings',
    ['spec.service.trafficPolicy', {}],
    serving({ trafficPolicy: { portLevelSettings: [] } }),
  ),
  ...['uri', 'method', 'authority'].map((field) =>
    stores(
      `drops ${field} of an A/B condition`,
      ['spec.analysis.match.0', {}],
      testing({ [field]: { exact: '/' } }),
    ),
  ),
  stores(
    'drops a suffix in service.match',
    ['spec.service.match.0.uri', {}],
    routing({ uri: { suffix: '/' } }),
  ),
  stores(
    'leaves an omitted alert severity out',
    ['spec.analysis.alerts.0.severity', undefined],
    alerting({ name: 'on-call', providerRef }),
  ),
  stores(
    'leaves an omitted metric interval out',
    ['spec.analysis.metrics.0.interval', undefined],
    measuring({ name: 'request-duration' }),
  ),
  stores('leaves an omitted deadline out', ['spec.progressDeadlineSeconds', undefined], aCanary()),
  stores(
    'takes a gatewayRef to mean a Gateway',
    [
      'spec.service.gatewayRefs.0',
      { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'edge' },
    ],
    attachedTo({}),
  ),
  stores(
    'takes a mirror to mean a core Service',
    ['spec.service.mirror.0.backendRef', { group: '', kind: 'Service', name: 'shadow', port: 80 }],
    mirroring({ name: 'shadow', port: 80 }),
  ),
  stores(
    'keeps a session for a day',
    ['spec.analysis.sessionAffinity', { cookieName: 'canary', maxAge: 86400 }],
    analysing({ sessionAffinity: { cookieName: 'canary' } }),
  ),
  stores('drops a status on creation', ['status', undefined], {
    ...aCanary(),
    status: { phase: 'Succeeded' },
  }),
  stores(
    'drops an unknown field of a MetricTemplate',
    ['spec.interval', undefined],
    aMetricTemplate({ interval: '1m' }),
  ),
  stores(
    'drops an unknown field of an AlertProvider',
    ['spec.token', undefined],
    anAlertProvider({ type: 'slack', address: 'https://a', token: 'b' }),
  ),
];
