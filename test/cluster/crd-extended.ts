import type { AcceptedCase } from './crd-accepted.js';
import { aCanary, analysing, anAlertProvider, gated, measuring } from './crd-manifests.js';
import type { Manifest } from './crd-manifests.js';
import type { RefusedCase } from './crd-refused.js';

/** The fields Flagger does not know that allow a few values, with one they do not. */
const choices: readonly (readonly [
  field: string,
  values: readonly string[],
  wrong: string,
  manifest: (value: unknown) => Manifest,
])[] = [
  [
    'spec.onNewRevision',
    ['restart', 'queue', 'refuse'],
    'ignore',
    (onNewRevision) => aCanary({ onNewRevision }),
  ],
  [
    'spec.analysis.onFailure',
    ['rollback', 'hold'],
    'pause',
    (onFailure) => analysing({ onFailure }),
  ],
  ['spec.analysis.shift', ['traffic', 'replicas'], 'pods', (shift) => analysing({ shift })],
  ...(['onNoData', 'onProviderError'] as const).map(
    (field) =>
      [
        `spec.analysis.metrics[0].${field}`,
        ['fail', 'hold', 'extend', 'ignore'],
        'pass',
        (value: unknown) => measuring({ name: 'errors', [field]: value }),
      ] as const,
  ),
  [
    'spec.analysis.gates[0].before',
    ['rollout', 'traffic-increase', 'promotion'],
    'rollback',
    (before) => gated({ before }),
  ],
  [
    'spec.analysis.gates[0].onTimeout',
    ['reject', 'approve', 'hold'],
    'fail',
    (onTimeout) => gated({ onTimeout }),
  ],
];

/** Manifests with fields that Flagger does not know, stored exactly as written. */
export const acceptedExtensions: readonly AcceptedCase[] = [
  ...choices.flatMap(([field, values, , manifest]) =>
    values.map((value) => ({ sentence: `${field} ${value}`, manifest: manifest(value) })),
  ),
  {
    sentence: 'routes beside that of the provider',
    manifest: aCanary({
      provider: 'istio',
      additionalRoutes: [
        { provider: 'contour' },
        {
          provider: 'nginx',
          ingressRef: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'shop' },
        },
      ],
    }),
  },
  { sentence: 'a gate with a name and a place', manifest: gated({}) },
  { sentence: 'a gate whose timeout is none', manifest: gated({ timeout: 'soon' }) },
  {
    sentence: 'a least count of requests',
    manifest: measuring({ name: 'errors', minRequests: 1 }),
  },
  ...[{ interval: '1m' }, { colour: 'blue' }, 5].map((canaryAnalysis) => ({
    sentence: `canaryAnalysis ${JSON.stringify(canaryAnalysis)} beside analysis`,
    manifest: aCanary({ canaryAnalysis }),
  })),
  {
    sentence: 'an AlertProvider of type webhook',
    manifest: anAlertProvider({ type: 'webhook', address: 'https://a' }),
  },
];

/** Manifests that are refused for such a field. */
export const refusedExtensions: readonly RefusedCase[] = [
  ...choices.flatMap(([field, , wrong, manifest]) =>
    [wrong, ''].map((value) => ({
      sentence: `${field} "${value}"`,
      field,
      manifest: manifest(value),
    })),
  ),
  ...[{ provider: 'smoke' }, {}].map((route) => ({
    sentence: `an additional route ${JSON.stringify(route)}`,
    field: 'spec.additionalRoutes[0].provider',
    manifest: aCanary({ additionalRoutes: [route] }),
  })),
  ...['name', 'before'].map((field) => ({
    sentence: `a gate without ${field}`,
    field: `spec.analysis.gates[0].${field}`,
    manifest: gated({ [field]: undefined }),
  })),
  {
    sentence: 'a gate without a letter in its name',
    field: 'spec.analysis.gates[0].name',
    manifest: gated({ name: '' }),
  },
  ...[0, 0.5].map((minRequests) => ({
    sentence: `a least count of ${String(minRequests)} requests`,
    field: 'spec.analysis.metrics[0].minRequests',
    manifest: measuring({ name: 'errors', minRequests }),
  })),
];
