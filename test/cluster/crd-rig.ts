import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { load } from 'js-yaml';

import { connectToApiServer } from './api-server.js';
import type { ApiAnswer, ApiServer } from './api-server.js';
import type { Fields, Manifest } from './crd-manifests.js';

export interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
}

export interface Crd {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly names: { readonly plural: string };
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: Schema };
    }[];
  };
  readonly status?: { readonly conditions: readonly { type: string; status: string }[] };
}

interface Cause {
  readonly field?: string;
  readonly message: string;
}

/** The answer to a manifest that is refused. */
export interface Refusal {
  readonly reason: string;
  readonly details?: { readonly causes?: readonly Cause[] };
}

const folder = join('deploy', 'crds');

/** The definitions of this repository. */
export const crds = readdirSync(folder).map(
  (file) => load(readFileSync(join(folder, file), 'utf8')) as Crd,
);

/** The path segment of each kind. */
export const plurals = {
  Canary: 'canaries',
  MetricTemplate: 'metrictemplates',
  AlertProvider: 'alertproviders',
} as const;

/** An API server that has our definitions, and a namespace to play in. */
export interface CrdRig {
  readonly api: ApiServer;
  readonly namespace: string;
  /** Installs the definitions and makes the namespace. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** The path of the objects of a kind, in the version a manifest is written in. */
  collection(kind: Manifest['kind'], apiVersion?: string): string;
  /** Asks what would be stored. */
  dryRun<Body>(manifest: Manifest): Promise<ApiAnswer<Body>>;
  create(manifest: Manifest): Promise<void>;
  /** Writes part of the status of a Canary, in the version the product writes. */
  patchStatus<Body>(name: string, status: Fields, query?: string): Promise<ApiAnswer<Body>>;
  /** The kinds a version serves, and what is said of them. */
  servedKinds(version: string): Promise<readonly Fields[]>;
}

/** @param name of the namespace, so that test files do not meet */
export function crdRig(name: string): CrdRig {
  const api = connectToApiServer();
  const namespace = `${name}-${process.pid}`;
  const collection = (kind: Manifest['kind'], apiVersion = 'flagger.app/v1beta1'): string =>
    `/apis/${apiVersion}/namespaces/${namespace}/${plurals[kind]}`;
  const servedKinds = async (version: string): Promise<readonly Fields[]> => {
    const path = `/apis/flagger.app/${version}`;
    const { code, body } = await api.call<{ resources: (Fields & { name: string })[] }>({
      method: 'GET',
      path,
    });
    if (code !== 200) return [];
    return body.resources
      .filter((resource) => !resource.name.includes('/'))
      .map(({ kind, namespaced, categories, shortNames }) => ({
        kind,
        namespaced,
        categories,
        shortNames,
      }))
      .sort((a, b) => String(a.kind).localeCompare(String(b.kind)));
  };
  return {
    api,
    namespace,
    collection,
    servedKinds,
    async start() {
      for (const crd of crds) expect((await install(api, crd)).code).toBeLessThan(300);
      for (const crd of crds) await until(() => isEstablished(api, crd));
      await until(async () => (await servedKinds('v1beta1')).length === crds.length);
      await until(async () => (await servedKinds('v1alpha1')).length > 0);
      const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
      const made = await api.call({ method: 'POST', path: '/api/v1/namespaces', body });
      expect(made.code).toBe(201);
    },
    async stop() {
      await api.call({ method: 'DELETE', path: `/api/v1/namespaces/${namespace}` });
    },
    dryRun(manifest) {
      const path = `${collection(manifest.kind, manifest.apiVersion)}?dryRun=All`;
      return api.call({ method: 'POST', path, body: manifest });
    },
    async create(manifest) {
      const path = collection(manifest.kind, manifest.apiVersion);
      expect((await api.call({ method: 'POST', path, body: manifest })).code).toBe(201);
    },
    patchStatus(canary, status, query = '') {
      return api.call({
        method: 'PATCH',
        path: `${collection('Canary')}/${canary}/status${query}`,
        contentType: 'application/merge-patch+json',
        body: { status },
      });
    },
  };
}

/** A rule over several fields (oneOf) is reported without a field, its path quoted in the text. */
export function fieldsNamed({ details }: Refusal): readonly (string | undefined)[] {
  return (details?.causes ?? []).map(
    ({ field, message }) => /"([^"]+)" must validate one and only one/.exec(message)?.[1] ?? field,
  );
}

/** The dotted path of every text, number and boolean. */
export function leaves(value: unknown, path: string): readonly string[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, `${path}.${key}`));
}

/** Text becomes an empty object, which no field takes for text, and anything else becomes text. */
export function withWrongType(manifest: Manifest, path: string): Manifest {
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

function install(api: ApiServer, crd: Crd): Promise<ApiAnswer<Crd>> {
  return api.call({
    method: 'PATCH',
    path: `${crdPath(crd)}?fieldManager=crds-test&force=true`,
    contentType: 'application/apply-patch+yaml',
    body: crd,
  });
}

async function isEstablished(api: ApiServer, crd: Crd): Promise<boolean> {
  const { body } = await api.call<Crd>({ method: 'GET', path: crdPath(crd) });
  const holding = (body.status?.conditions ?? []).filter(({ status }) => status === 'True');
  return holding.some(({ type }) => type === 'Established');
}

function crdPath(crd: Crd): string {
  return `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`;
}

/** Asks again until the answer is yes; the test's own time limit ends it. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 100));
}
