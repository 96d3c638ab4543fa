import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { load } from 'js-yaml';

import { connectToApiServer } from './api-server.js';
import type { ApiAnswer } from './api-server.js';
import {
  completeAlertProvider,
  completeCanary,
  completeMetricTemplate,
} from './complete-manifests.js';
import { acceptedCases } from './crd-accepted.js';
import { changedCases } from './crd-changed.js';
import { aCanary, aMetricTemplate, anAlertProvider } from './crd-manifests.js';
import type { Fields, Manifest } from './crd-manifests.js';
import { refusedCases } from './crd-refused.js';

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
}

interface Crd {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly names: { readonly plural: string };
    readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Schema } }[];
  };
  readonly status?: { readonly conditions: readonly { type: string; status: string }[] };
}

interface Cause {
  readonly field?: string;
  readonly message: string;
}

interface Refusal {
  readonly reason: string;
  readonly details?: { readonly causes?: readonly Cause[] };
}

interface Table {
  readonly columnDefinitions: readonly { name: string; type: string; priority: number }[];
  readonly rows: readonly { readonly cells: readonly unknown[] }[];
}

const api = connectToApiServer();
const folder = join('deploy', 'crds');
const crds = readdirSync(folder).map(
  (file) => load(readFileSync(join(folder, file), 'utf8')) as Crd,
);
const namespace = `crds-${process.pid}`;
const plurals = {
  Canary: 'canaries',
  MetricTemplate: 'metrictemplates',
  AlertProvider: 'alertproviders',
} as const;

beforeAll(async () => {
  for (const crd of crds) expect((await install(crd)).code).toBeLessThan(300);
  for (const crd of crds) await until(() => isEstablished(crd));
  await until(async () => (await servedKinds()).length === crds.length);
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  expect((await api.call({ method: 'POST', path: '/api/v1/namespaces', body })).code).toBe(201);
}, 60_000);

afterAll(async () => {
  await api.call({ method: 'DELETE', path: `/api/v1/namespaces/${namespace}` });
});

describe('the API server', () => {
  it('serves the three kinds in namespaces, as part of "all", with a status', async () => {
    expect(await servedKinds()).toEqual(
      ['AlertProvider', 'Canary', 'MetricTemplate'].map((kind) => ({
        kind,
        namespaced: true,
        categories: ['all'],
        shortNames: undefined,
      })),
    );
    const { body } = await api.call<{ resources: { name: string }[] }>(apiGroup());
    const names = body.resources.map(({ name }) => name).filter((name) => name.includes('/'));
    expect(names.sort()).toEqual(
      Object.values(plurals)
        .map((plural) => `${plural}/status`)
        .sort(),
    );
  });

  it.each(acceptedCases)('accepts $sentence', async ({ manifest }) => {
    const { code, body } = await dryRun<Manifest>(manifest);
    expect({ code, spec: body.spec }).toEqual({ code: 201, spec: manifest.spec });
  });

  it.each(refusedCases)('refuses $sentence, naming $field', async ({ manifest, field }) => {
    const { code, body } = await dryRun<Refusal>(manifest);
    expect({ code, reason: body.reason }).toEqual({ code: 422, reason: 'Invalid' });
    expect(fieldsNamed(body)).toContain(field);
  });

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
  const path = (): string => `${collection('Canary')}/with-status/status`;
  const condition = { type: 'Promoted', status: 'Unknown', reason: 'Waiting' };
  const patch = <Body>(status: Fields): Promise<ApiAnswer<Body>> =>
    api.call({
      method: 'PATCH',
      path: `${path()}?dryRun=All`,
      contentType: 'application/merge-patch+json',
      body: { status },
    });

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

  it('forgets what it does not know, such as observedGeneration', async () => {
    const { body } = await patch<Manifest>({ phase: 'Waiting', observedGeneration: 3 });
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
    await api.call({
      method: 'PATCH',
      path: `${collection('Canary')}/${name}/status`,
      contentType: 'application/merge-patch+json',
      body: {
        status: {
          phase: 'Progressing',
          canaryWeight: 5,
          failedChecks: 0,
          lastTransitionTime: '2030-01-02T03:04:05Z',
        },
      },
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
  it('has a sentence for every field', () => {
    const schema = crd.spec.versions[0]!.schema.openAPIV3Schema;
    expect(undescribed(schema, '')).toEqual(['.metadata']);
  });
});

function install(crd: Crd): Promise<ApiAnswer<Crd>> {
  return api.call({
    method: 'PATCH',
    path: `${crdPath(crd)}?fieldManager=crds-test&force=true`,
    contentType: 'application/apply-patch+yaml',
    body: crd,
  });
}

async function isEstablished(crd: Crd): Promise<boolean> {
  const { body } = await api.call<Crd>({ method: 'GET', path: crdPath(crd) });
  const holding = (body.status?.conditions ?? []).filter(({ status }) => status === 'True');
  return holding.some(({ type }) => type === 'Established');
}

function crdPath(crd: Crd): string {
  return `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`;
}

async function servedKinds(): Promise<readonly Fields[]> {
  const { code, body } = await api.call<{ resources: (Fields & { name: string })[] }>(apiGroup());
  if (code !== 200) return [];
  return body.resources
    .filter(({ name }) => !name.includes('/'))
    .map(({ kind, namespaced, categories, shortNames }) => ({
      kind,
      namespaced,
      categories,
      shortNames,
    }))
    .sort((a, b) => String(a.kind).localeCompare(String(b.kind)));
}

function apiGroup(): { method: 'GET'; path: string } {
  return { method: 'GET', path: '/apis/flagger.app/v1beta1' };
}

function collection(kind: Manifest['kind']): string {
  return `/apis/flagger.app/v1beta1/namespaces/${namespace}/${plurals[kind]}`;
}

function dryRun<Body>(manifest: Manifest): Promise<ApiAnswer<Body>> {
  const path = `${collection(manifest.kind)}?dryRun=All`;
  return api.call({ method: 'POST', path, body: manifest });
}

async function create(manifest: Manifest): Promise<void> {
  const path = collection(manifest.kind);
  expect((await api.call({ method: 'POST', path, body: manifest })).code).toBe(201);
}

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

/** The dotted path of every text, number and boolean. */
function leaves(value: unknown, path: string): readonly string[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, `${path}.${key}`));
}

/** Text becomes an empty object, which no field takes for text, and anything else becomes text. */
function withWrongType(manifest: Manifest, path: string): Manifest {
  const replaced = (value: unknown, at: string): unknown => {
    if (at === path) return typeof value === 'string' ? {} : 'text';
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((item, index) => replaced(item, `${at}.${index}`));
    const entries = Object.entries(value).map(([key, inner]) => [
      key,
      replaced(inner, `${at}.${key}`),
    ]);
    return Object.fromEntries(entries);
  };
  return { ...manifest, spec: replaced(manifest.spec, 'spec') as Fields };
}

/** A rule over several fields (oneOf) is reported without a field, its path quoted in the text. */
function fieldsNamed({ details }: Refusal): readonly (string | undefined)[] {
  return (details?.causes ?? []).map(
    ({ field, message }) => /"([^"]+)" must validate one and only one/.exec(message)?.[1] ?? field,
  );
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

/** Asks again until the answer is yes; the test's own time limit ends it. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 100));
}
