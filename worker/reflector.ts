import { setTimeout as sleep } from 'node:timers/promises';

import type { Logger } from '@temporalio/common';

import type { KubeObject } from '../domain/objects.js';
import { UnknownKind, type ListWatch } from './list-watch.js';
import { messageOf } from './log.js';

/** A mirror of one collection of the API server, kept up to date by a watch. */
export interface Reflector<T extends KubeObject> {
  get(key: string): T | undefined;
  values(): Iterable<T>;
  /** Resolves when the collection has been read for the first time. */
  untilSynced(): Promise<void>;
  /** Calls the listener after each change, from now on. */
  onChange(listener: Listener<T>): void;
  stop(): void;
}

/** Gets an object that changed: `now` is undefined when it is gone, `before` when it is new. */
export type Listener<T extends KubeObject> = (
  key: string,
  now: T | undefined,
  before: T | undefined,
) => void;

export interface ReflectorOptions<T extends KubeObject> {
  readonly source: ListWatch<T>;
  readonly log: Logger;
  /** The part of an object worth keeping in memory. */
  readonly keep?: (object: T) => T;
  /**
   * For a kind that not every cluster has: how long to wait before it is looked for again, in
   * milliseconds. That it is missing is told once.
   */
  readonly absentForMs?: number;
}

/** The key of an object in its collection, `NAMESPACE/NAME`. */
export function keyOf({ namespace = '', name }: { namespace?: string; name: string }): string {
  return `${namespace}/${name}`;
}

/** The namespace and name a key stands for. */
export function placeOf(key: string): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

const openTimeoutMs = 30_000;
const minDelayMs = 200;
const maxDelayMs = 5_000;

/**
 * Starts mirroring. Level-based: a watch that ends is taken up from where it was, and after anything
 * unexpected (a connection lost, `410 Gone`) the collection is listed anew, so no change is ever
 * missed, though several may be seen as one.
 */
export function reflect<T extends KubeObject>(options: ReflectorOptions<T>): Reflector<T> {
  const { source, log, keep = (object: T) => object, absentForMs } = options;
  const objects = new Map<string, T>();
  const listeners: Listener<T>[] = [];
  const stopping = new AbortController();
  let synced = false;
  let isAbsent = false;
  let listed: () => void = ignore;
  const firstList = new Promise<void>((resolve) => {
    listed = resolve;
  });

  function store(object: T): void {
    const key = keyOf(object.metadata);
    const before = objects.get(key);
    if (before?.metadata.resourceVersion === object.metadata.resourceVersion && before) return;
    const kept = keep(object);
    objects.set(key, kept);
    announce(key, kept, before);
  }

  function drop(key: string): void {
    const before = objects.get(key);
    if (objects.delete(key)) announce(key, undefined, before);
  }

  function announce(key: string, now: T | undefined, before: T | undefined): void {
    for (const listener of listeners) {
      try {
        listener(key, now, before);
      } catch (error) {
        // The watch goes on: one listener that fails must not blind the others.
        log.error('listener of a watch failed', { kind: source.kind, object: key, error });
      }
    }
  }

  async function relist(): Promise<string> {
    const { items, resourceVersion } = await source.list();
    const present = new Set(items.map(({ metadata }) => keyOf(metadata)));
    for (const key of [...objects.keys()]) if (!present.has(key)) drop(key);
    for (const item of items) store(item);
    if (!synced) log.info('watching', { kind: source.kind, objects: objects.size });
    synced = true;
    isAbsent = false;
    listed();
    return resourceVersion;
  }

  /** Follows the collection until the watch ends; returns the version reached. */
  async function follow(from: string): Promise<string> {
    let version = from;
    await watchOnce(source, from, stopping.signal, (type, object) => {
      version = object.metadata.resourceVersion ?? version;
      if (type === 'DELETED') drop(keyOf(object.metadata));
      else if (type !== 'BOOKMARK') store(object as T);
    });
    return version;
  }

  /** Mirrors until the watch ends; returns where to go on, undefined to list anew. */
  async function mirror(from: string | undefined): Promise<string | undefined> {
    try {
      return await follow(from ?? (await relist()));
    } catch (error) {
      if (!stopping.signal.aborted) lost(error);
      return undefined;
    }
  }

  /** Tells why nothing is seen any more; of a kind the cluster never had only once. */
  function lost(error: unknown): void {
    const wasAbsent = isAbsent;
    isAbsent = absentForMs !== undefined && !synced && error instanceof UnknownKind;
    if (wasAbsent && isAbsent) return;
    const what = isAbsent ? 'nothing to watch until its CRD is installed' : 'watch lost';
    log.warn(what, { kind: source.kind, error: messageOf(error) });
  }

  async function run(): Promise<void> {
    let version: string | undefined;
    let failures = 0;
    while (!stopping.signal.aborted) {
      const began = Date.now();
      version = await mirror(version);
      // Also a server that ends every watch at once must not be asked without a pause.
      failures = Date.now() - began < maxDelayMs ? failures + 1 : Number(version === undefined);
      await pause(isAbsent ? (absentForMs ?? 0) : delayOf(failures), stopping.signal);
    }
  }

  void run();
  return {
    get: (key) => objects.get(key),
    values: () => objects.values(),
    untilSynced: () => firstList,
    onChange: (listener) => {
      listeners.push(listener);
    },
    stop: () => {
      stopping.abort();
    },
  };
}

/** Resolves when the server ends the watch in order; rejects with the reason otherwise. */
async function watchOnce<T extends KubeObject>(
  source: ListWatch<T>,
  resourceVersion: string,
  stop: AbortSignal,
  seen: (type: string, object: KubeObject) => void,
): Promise<void> {
  if (stop.aborted) return;
  const ending = new AbortController();
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (error: unknown): void => reject(toError(error));
      const options = { signal: ending.signal, once: true };
      stop.addEventListener('abort', () => fail('stopped'), options);
      const late = setTimeout(fail, openTimeoutMs, 'the watch could not be opened in time');
      source
        .watch({
          resourceVersion,
          seen: (type, object) => {
            if (type === 'ERROR') fail(statusOf(object));
            else if (!ending.signal.aborted) seen(type, object);
          },
          ended: (error) => {
            if (error === undefined || error === null) resolve();
            else fail(error);
          },
        })
        .then((watch) => {
          clearTimeout(late);
          // Also when it opens after all, too late.
          if (ending.signal.aborted) watch.abort();
          else ending.signal.addEventListener('abort', () => watch.abort());
        }, fail);
    });
  } finally {
    ending.abort();
  }
}

function delayOf(failures: number): number {
  return failures === 0 ? 0 : Math.min(maxDelayMs, minDelayMs * 2 ** (failures - 1));
}

async function pause(delay: number, signal: AbortSignal): Promise<void> {
  if (delay === 0) return;
  await sleep(delay * (0.75 + Math.random() / 2), undefined, { signal }).catch(ignore);
}

/** What the API server says in an `ERROR` event, such as `410 Gone`. */
function statusOf(object: unknown): string {
  const { code, message } = object as { code?: number; message?: string };
  return `${String(code ?? '')} ${message ?? 'the watch failed'}`.trim();
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(messageOf(thrown));
}

function ignore(): void {
  // The reason has been, or will be, reported where it is awaited.
}
