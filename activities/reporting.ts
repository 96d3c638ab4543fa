import { Context } from '@temporalio/activity';
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';

import type { CanaryStatus } from '../domain/canary.js';
import type { EventText, Report, StatusPatch } from '../domain/moves.js';
import type { KubeObject } from '../domain/objects.js';
import type { CanaryRef } from '../domain/release.js';
import { changedFields, mergeStatus, timestamp } from '../domain/status.js';
import { objectRefOf, readManifest } from './canaries.js';
import { handOver } from './deliveries.js';
import type { Deps } from './deps.js';
import { KubeError, type Kube } from './kube.js';
import { trackedConfigsOf } from './tracked-configs.js';

/** What is told of which Canary. */
export interface Telling {
  readonly canary: CanaryRef;
  readonly report: Report;
  /** Its manifest, where that has been read already. */
  readonly on?: KubeObject | undefined;
}

/** Tells a whole report: the events before, the status, the events after. */
export async function tell(deps: Deps, telling: Telling): Promise<void> {
  await perform(deps, telling, () => Promise.resolve());
}

/**
 * Makes a move and tells of it: the events before, the deed, the status, the events after. All of
 * it may be repeated: an event is written once per key, a status only when it changes.
 */
export async function perform<T>(
  deps: Deps,
  { canary, report, on }: Telling,
  deed: () => Promise<T>,
): Promise<T> {
  const { key, before = [], after = [], status } = report;
  await recordEvents(deps, canary, { key: `${key}/before`, events: before, on });
  const result = await deed();
  const written = status ? await writeStatus(deps, canary, { status, known: on }) : on;
  await recordEvents(deps, canary, { key: `${key}/after`, events: after, on: written });
  return result;
}

/** Events that belong together. */
export interface Told {
  /** Unique in the run, and the same for every attempt. */
  readonly key: string;
  readonly events: readonly EventText[];
  /** The manifest they are about, where it has been read already. */
  readonly on?: KubeObject | undefined;
}

/** Writes events on a Canary, in order and each at most once, and hands them over for delivery. */
export async function recordEvents(
  deps: Deps,
  canary: CanaryRef,
  { key, events, on }: Told,
): Promise<void> {
  if (events.length === 0) return;
  const manifest = on ?? (await readManifest(deps, canary));
  const { runId = '' } = Context.current().info.workflowExecution ?? {};
  const keyed = events.map((event, index) => ({ key: `${runId}/${key}/${index}`, event }));
  for (const entry of keyed) {
    await createOnce(deps.kube, eventOn(manifest, entry.key, entry.event));
  }
  await handOver(deps, canary, manifest, keyed);
}

/**
 * Writes what of the status changes; gives back the manifest that was compared with. One that is
 * known already is taken for the newest, which spares reading it: where it is not, the API server
 * refuses the write. Only that there is nothing to write is believed of none but the newest.
 */
async function writeStatus(
  deps: Deps,
  canary: CanaryRef,
  { status, known }: { readonly status: StatusPatch; readonly known?: KubeObject | undefined },
): Promise<KubeObject> {
  const manifest = known ?? (await readManifest(deps, canary));
  const change = await changeOf(deps, manifest, status);
  if (change === undefined) {
    return known === undefined ? manifest : writeStatus(deps, canary, { status });
  }
  const { resourceVersion } = manifest.metadata;
  // Without a version, a merge patch leaves all other fields to whoever wrote them meanwhile.
  const guard = known && { metadata: { resourceVersion } };
  try {
    await deps.kube.patch(objectRefOf(canary), { ...guard, status: change }, 'status');
    return manifest;
  } catch (error) {
    if (known === undefined || !isOutdated(error)) throw error;
    return writeStatus(deps, canary, { status });
  }
}

/** The fields of the status that change; undefined when none does. */
async function changeOf(
  deps: Deps,
  manifest: KubeObject,
  patch: StatusPatch,
): Promise<object | undefined> {
  const live: CanaryStatus = manifest.status ?? {};
  const tracked = await trackedFor(deps, manifest, patch);
  const merged = mergeStatus(live, { ...patch, ...tracked }, targetKindOf(manifest), Date.now());
  return merged === live ? undefined : changedFields(live, merged);
}

/** Whether an object was changed, or deleted, since it was read. */
function isOutdated(error: unknown): boolean {
  return error instanceof KubeError && ['Conflict', 'NotFound'].includes(error.reason);
}

/** The checksums that belong to the revision the status is to name, where they are others. */
async function trackedFor(
  deps: Deps,
  manifest: KubeObject,
  { lastAppliedSpec }: StatusPatch,
): Promise<Pick<CanaryStatus, 'trackedConfigs'>> {
  const trackedConfigs =
    lastAppliedSpec && (await trackedConfigsOf(deps, manifest, lastAppliedSpec));
  const live: CanaryStatus = manifest.status ?? {};
  const isNews = trackedConfigs && !isDeepStrictEqual(trackedConfigs, live.trackedConfigs);
  return isNews ? { trackedConfigs } : {};
}

/** An Event as Flagger writes it, so that what people filter for is still found. */
function eventOn(
  { apiVersion, kind, metadata }: KubeObject,
  key: string,
  { type, message }: EventText,
): KubeObject {
  const { name, namespace = 'default', uid = '', resourceVersion = '' } = metadata;
  const time = timestamp(Date.now());
  // A name, because an object literal may only hold the fields its type names.
  const event = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${digestOf(key)}`, namespace },
    involvedObject: { apiVersion, kind, namespace, name, uid, resourceVersion },
    reason: 'Synced',
    type,
    message,
    source: { component: 'flagger' },
    reportingComponent: 'sluice',
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
  return event;
}

function digestOf(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 16);
}

async function createOnce(kube: Kube, object: KubeObject): Promise<void> {
  try {
    await kube.create(object);
  } catch (error) {
    // An earlier attempt has written it.
    if (!(error instanceof KubeError && error.reason === 'AlreadyExists')) throw error;
  }
}

function targetKindOf({ spec }: KubeObject): string {
  return (spec as { targetRef: { kind: string } }).targetRef.kind;
}
