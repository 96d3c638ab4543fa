import { KubeError, type Collection, type Kube, type WatchOptions } from '../activities/kube.js';
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

/**
 * Lists a collection page by page, and follows it.
 *
 * @param keep what is made of each object before anybody sees it
 */
export function listWatchOf<T extends KubeObject>(
  kube: Kube,
  collection: Collection,
  keep: (object: KubeObject) => T = (object) => object as T,
): ListWatch<T> {
  return {
    kind: collection.kind,
    async list() {
      const items: T[] = [];
      let after: string | undefined;
      for (;;) {
        const page = await during(() => kube.page(collection, { limit: pageSize, after }));
        items.push(...page.items.map(keep));
        const { continue: next = '', resourceVersion } = page.metadata;
        if (next === '') return { items, resourceVersion };
        after = next;
      }
    },
    watch: ({ seen, ...options }) =>
      kube.watch(collection, {
        ...options,
        seen: (type, object) => {
          // Bookmarks and errors are no objects of the collection.
          seen(type, type === 'BOOKMARK' || type === 'ERROR' ? object : keep(object));
        },
      }),
  };
}

/** The cluster has no such kind: its CRD is not installed. */
export class UnknownKind extends Error {
  override readonly name = 'UnknownKind';
}

/** Says which answer it was, as not every one comes from the API server itself. */
async function during<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    const message = `${error.status} ${error.message}`;
    throw error.status === 404 ? new UnknownKind(message) : new Error(message);
  }
}
