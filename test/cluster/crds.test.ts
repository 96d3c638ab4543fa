import {
  completeAlertProvider,
  completeCanary,
  completeMetricTemplate,
} from './complete-manifests.js';
import { acceptedCases } from './crd-accepted.js';
import { changedCases } from './crd-changed.js';
import { acceptedExtensions, refusedExtensions } from './crd-extended.js';
import { aCanary, aMetricTemplate, anAlertProvider } from './crd-manifests.js';
import type { Fields, Manifest } from './crd-manifests.js';
import { refusedCases } from './crd-refused.js';
import { crdRig, crds, fieldsNamed, leaves, plurals, withWrongType } from './crd-rig.js';
import type { Refusal, Schema } from './crd-rig.js';

interface Table {
  readonly columnDefinitions: readonly { name: string; type: string; priority: number }[];
  readonly rows: readonly { readonly cells: readonly unknown[] }[];
}

const rig = crdRig('crds');
const { api, collection, create, dryRun, patchStatus } = rig;

beforeAll(() => rig.start(), 60_000);
afterAll(() => rig.stop());

describe('the API server', () => {
  it('serves the three kinds in namespaces, as part of "all", with a status', async () => {
    expect(await rig.servedKinds('v1beta1')).toEqual(
      ['AlertProvider', 'Canary', 'MetricTemplate'].map((kind) => ({
        kind,
        namespaced: true,
        categories: ['all'],
        shortNames: undefined,
      })),
    );
    const { body } = await api.call<{ resources: { name: string }[] }>({
      method: 'GET',
      path: '/apis/flagger.app/v1beta1',
    });
    const names = body.resources.map(({ name }) => name).filter((name) => name.includes('/'));
    expect(names.sort()).toEqual(
      Object.values(plurals)
        .map((plural) => `${plural}/status`)
        .sort(),
    );
  });

  it.each([...acceptedCases, ...acceptedExtensions])('accepts $sentence', async ({ manifest }) => {
    const { code, body } = await dryRun<Manifest>(manifest);
    expect({ code, spec: body.spec }).toEqual({ code: 201, spec: manifest.spec });
  });

  it.each([...refusedCases, ...refusedExtensions])(
    'refuses $sentence, naming $field',
    async ({ manifest, field }) => {
      const { code, body } = await dryRun<Refusal>(manifest);
      expect({ code, reason: body.reason }).toEqual({ code: 422, reason: 'Invalid' });
      expect(fieldsNamed(body)).toContain(field);
    },
  );

  it.each([completeCanary, completeMetricTemplate, completeAlertProvider])(
    'refuses a value of the wrong type in every field of $kind',
    async (manifest) => {
      const slipped: string[] = [];
      for (const path of leaves(manifest.spec, 'spec')) {
        const { code } = await dryRun(withWrongType(manifest, path));
        if (code !== 422) slipped.push(path);
      }
      expect(slipped).toEqual([]);
    },
    30_000,
  );

  it.each(changedCases)('$sentence', async ({ manifest, path, value }) => {
    const { code, body } = await dryRun<Fields>(manifest);
    expect({ code, value: valueAt(body, path) }).toEqual({ code: 201, value });
  });
});

describe('the status of a Canary', () => {
  const condition = { type: 'Promoted', status: 'Unknown', reason: 'Waiting' };
  const patch = <Body>(status: Fields): ReturnType<typeof patchStatus<Body>> =>
    patchStatus<Body>('with-status', status, '?dryRun=All');

  beforeAll(() => create({ ...aCanary(), metadata: { name: 'with-status' } }));

  it('keeps every field', async () => {
    const status = {
      phase: 'WaitingPromotion',
      failedChecks: 1,
      canaryWeight: 50,
      iterations: -1,
      sessionAffinityCookie: 'canary=a',
      previousSessionAffinityCookie: 'canary=b',
      primarySessionAffinityCookie: 'primary=c',
      trackedConfigs: { 'configmap/web': '241889ca0604e333' },
      lastAppliedSpec: '6c9dbdd48d',
      lastPromotedSpec: '6c9dbdd48d',
      observedGeneration: 3,
      lastTransitionTime: '2030-01-02T03:04:05Z',
      conditions: [
        {
          ...condition,
          message: 'Waiting for approval.',
          lastUpdateTime: '2030-01-02T03:04:05Z',
          lastTransitionTime: '2030-01-02T03:04:05Z',
        },
      ],
    };
    expect((await patch<Manifest>(status)).body.status).toEqual(status);
  });

  it.each([
    '',
    'Initializing',
    'Initialized',
    'Waiting',
    'Progressing',
    'WaitingPromotion',
    'Promoting',
    'Finalising',
    'Succeeded',
    'Failed',
    'Terminating',
    'Terminated',
  ])('takes phase "%s"', async (phase) => {
    expect((await patch<Manifest>({ phase })).body.status).toEqual({ phase });
  });

  it.each([
    ['phase', { phase: 'Finalizing' }],
    ['canaryWeight', { canaryWeight: '50' }],
    ['observedGeneration', { observedGeneration: 1.5 }],
    ['trackedConfigs.configmap/web', { trackedConfigs: { 'configmap/web': 1 } }],
    ['lastTransitionTime', { lastTransitionTime: 'yesterday' }],
    ['conditions[0].type', { conditions: [{ ...condition, type: undefined }] }],
    ['conditions[0].status', { conditions: [{ ...condition, status: undefined }] }],
    ['conditions[0].reason', { conditions: [{ ...condition, reason: undefined }] }],
  ])('refuses a wrong %s', async (field, status) => {
    const { code, body } = await patch<Refusal>(status);
    expect(code).toBe(422);
    expect(fieldsNamed(body)).toContain(`status.${field}`);
  });

  it('forgets what it does not know, such as the state of alpha versions', async () => {
    const { body } = await patch<Manifest>({ phase: 'Waiting', state: 'waiting' });
    expect(body.status).toEqual({ phase: 'Waiting' });
  });
});

describe('the table of kubectl get', () => {
  it('shows a Canary with its progress, the details only when wide', async () => {
    const name = 'in-table';
    const analysis = {
      interval: '1m',
      threshold: 5,
      stepWeights: [5, 50],
      maxWeight: 50,
      mirror: true,
    };
    await create({ ...aCanary({ suspend: true, analysis }), metadata: { name } });
    await patchStatus(name, {
      phase: 'Progressing',
      canaryWeight: 5,
      failedChecks: 0,
      lastTransitionTime: '2030-01-02T03:04:05Z',
    });

    expect(await tableOf('Canary', name)).toEqual([
      ['Name', 'string', 0, name],
      ['Status', 'string', 0, 'Progressing'],
      ['Weight', 'string', 0, '5'],
      ['Suspended', 'boolean', 1, true],
      ['FailedChecks', 'string', 1, '0'],
      ['Interval', 'string', 1, '1m'],
      ['Mirror', 'boolean', 1, true],
      ['StepWeight', 'string', 1, null],
      ['StepWeights', 'string', 1, '[5,50]'],
      ['MaxWeight', 'string', 1, '50'],
      ['LastTransitionTime', 'string', 0, '2030-01-02T03:04:05Z'],
    ]);
  });

  it('shows the provider of a MetricTemplate', async () => {
    await create(aMetricTemplate());
    expect(await tableOf('MetricTemplate', 'error-rate')).toEqual([
      ['Name', 'string', 0, 'error-rate'],
      ['Provider', 'string', 0, 'prometheus'],
    ]);
  });

  it('shows the type of an AlertProvider', async () => {
    await create(anAlertProvider({ type: 'gchat', address: 'https://chat.example.com' }));
    expect(await tableOf('AlertProvider', 'on-call')).toEqual([
      ['Name', 'string', 0, 'on-call'],
      ['Type', 'string', 0, 'gchat'],
    ]);
  });
});

describe.each(crds)('kubectl explain of $metadata.name', (crd) => {
  it.each(crd.spec.versions)('has a sentence for every field of $name', ({ schema }) => {
    expect(undescribed(schema.openAPIV3Schema, '')).toEqual(['.metadata']);
  });
});

/** The table `kubectl get` is given for one object, turned over: a line per column, its cell last. */
async function tableOf(kind: Manifest['kind'], name: string): Promise<readonly unknown[][]> {
  const { body } = await api.call<Table>({
    method: 'GET',
    path: `${collection(kind)}/${name}`,
    accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
  });
  const cells = body.rows[0]!.cells;
  return body.columnDefinitions.map(({ name: column, type, priority }, index) => [
    column,
    type,
    priority,
    cells[index],
  ]);
}

function valueAt(object: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce((value: unknown, key) => (value as Fields | undefined)?.[key], object);
}

function undescribed(schema: Schema, path: string): readonly string[] {
  const nested = [schema.items, schema.additionalProperties].flatMap((inner) =>
    inner === undefined ? [] : undescribed(inner, path),
  );
  const fields = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => [
    ...(field.description === undefined ? [`${path}.${name}`] : []),
    ...undescribed(field, `${path}.${name}`),
  ]);
  return [...nested, ...fields];
}
