import {
  ApiException,
  createConfiguration,
  CustomObjectsApi,
  ServerConfiguration,
  type KubeConfig,
} from '@kubernetes/client-node';

import type { Collection, Kube, WatchOptions } from '../activities/kube.js';
import type { KubeObject } from '../domain/objects.js';

/** One collection of the API server, to be listed and then followed from there. */
export interface ListWatch<T extends KubeObject> {
  readonly kind: string;
  /** Everything there is, and the version of the collection this is true for. */
  list(): Promise<Listing<T>>;
  /** Opens a watch; it can be ended through what is returned. */
  watch(options: WatchOptions): Promise<AbortController>;
}

export interface Listing<T extends KubeObject> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
}

const pageSize = 500;
const pageTimeoutMs = 30_000;

/**
 * Lists with the generic API of the Kubernetes client, which leaves the JSON as the server sent it.
 *
 * @param plural the collection's name in URLs, such as `deployments`
 */
export function listWatchOf<T extends KubeObject>(
  config: KubeConfig,
  kube: Kube,
  collection: Collection & { readonly plural: string },
): ListWatch<T> {
  const { apiVersion, kind, namespace, plural } = collection;
  const [group = '', version = ''] = apiVersion.split('/');
  const api = customObjectsApi(config);

  async function page(token: string | undefined): Promise<Page<T>> {
    const paging = { limit: pageSize, ...(token === undefined ? {} : { _continue: token }) };
    const request = { group, version, plural, ...paging };
    try {
      const answer: unknown = await (namespace === undefined
        ? api.listClusterCustomObject(request)
        : api.listNamespacedCustomObject({ ...request, namespace }));
      return answer as Page<T>;
    } catch (error) {
      throw error instanceof ApiException ? new Error(refusalOf(error)) : error;
    }
  }

  return {
    kind,
    async list() {
      const items: T[] = [];
      let token: string | undefined;
      for (;;) {
        const { metadata, items: more } = await page(token);
        items.push(...more.map((item) => ({ ...item, apiVersion, kind })));
        if (!metadata.continue) return { items, resourceVersion: metadata.resourceVersion };
        token = metadata.continue;
      }
    },
    watch: (options) => kube.watch(collection, options),
  };
}

interface Page<T> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly T[];
}

/** What the API server says; the exception's own text has every header of the answer in it. */
function refusalOf({ code, body }: ApiException<unknown>): string {
  try {
    const { message = '' } = JSON.parse(String(body)) as { message?: string };
    return `${code} ${message}`;
  } catch {
    // Something between here and the API server answered, in a language of its own.
    return `${code} ${String(body)}`;
  }
}

/** The client's own factory, plus a timeout: a connection that went silent must not blind the worker. */
function customObjectsApi(config: KubeConfig): CustomObjectsApi {
  const server = config.getCurrentCluster()?.server ?? '';
  const configuration = createConfiguration({
    baseServer: new ServerConfiguration(server, {}),
    authMethods: { default: config },
    promiseMiddleware: [
      {
        pre: (request) => {
          request.setSignal(AbortSignal.timeout(pageTimeoutMs));
          return Promise.resolve(request);
        },
        post: (response) => Promise.resolve(response),
      },
    ],
  });
  return new CustomObjectsApi(configuration);
}
