import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { loadAll } from 'js-yaml';

import type { KubeApi, KubeObject } from './kube-api.js';

type Resource = { readonly name: string; readonly kind: string; readonly namespaced: boolean };
type CustomResourceDefinition = KubeObject & {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly plural: string };
    readonly versions: readonly { readonly name: string; readonly served: boolean }[];
  };
};

const pollMs = 50;
const servedMs = 30_000;

/** The objects in a YAML file, or in all YAML files of a folder; none when it does not exist. */
export function readManifests(path = ''): readonly KubeObject[] {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) return [];
  const files = status.isDirectory()
    ? readdirSync(path)
        .map((name) => join(path, name))
        .filter((file) => /\.ya?ml$/.test(file))
    : [path];
  return files.flatMap((file) => loadAll(readFileSync(file, 'utf8')).filter(isObject));
}

/** The objects without the texts that document their fields: most of their size, and read by nobody here. */
export function withoutDescriptions(objects: readonly KubeObject[]): readonly KubeObject[] {
  const reviver = (key: string, value: unknown): unknown =>
    key === 'description' && typeof value === 'string' ? undefined : value;
  return JSON.parse(JSON.stringify(objects), reviver) as readonly KubeObject[];
}

/** Applies objects to the cluster. */
export class Applier {
  private readonly resources = new Map<string, Promise<readonly Resource[]>>();

  constructor(private readonly api: KubeApi) {}

  /** Applies objects in the order given; throws what the API server said about the first one refused. */
  async apply(objects: readonly KubeObject[]): Promise<void> {
    for (const object of objects) await this.applyOne(object);
  }

  /** Applies CustomResourceDefinitions and waits until their kinds are served. */
  async define(objects: readonly KubeObject[]): Promise<void> {
    await Promise.all(objects.map((object) => this.applyOne(object)));
    const definitions = objects.filter(isDefinition);
    const until = Date.now() + servedMs;
    await Promise.all(definitions.map((definition) => this.untilServed(definition, until)));
  }

  private async applyOne(object: KubeObject): Promise<void> {
    const collection = await this.collectionOf(object);
    // Creating costs the API server a fraction of applying, and nearly everything is new.
    const created = await this.api.create(collection, object);
    const { status, body } =
      created.status === 409
        ? await this.api.apply(`${collection}/${object.metadata.name}`, object)
        : created;
    if (status >= 300) {
      const { message } = body as { readonly message?: string };
      throw new Error(`cannot apply ${nameOf(object)}: ${message ?? JSON.stringify(body)}`);
    }
  }

  private async collectionOf({ apiVersion, kind, metadata }: KubeObject): Promise<string> {
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const resource = (await this.resourcesOf(root)).find((one) => one.kind === kind);
    if (resource === undefined) throw new Error(`the cluster has no kind ${kind} in ${apiVersion}`);
    const namespace = `namespaces/${metadata.namespace ?? 'default'}/`;
    return `${root}/${resource.namespaced ? namespace : ''}${resource.name}`;
  }

  private resourcesOf(root: string): Promise<readonly Resource[]> {
    const known = this.resources.get(root);
    if (known !== undefined) return known;
    const asked = this.discover(root);
    this.resources.set(root, asked);
    return asked;
  }

  private async discover(root: string): Promise<readonly Resource[]> {
    const { body } = await this.api.get(root);
    const { resources = [] } = body as { readonly resources?: readonly Resource[] };
    return resources.filter(({ name }) => !name.includes('/'));
  }

  /** A definition is accepted long before its kind answers. */
  private async untilServed({ spec }: CustomResourceDefinition, until: number): Promise<void> {
    for (const { name: version } of spec.versions.filter(({ served }) => served)) {
      const root = `/apis/${spec.group}/${version}`;
      while (!(await this.discover(root)).some(({ name }) => name === spec.names.plural)) {
        if (Date.now() > until) throw new Error(`${spec.names.plural}.${spec.group} is not served`);
        await sleep(pollMs);
      }
    }
  }
}

function isDefinition(object: KubeObject): object is CustomResourceDefinition {
  return object.kind === 'CustomResourceDefinition';
}

function isObject(document: unknown): document is KubeObject {
  return typeof document === 'object' && document !== null && 'kind' in document;
}

function nameOf({ kind, metadata }: KubeObject): string {
  return [kind, metadata.namespace, metadata.name].filter(Boolean).join(' ');
}
