import { KubeConfig, Watch } from '@kubernetes/client-node';
import axios from 'axios';
import { Agent } from 'node:https';

import type { KubeObject, ObjectRef } from '../domain/objects.js';

/** An answer of the API server that is not a success. */
export class KubeError extends Error {
  override readonly name = 'KubeError';

  constructor(
    message: string,
    /** The HTTP status. */
    readonly status: number,
    /** The API's machine-readable reason, such as `NotFound`, `Conflict`, `Forbidden`. */
    readonly reason: string,
  ) {
    super(message);
  }
}

/**
 * The Kubernetes API in plain JSON. Typed clients drop the fields they do not know, and a router
 * must give back what it did not write; so objects travel here exactly as the server sent them.
 *
 * Every method throws {@link KubeError} for an answer that is not a success, and takes an
 * optional signal that gives the call up.
 */
export interface Kube {
  /** The object, or undefined when there is none of that name. */
  find<T extends KubeObject = KubeObject>(
    ref: ObjectRef,
    signal?: AbortSignal,
  ): Promise<T | undefined>;
  list<T extends KubeObject = KubeObject>(
    collection: Collection,
    signal?: AbortSignal,
  ): Promise<T[]>;
  /** A part of a collection that may be large: the objects that follow those of another page. */
  page(collection: Collection, options: PageOptions): Promise<Page>;
  create<T extends KubeObject>(object: T, signal?: AbortSignal): Promise<T>;
  /** Replaces the object; the resourceVersion in it guards against lost updates (`Conflict`). */
  replace<T extends KubeObject>(object: T): Promise<T>;
  /** Merge-patches the object (RFC 7386), or its status subresource. */
  patch<T extends KubeObject = KubeObject>(
    ref: ObjectRef,
    change: object,
    subresource?: 'status',
  ): Promise<T>;
  /** Deletes the object; none of that name is a success. */
  remove(ref: ObjectRef, signal?: AbortSignal): Promise<void>;
  /** Any other read, such as of an API that has no objects: the JSON answer. */
  get(path: string, options?: GetOptions): Promise<unknown>;
  /** Any other call, such as a subresource: the JSON answer. */
  post(path: string, body: unknown): Promise<unknown>;
  /** Opens a watch on a collection. `ended` is called once, with the error if there was one. */
  watch(collection: Collection, options: WatchOptions): Promise<AbortController>;
}

export interface Collection {
  readonly apiVersion: string;
  readonly kind: string;
  /** Absent means all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface GetOptions {
  readonly signal?: AbortSignal;
  /** Sent besides, or instead of, those of the worker's own login. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

export interface PageOptions {
  /** How many objects at most. */
  readonly limit: number;
  /** What the page before said to continue with; undefined for the first one. */
  readonly after: string | undefined;
}

export interface Page {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly KubeObject[];
}

export interface WatchOptions {
  readonly resourceVersion?: string;
  readonly seen: (type: string, object: KubeObject) => void;
  readonly ended: (error?: unknown) => void;
}

/** Talks to the cluster a kubeconfig (or the pod's ServiceAccount) names. */
export function connectKube(config: KubeConfig = loadKubeConfig()): Kube {
  const server = config.getCurrentCluster()?.server ?? '';
  const http = axios.create({
    baseURL: server,
    timeout: 30_000,
    maxContentLength: Infinity,
    maxBodyLength: Infinity,
    validateStatus: () => true,
    proxy: false,
    // Measured: a read of one object costs a fifth less CPU so. The API server never redirects.
    maxRedirects: 0,
    decompress: false,
  });
  let agent: Promise<Agent> | undefined;

  async function call(
    method: string,
    path: string,
    body?: unknown,
    extra: Extra = {},
  ): Promise<unknown> {
    const request = { headers: {} as Record<string, string> };
    await config.applyToHTTPSOptions(request);
    agent ??= agentOf(config);
    const asked = {
      method,
      url: path,
      data: body,
      httpsAgent: await agent,
      headers: {
        ...request.headers,
        'Content-Type': extra.contentType ?? 'application/json',
        Accept: 'application/json',
        'Accept-Encoding': 'identity',
        ...copiesOf(extra.headers),
      },
      ...(extra.signal === undefined ? {} : { signal: extra.signal }),
    };
    const response = await http.request(asked).catch((error: unknown) => {
      extra.signal?.throwIfAborted();
      const why = error instanceof Error ? error.message : 'request failed';
      // The axios error itself holds the request's headers, so it is not chained as the cause.
      throw new Error(`${method} ${path.replace(/[?].*/, '')}: ${why}`);
    });
    if (response.status >= 200 && response.status < 300) return response.data;
    throw errorOf(response.status, response.data, `${method} ${path}`);
  }

  return {
    async find<T extends KubeObject>(ref: ObjectRef, signal?: AbortSignal) {
      try {
        return (await call('GET', pathOf(ref), undefined, signal ? { signal } : {})) as T;
      } catch (error) {
        if (error instanceof KubeError && error.reason === 'NotFound') return undefined;
        throw error;
      }
    },
    async list<T extends KubeObject>(collection: Collection, signal?: AbortSignal) {
      const answer = (await call(
        'GET',
        `${collectionPath(collection)}${queryOf(collection)}`,
        undefined,
        signal ? { signal } : {},
      )) as { items: T[] };
      const { apiVersion, kind } = collection;
      return answer.items.map((item) => ({ ...item, apiVersion, kind }));
    },
    async page(collection, { limit, after }) {
      const query = queryOf(collection, { limit: String(limit), continue: after });
      const answer = (await call('GET', `${collectionPath(collection)}${query}`)) as Page;
      const { apiVersion, kind } = collection;
      return { ...answer, items: answer.items.map((item) => ({ ...item, apiVersion, kind })) };
    },
    create: async <T extends KubeObject>(object: T, signal?: AbortSignal) =>
      (await call('POST', collectionPath(placeOf(object)), object, signal ? { signal } : {})) as T,
    replace: async <T extends KubeObject>(object: T) =>
      (await call('PUT', pathOf(refOf(object)), object)) as T,
    patch: async <T extends KubeObject>(ref: ObjectRef, change: object, subresource?: 'status') =>
      (await call('PATCH', `${pathOf(ref)}${subresource ? `/${subresource}` : ''}`, change, {
        contentType: 'application/merge-patch+json',
      })) as T,
    async remove(ref, signal) {
      try {
        await call('DELETE', pathOf(ref), undefined, signal ? { signal } : {});
      } catch (error) {
        if (!(error instanceof KubeError && error.reason === 'NotFound')) throw error;
      }
    },
    get: (path, options) => call('GET', path, undefined, options),
    post: (path, body) => call('POST', path, body),
    watch(collection, { resourceVersion, seen, ended }) {
      const { labelSelector, fieldSelector } = collection;
      return new Watch(config).watch(
        collectionPath(collection),
        {
          allowWatchBookmarks: true,
          ...(resourceVersion === undefined ? {} : { resourceVersion }),
          ...(labelSelector === undefined ? {} : { labelSelector }),
          ...(fieldSelector === undefined ? {} : { fieldSelector }),
        },
        (type, object) => {
          seen(type, object as KubeObject);
        },
        ended,
      );
    },
  };
}

/** Names an object without its content. */
export function refOf({ apiVersion, kind, metadata }: KubeObject): ObjectRef {
  return { apiVersion, kind, namespace: metadata.namespace ?? '', name: metadata.name };
}

/** Loads the kubeconfig as kubectl does, or the pod's own credentials inside a cluster. */
export function loadKubeConfig(): KubeConfig {
  const config = new KubeConfig();
  config.loadFromDefault();
  return config;
}

interface Extra extends GetOptions {
  readonly contentType?: string;
}

function copiesOf(headers: GetOptions['headers'] = {}): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : [...value],
    ]),
  );
}

/** Connections are kept open: at hundreds of canaries the TLS handshakes would cost more than the calls. */
async function agentOf(config: KubeConfig): Promise<Agent> {
  const tls: ConstructorParameters<typeof Agent>[0] = {};
  await config.applyToHTTPSOptions(tls);
  const { ca, cert, key, rejectUnauthorized, servername } = tls;
  return new Agent({
    keepAlive: true,
    maxSockets: 64,
    ...Object.fromEntries(
      Object.entries({ ca, cert, key, rejectUnauthorized, servername }).filter(
        ([, value]) => value !== undefined,
      ),
    ),
  });
}

function placeOf({ apiVersion, kind, metadata: { namespace } }: KubeObject): Collection {
  return { apiVersion, kind, ...(namespace === undefined ? {} : { namespace }) };
}

function pathOf(ref: ObjectRef): string {
  const { apiVersion, kind, namespace, name } = ref;
  const place = { apiVersion, kind, ...(namespace === '' ? {} : { namespace }) };
  return `${collectionPath(place)}/${encodeURIComponent(name)}`;
}

function collectionPath({ apiVersion, kind, namespace }: Collection): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${scope}/${pluralOf(kind)}`;
}

/** The resource name of a kind. Every kind the product touches follows the English rules. */
function pluralOf(kind: string): string {
  const word = kind.toLowerCase();
  if (/[^aeiou]y$/.test(word)) return `${word.slice(0, -1)}ies`;
  if (word.endsWith('sis')) return `${word.slice(0, -2)}es`;
  return /(s|x|ch|sh)$/.test(word) ? `${word}es` : `${word}s`;
}

function queryOf(
  { labelSelector, fieldSelector }: Collection,
  others: Readonly<Record<string, string | undefined>> = {},
): string {
  const parameters = Object.entries({ labelSelector, fieldSelector, ...others }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return parameters.length === 0 ? '' : `?${new URLSearchParams(parameters).toString()}`;
}

function errorOf(status: number, body: unknown, call: string): KubeError {
  const { message, reason } = (typeof body === 'object' && body !== null ? body : {}) as {
    message?: string;
    reason?: string;
  };
  return new KubeError(message ?? `${call}: HTTP ${String(status)}`, status, reason ?? '');
}
