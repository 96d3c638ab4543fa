import { ListWatch } from '@kubernetes/client-node';
import type {
  KubernetesListObject,
  KubernetesObject,
  ListPromise,
  Watch,
} from '@kubernetes/client-node';

/** Which objects to follow. */
export type Selection<T extends KubernetesObject> = {
  readonly path: string;
  readonly list: () => Promise<KubernetesListObject<T>>;
  readonly fieldSelector?: string;
};

/** What happened to an object; `gone` carries its last known form. */
export type Change<T> = { readonly object: T; readonly gone: boolean };

/** Pause before watching again after the API server went away, ms. */
const retryMs = 300;

/** A local copy of some objects that is kept up to date, through restarts of the API server too. */
export class Follower<T extends KubernetesObject> {
  private readonly informer: ListWatch<T>;
  private stopped = false;

  constructor(watch: Watch, selection: Selection<T>) {
    const list: ListPromise<T> = () => selection.list();
    this.informer = new ListWatch(
      selection.path,
      watch,
      list,
      false,
      undefined,
      selection.fieldSelector,
    );
  }

  /** Calls back for every object added, changed or gone from now on. */
  onChange(callback: (change: Change<T>) => void): void {
    this.informer.on('add', (object) => callback({ object, gone: false }));
    this.informer.on('update', (object) => callback({ object, gone: false }));
    this.informer.on('delete', (object) => callback({ object, gone: true }));
  }

  /** Starts following; resolves once the first list has arrived. */
  async start(): Promise<void> {
    this.informer.on('error', () => {
      if (!this.stopped) setTimeout(() => void this.informer.start(), retryMs);
    });
    await this.informer.start();
    while (this.informer.latestResourceVersion() === '') {
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.informer.stop();
  }

  get(namespace: string, name: string): T | undefined {
    return this.informer.get(name, namespace);
  }

  list(namespace?: string): readonly T[] {
    return this.informer.list(namespace);
  }
}
