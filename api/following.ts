import { setMaxListeners } from 'node:events';

import { formatDuration } from '../domain/duration.js';
import { searchAttributes } from '../workflows/search-attributes.js';
import { idOf, pause, persistently, type CanaryName, type ClusterClient } from './connection.js';
import { endingOf, isFailure, type Ending } from './endings.js';
import { newestRun, revisionNow } from './questions.js';
import { SluiceError } from './sluice-error.js';

/** Which release to wait for, and how long. */
export interface WaitOptions {
  /** The revision that is waited for; without it, the one of the newest run. */
  readonly revision?: string;
  /** The run that accepted the request for the revision, from which on it is followed. */
  readonly runId?: string;
  readonly timeoutMs?: number;
}

const pollMs = 500;

/**
 * Waits for the end of one revision's release, through runs that go on in another, through outages
 * of the workers and of Temporal. Throws a `SluiceError` of kind `timed-out`, or `not-found` when no
 * revision is given and nothing was ever released.
 */
export async function follow(
  reach: ClusterClient,
  canary: CanaryName,
  { revision, runId, timeoutMs }: WaitOptions,
): Promise<Ending> {
  const end = new AbortController();
  // Each call of the client listens to the signal and forgets to stop.
  setMaxListeners(0, end.signal);
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          end.abort(new SluiceError('timed-out', timeoutText(canary, revision, timeoutMs)));
        }, timeoutMs);
  const search = { reach, canary, revision, signal: end.signal };
  try {
    const first = runId ?? (await firstRun(search));
    const ending = await followFrom(search, first, runId !== undefined);
    return await settle(search, ending);
  } finally {
    clearTimeout(timer);
  }
}

interface Search {
  readonly reach: ClusterClient;
  readonly canary: CanaryName;
  readonly revision: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Goes from run to run until the wanted revision's release has ended.
 *
 * @param accepted the target had the wanted revision when the first of the runs was open; a later run
 *   that releases another one therefore tells that the wanted one was overtaken
 */
async function followFrom(search: Search, first: string, accepted: boolean): Promise<Ending> {
  const { reach, canary, revision, signal } = search;
  let runId = first;
  for (;;) {
    const ending = await persistently(reach.client, signal, () => endingOf(reach, canary, runId));
    const { outcome, cause, next } = ending;
    const isWanted = revision === undefined || revision === ending.revision;
    if (outcome !== 'continued') {
      if (isWanted) return ending;
      if (cause?.type === 'Reverted') return standing(ending, revision);
      const overtakenBy = accepted ? overtaking(ending, revision, runId !== first) : undefined;
      if (overtakenBy !== undefined) return superseded(ending, revision, overtakenBy);
    }
    runId = next?.runId ?? (await runAfter(search, runId));
  }
}

/** The revision that came instead of the wanted one, if the ending tells of one. */
function overtaking(
  { revision, next }: Ending,
  wanted: string,
  isLater: boolean,
): string | undefined {
  if (next?.revision !== undefined) return next.revision === wanted ? undefined : next.revision;
  return isLater ? revision : undefined;
}

/** The target was set back to what had been promoted before: there is nothing to release. */
function standing(ending: Ending, revision: string): Ending {
  const { cause, ...rest } = ending;
  const message = `revision ${revision} is the promoted one; ${ending.revision} was rolled back`;
  return { ...rest, revision, outcome: 'unchanged', message };
}

function superseded(ending: Ending, revision: string, by: string): Ending {
  const { cause, ...rest } = ending;
  const message = `revision ${revision} was superseded by ${by}`;
  return { ...rest, revision, outcome: 'superseded', message };
}

/** "Nothing to do" for a revision that was tried and failed is no success: the earlier end counts. */
async function settle({ reach, canary, signal }: Search, ending: Ending): Promise<Ending> {
  if (ending.outcome !== 'unchanged') return ending;
  const query = `${searchAttributes.outcome.name} != 'unchanged'`;
  const earlier = await persistently(reach.client, signal, () =>
    newestRunOf(reach, canary, ending.revision, query),
  );
  if (earlier === undefined) return ending;
  const decided = await persistently(reach.client, signal, () => endingOf(reach, canary, earlier));
  if (!isFailure(decided.outcome)) return ending;
  const message = `${decided.message} (it was not released again; retry does that)`;
  return { ...decided, message };
}

/** The run to begin with: the newest, unless an earlier one was the wanted revision's. */
async function firstRun(search: Search): Promise<string> {
  const { reach, canary, revision, signal } = search;
  const { client } = reach;
  if (revision === undefined) {
    const { runId } = await persistently(client, signal, () => newestRun(reach, canary));
    return runId;
  }
  const newest = await persistently(client, signal, () => newestRunId(reach, canary));
  if (newest === undefined) return runAfter(search, undefined);
  const current = await persistently(client, signal, () => revisionNow(reach, canary));
  if (current === revision) return newest;
  const earlier = await persistently(client, signal, () => newestRunOf(reach, canary, revision));
  return earlier ?? newest;
}

function timeoutText(
  { namespace, name }: CanaryName,
  revision: string | undefined,
  timeoutMs: number,
): string {
  const what = revision === undefined ? 'the release' : `revision ${revision}`;
  return `${what} of ${namespace}/${name} was not over within ${formatDuration(timeoutMs)}`;
}

/** Waits for a run that is newer than the one given. */
async function runAfter({ reach, canary, signal }: Search, runId?: string): Promise<string> {
  for (;;) {
    const newest = await persistently(reach.client, signal, () => newestRunId(reach, canary));
    if (newest !== undefined && newest !== runId) return newest;
    await pause(pollMs, signal);
  }
}

async function newestRunId(reach: ClusterClient, canary: CanaryName): Promise<string | undefined> {
  try {
    const { runId } = await newestRun(reach, canary);
    return runId;
  } catch (error) {
    if (error instanceof SluiceError && error.kind === 'not-found') return undefined;
    throw error;
  }
}

async function newestRunOf(
  reach: ClusterClient,
  canary: CanaryName,
  revision: string,
  condition?: string,
): Promise<string | undefined> {
  const query = [
    `WorkflowId = '${idOf(reach, canary)}'`,
    `${searchAttributes.revision.name} = '${revision}'`,
    ...(condition === undefined ? [] : [condition]),
  ].join(' AND ');
  for await (const { runId } of reach.client.workflow.list({ query, pageSize: 1 })) return runId;
  return undefined;
}
