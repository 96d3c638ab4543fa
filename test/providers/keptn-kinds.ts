import { KubeError, type Kube } from '../../activities/kube.js';
import type { KubeObject } from '../../domain/objects.js';
import { until } from '../cluster/activity-bench.js';

export const keptnApi = 'metrics.keptn.sh/v1beta1';

const text = { type: 'string' };
const texts = { type: 'object', additionalProperties: text };
const named = { type: 'object', required: ['name'], properties: { name: text } };

const kinds = {
  KeptnMetric: {
    plural: 'keptnmetrics',
    spec: {
      type: 'object',
      required: ['provider', 'query', 'fetchIntervalSeconds'],
      properties: { provider: named, query: text, fetchIntervalSeconds: { type: 'integer' } },
    },
    status: {
      type: 'object',
      properties: { value: text, errMsg: text, lastUpdated: { ...text, format: 'date-time' } },
    },
  },
  Analysis: {
    plural: 'analyses',
    spec: {
      type: 'object',
      required: ['analysisDefinition', 'timeframe'],
      properties: {
        analysisDefinition: named,
        timeframe: {
          type: 'object',
          properties: { recent: { ...text, pattern: '^[0-9]+[hms]+$' } },
        },
        args: texts,
      },
    },
    status: {
      type: 'object',
      required: ['state'],
      properties: { state: text, pass: { type: 'boolean' }, warning: { type: 'boolean' } },
    },
  },
};

/**
 * Defines Keptn's two kinds with the fields that are used of them, as its API reference names them:
 * Keptn publishes its own definitions where tests do not fetch from. There is no Keptn behind them.
 */
export async function defineKeptn(kube: Kube): Promise<void> {
  for (const [kind, { plural, spec, status }] of Object.entries(kinds)) {
    await kube.create(definition(kind, plural, { spec, status })).catch((error: unknown) => {
      if (!(error instanceof KubeError && error.reason === 'AlreadyExists')) throw error;
    });
  }
  const lists = Object.keys(kinds).map((kind) => ({ apiVersion: keptnApi, kind }));
  await until(() =>
    Promise.all(lists.map((list) => kube.list(list))).then(
      () => true,
      () => false,
    ),
  );
}

function definition(kind: string, plural: string, properties: object): KubeObject {
  const version = {
    ...{ name: 'v1beta1', served: true, storage: true, subresources: { status: {} } },
    schema: { openAPIV3Schema: { type: 'object', properties } },
  };
  const object = {
    ...{ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' },
    metadata: { name: `${plural}.metrics.keptn.sh` },
    spec: {
      ...{ group: 'metrics.keptn.sh', scope: 'Namespaced', versions: [version] },
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
    },
  };
  return object;
}
