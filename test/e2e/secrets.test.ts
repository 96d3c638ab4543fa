import type { KubeObject } from '../../domain/objects.js';
import { releaseId } from '../../domain/release.js';
import { openStage, type Stage } from './stage.js';

const planted = ['tok-3f9a1c77d2e84b', 'env-8c02be6641fd97'] as const;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
}, 180_000);
afterAll(() => stage.close(), 60_000);

it('no value of a Secret is in any history, log, event or status', async () => {
  const app = await stage.open('secrets', {
    env: { EXTRA: 'on' },
    analysis: {
      metrics: [
        { name: 'good', templateRef: { name: 'good' }, thresholdRange: { max: 5 } },
        { name: 'refused', templateRef: { name: 'refused' }, thresholdRange: { max: 5 } },
      ],
    },
  });
  const { namespace } = app.canary;
  await stage.kube.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'planted', namespace },
    stringData: { token: planted[0], env: planted[1] },
  } as KubeObject);
  await stage.kube.create(template(namespace, 'good', 'http://prometheus.monitoring:9090'));
  await stage.kube.create(template(namespace, 'refused', 'http://load.demo:80'));
  await app.initialised();
  await stage.kube.patch(
    { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'web' },
    { spec: { template: { spec: { containers: [containerWithSecret] } } } },
  );

  await app.untilStatus('the rollback', ({ phase }) => phase === 'Failed', 90_000);

  const [histories, logs, events] = await Promise.all([
    historiesOf(releaseId(app.canary)),
    stage.exec('kubectl logs -n sluice-system deploy/sluice-worker --tail=-1'),
    app.events(),
  ]);
  const status = JSON.stringify(await app.status());
  expect(events.some((event) => event.includes('Metric query failed for refused'))).toBe(true);
  expect(histories.length).toBeGreaterThan(10_000);
  expect(logs.code).toBe(0);
  for (const value of planted.flatMap((it) => [it, Buffer.from(it).toString('base64')])) {
    expect(histories).not.toContain(value);
    expect(logs.output).not.toContain(value);
    expect(events.join('\n')).not.toContain(value);
    expect(status).not.toContain(value);
  }
}, 180_000);

const containerWithSecret = {
  name: 'web',
  image: 'sluice/demo:2.0.0',
  env: [{ name: 'PLANTED', valueFrom: { secretKeyRef: { name: 'planted', key: 'env' } } }],
  ports: [{ name: 'http', containerPort: 8080 }],
  readinessProbe: { httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 1 },
};

/** A query with credentials; a server that answers it with an error is sent them too. */
function template(namespace: string, name: string, address: string): KubeObject {
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'MetricTemplate',
    metadata: { name, namespace },
    spec: {
      provider: { type: 'prometheus', address, secretRef: { name: 'planted' } },
      query: 'vector(1)',
    },
  };
}

/** Every payload and text of all runs of a workflow id, decoded. */
async function historiesOf(workflowId: string): Promise<string> {
  const parts: string[] = [];
  for await (const { runId } of stage.temporal.workflow.list({
    query: `WorkflowId = '${workflowId}'`,
  })) {
    const { events } = await stage.temporal.workflow.getHandle(workflowId, runId).fetchHistory();
    parts.push(JSON.stringify(events, decoded));
  }
  return parts.join('\n');
}

function decoded(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  const { type, data } = (value ?? {}) as { type?: unknown; data?: unknown };
  return type === 'Buffer' && Array.isArray(data)
    ? Buffer.from(data as number[]).toString()
    : value;
}
