import { hasFinalizer, setFinalizer } from '../../activities/finalizer.js';
import { connectKube } from '../../activities/kube.js';
import { parseCanary } from '../../domain/manifest.js';
import type { KubeObject } from '../../domain/objects.js';
import { completeAnalysis } from './complete-manifests.js';
import { aCanary, aMetricTemplate, deployment } from './crd-manifests.js';
import type { Fields, Manifest } from './crd-manifests.js';
import { crdRig, fieldsNamed, leaves, withWrongType } from './crd-rig.js';
import type { Refusal } from './crd-rig.js';

const rig = crdRig('legacy');
const kube = connectKube();
const { api, collection, create, dryRun, patchStatus } = rig;
const versions = ['v1alpha1', 'v1alpha2', 'v1alpha3'] as const;
const defaults = { provider: 'contour', minIntervalMs: 10_000 };

/** As the first manifests were: the analysis under another name, of old metrics, with no oneOf. */
const canaryAnalysis = {
  interval: '1m',
  threshold: 7,
  maxWeight: 50,
  stepWeight: 25,
  metrics: [
    { name: 'istio_requests_total', threshold: 99, interval: '1m' },
    { name: 'istio_request_duration_seconds_bucket', threshold: 500, interval: '30s' },
  ],
  webhooks: [{ name: 'load', url: 'http://tester/', timeout: '5s', metadata: { cmd: 'hey' } }],
};

function legacy(version: (typeof versions)[number], spec: Fields): Manifest {
  return {
    apiVersion: `flagger.app/${version}`,
    kind: 'Canary',
    metadata: { name: `of-${version}` },
    spec: { targetRef: deployment, service: { port: 80 }, ...spec },
  };
}

async function readAs(version: string, name: string): Promise<Manifest & KubeObject> {
  const path = `${collection('Canary', `flagger.app/${version}`)}/${name}`;
  const { code, body } = await api.call<Manifest & KubeObject>({ method: 'GET', path });
  expect(code).toBe(200);
  return body;
}

beforeAll(() => rig.start(), 60_000);
afterAll(() => rig.stop());

describe.each(versions)('a Canary of %s', (version) => {
  const name = `of-${version}`;

  beforeAll(() => create(legacy(version, { canaryAnalysis })));

  it('is a Canary of v1beta1 that has lost nothing', async () => {
    const canary = await readAs('v1beta1', name);

    expect(canary.spec).toEqual({ targetRef: deployment, service: { port: 80 }, canaryAnalysis });
    expect((await readAs(version, name)).spec).toEqual(canary.spec);
    expect(parseCanary(canary, defaults)).toMatchObject({
      ok: true,
      canary: {
        name,
        analysis: {
          threshold: 7,
          strategy: { kind: 'weighted', weights: [25, 50] },
          metrics: [
            { name: 'request-success-rate', threshold: 99 },
            { name: 'request-duration', threshold: 500, interval: '30s' },
          ],
          webhooks: [{ type: 'rollout', timeout: '5s', metadata: { cmd: 'hey' } }],
        },
      },
    });
  });

  it('has a status that can be written in v1beta1', async () => {
    const status = { phase: 'Progressing', canaryWeight: 25, observedGeneration: 1 };

    expect(await patchStatus(name, status)).toMatchObject({ code: 200, body: { status } });
    expect((await readAs(version, name)).status).toEqual(status);
  });

  it('can be made to wait for us when it is deleted, and to wait no more', async () => {
    const ref = { cluster: 'default', namespace: rig.namespace, name };

    await setFinalizer(kube, ref, true);
    const waiting = await readAs('v1beta1', name);
    await setFinalizer(kube, ref, false);

    expect(hasFinalizer(waiting)).toBe(true);
    expect(waiting.spec).toMatchObject({ canaryAnalysis });
    expect(hasFinalizer(await readAs('v1beta1', name))).toBe(false);
  });

  it.each([
    ['analysis in place of canaryAnalysis', { analysis: { ...canaryAnalysis } }],
    ['both', { analysis: canaryAnalysis, canaryAnalysis }],
    ['A/B testing beside a step', { canaryAnalysis: { iterations: 5, stepWeight: 5 } }],
  ])('may have %s', async (_what, spec) => {
    const manifest = legacy(version, spec);

    const { code, body } = await dryRun<Manifest>({ ...manifest, metadata: { name: 'other' } });

    expect({ code, spec: body.spec }).toEqual({ code: 201, spec: manifest.spec });
  });

  it('is refused without a target', async () => {
    const { code, body } = await dryRun<Refusal>(legacy(version, { targetRef: undefined }));

    expect(code).toBe(422);
    expect(fieldsNamed(body)).toContain('spec.targetRef');
  });

  it('is refused for a value of the wrong type in any field of its analysis', async () => {
    const manifest = {
      ...legacy(version, { canaryAnalysis: completeAnalysis }),
      metadata: { name: 'complete' },
    };
    const slipped: string[] = [];
    for (const path of leaves({ canaryAnalysis: completeAnalysis }, 'spec')) {
      const { code } = await dryRun(withWrongType(manifest, path));
      if (code !== 422) slipped.push(path);
    }

    expect((await dryRun(manifest)).code).toBe(201);
    expect(slipped).toEqual([]);
  }, 30_000);
});

describe('the alpha versions', () => {
  it.each([
    ['v1alpha1', ['Canary', 'MetricTemplate']],
    ['v1alpha2', ['Canary']],
    ['v1alpha3', ['Canary']],
  ])('%s serves %j', async (version, kinds) => {
    expect((await rig.servedKinds(version)).map(({ kind }) => kind)).toEqual(kinds);
  });

  it('take a MetricTemplate as v1beta1 does', async () => {
    const template = aMetricTemplate();
    await create({ ...template, apiVersion: 'flagger.app/v1alpha1' });

    const { body } = await api.call<Manifest>({
      method: 'GET',
      path: `${collection('MetricTemplate')}/${template.metadata.name}`,
    });

    expect(body.spec).toEqual(template.spec);
  });

  it('are read of a Canary of v1beta1 too', async () => {
    await create(aCanary());

    expect((await readAs('v1alpha3', 'web')).spec).toEqual(aCanary().spec);
  });
});
