import type { Logger } from '@temporalio/common';

import { releaseId, type CanaryRef } from '../domain/release.js';
import type { CanaryCache, CanaryObject } from './canary-cache.js';
import { messageOf } from './log.js';
import { keyOf, placeOf } from './reflector.js';
import type { Releases } from './releases.js';
import {
  due,
  remembered,
  wanted,
  type Seen,
  type Sending,
  type Sent,
  type Wish,
} from './wanted.js';
import { workQueue } from './work-queue.js';

/** Turns what happens in the cluster into releases. */
export interface Watch {
  /** Ends it; what is being sent is sent. */
  stop(): Promise<void>;
}

export interface WatchOptions {
  readonly cluster: string;
  readonly canaries: CanaryCache;
  /** What else tells that a canary has to be looked at again. */
  readonly dependencies: readonly Dependency[];
  readonly releases: Releases;
  /** What is known of a canary's target, and of what was generated for it. */
  readonly seen: (canary: CanaryObject) => Seen;
  /** Called for everything that was sent. */
  readonly sent: (kind: Sending) => void;
  /** Tells after each list of the open runs whether Temporal answered. */
  readonly reached: (temporal: boolean) => void;
  readonly log: Logger;
  readonly resyncMs?: number;
}

/** Something canaries depend on. */
export interface Dependency {
  /** Calls the listener with the key of each canary it has changed for, from now on. */
  onChange(listener: (canary: string) => void): void;
}

/** What the watch remembers of one canary. */
interface Memory {
  readonly ref: CanaryRef;
  sent?: Sent;
  /** Its run ended by its own decision: only a change of the canary or its target starts another. */
  settled: boolean;
  /** Since when something of it is not to be seen as it has to be, in epoch milliseconds. */
  amissSince?: number | undefined;
}

/** Each kind comes by a stream of its own: a target may be seen a moment after its canary. */
const graceMs = 300;

/**
 * Begins to watch; the caches must be synced. Level-based: events only say which canary to look at,
 * what is sent follows from what it, its target and its run are at that moment. A call that fails is
 * repeated, and every fifteen seconds all canaries are compared with the list of open runs, so
 * nothing is ever lost.
 */
export function watchCanaries(options: WatchOptions): Watch {
  const { cluster, canaries, dependencies, releases, seen, log, resyncMs = 15_000 } = options;
  const memories = new Map<string, Memory>();
  const idPrefix = releaseId({ cluster, namespace: '', name: '' }).slice(0, -1);
  const queue = workQueue({
    work: look,
    failed: (canary, error, retryInMs) => {
      log.warn('could not reach the release', { canary, retryInMs, error: messageOf(error) });
    },
    concurrency: 16,
  });
  let open = new Set<string>();
  let listedAt = 0;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  function memoryOf(key: string): Memory {
    const memory = memories.get(key) ?? { ref: { cluster, ...placeOf(key) }, settled: false };
    memories.set(key, memory);
    return memory;
  }

  async function look(key: string): Promise<void> {
    const memory = memoryOf(key);
    const wish = wishOf(key);
    if (mayLag(memory, wish)) {
      setTimeout(() => {
        queue.add(key);
      }, graceMs).unref();
      return;
    }
    const isOpen = open.has(releaseId(memory.ref));
    const now = Date.now();
    if (memory.sent !== undefined) memory.sent = remembered(memory.sent, wish, now);
    const next = due(wish, memory.sent, { open: isOpen, listedAt, now });
    if (next === 'nothing') {
      if (wish.sight.uid === '' && !isOpen) memories.delete(key);
      return;
    }
    if (next === 'restart' && (await isSettled(memory, wish))) return;
    await send(next, memory, wish);
    const restarts = next === 'restart' ? (memory.sent?.restarts ?? 0) + 1 : 0;
    memory.sent = { sight: wish.sight, at: now, restarts };
    memory.settled = false;
    const { uid: _uid, images: _images, ...seen } = wish.sight;
    log.info('sent to the release', { canary: key, kind: next, ...seen });
  }

  function wishOf(key: string): Wish {
    return wanted(canaries.get(key), seen);
  }

  /** What is amiss now may be so only because one stream is behind another. */
  function mayLag(memory: Memory, { sight }: Wish): boolean {
    const isAmiss = sight.uid !== '' && (sight.revision === '' || sight.upkeep !== '');
    memory.amissSince = isAmiss ? (memory.amissSince ?? Date.now()) : undefined;
    return isAmiss && Date.now() < (memory.amissSince ?? 0) + graceMs;
  }

  /** A canary whose set-up was refused gets no other run until it or its target changes. */
  async function isSettled(memory: Memory, { stage }: Wish): Promise<boolean> {
    if (stage !== 'new') return false;
    memory.settled ||= await releases.hasDecided(memory.ref);
    return memory.settled;
  }

  async function send(next: Sending, { ref }: Memory, { sight }: Wish): Promise<void> {
    if (next === 'tell') {
      await releases.tell(ref, sight);
    } else {
      await releases.start(ref, sight);
      open.add(releaseId(ref));
    }
    options.sent(next);
  }

  async function resync(): Promise<void> {
    try {
      const asked = Date.now();
      open = new Set(await releases.listOpen());
      listedAt = asked;
      options.reached(true);
    } catch (error) {
      options.reached(false);
      log.warn('could not list the open releases', { error: messageOf(error) });
    }
    // Runs whose canary is gone too: they have to be told.
    for (const id of open) if (id.startsWith(idPrefix)) memoryOf(id.slice(idPrefix.length));
    for (const { metadata } of canaries.values()) queue.add(keyOf(metadata));
    for (const key of memories.keys()) queue.add(key);
    if (!stopped) timer = setTimeout(() => void resync(), resyncMs);
  }

  canaries.onChange((key) => {
    queue.add(key);
  });
  for (const dependency of dependencies) {
    dependency.onChange((key) => {
      queue.add(key);
    });
  }
  void resync();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await queue.stop();
    },
  };
}
