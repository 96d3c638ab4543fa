import type { CanaryStatus, Condition, Phase } from './canary.js';
import type { StatusPatch } from './moves.js';

/**
 * The status after a write: the given fields, the condition `Promoted` that belongs to the phase,
 * and the time. A patch that changes nothing gives `live` itself back, so that nothing is written.
 *
 * @param now epoch milliseconds
 */
export function mergeStatus(
  live: CanaryStatus,
  patch: StatusPatch & Pick<CanaryStatus, 'trackedConfigs'>,
  targetKind: string,
  now: number,
): CanaryStatus {
  const time = timestamp(now);
  const condition = promotedCondition(live, patch.phase, targetKind, time);
  const changes = Object.entries(patch).some(
    ([field, value]) => live[field as keyof CanaryStatus] !== value,
  );
  if (!changes && condition === undefined) return live;
  return {
    ...live,
    ...patch,
    ...(condition === undefined ? {} : { conditions: [condition] }),
    lastTransitionTime: time,
  };
}

/** The fields of a status that differ from an earlier one: the body of a merge patch. */
export function changedFields(before: CanaryStatus, after: CanaryStatus): object {
  const changed = Object.entries(after).filter(
    ([field, value]) => before[field as keyof CanaryStatus] !== value,
  );
  const patch: Partial<CanaryStatus> = Object.fromEntries(changed);
  const { trackedConfigs } = patch;
  return trackedConfigs === undefined
    ? patch
    : { ...patch, trackedConfigs: replacing(before.trackedConfigs, trackedConfigs) };
}

/** A merge patch adds to a map; what is to be gone has to be said. */
function replacing(before: object | undefined, after: object): object {
  const gone = Object.keys(before ?? {}).map((key) => [key, null] as const);
  return { ...Object.fromEntries(gone), ...after };
}

/** Epoch milliseconds as the API server writes times: RFC 3339, in whole seconds. */
export function timestamp(now: number): string {
  return new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** The new condition, or undefined when the live one says it already. */
function promotedCondition(
  { conditions = [] }: CanaryStatus,
  phase: Phase | undefined,
  kind: string,
  time: string,
): Condition | undefined {
  const said = phase === undefined ? undefined : conditionOf(phase, kind);
  if (said === undefined) return undefined;
  const live = conditions.find(({ type }) => type === 'Promoted');
  if (live?.status === said.status && live.reason === said.reason) return undefined;
  return {
    type: 'Promoted',
    ...said,
    lastUpdateTime: time,
    lastTransitionTime: live?.status === said.status ? live.lastTransitionTime : time,
  };
}

function conditionOf(
  phase: Phase,
  kind: string,
): Pick<Condition, 'status' | 'reason' | 'message'> | undefined {
  const message = messageOf(phase, kind);
  return message === undefined ? undefined : { status: outcomeOf(phase), reason: phase, message };
}

function outcomeOf(phase: Phase): Condition['status'] {
  if (phase === 'Initialized' || phase === 'Succeeded') return 'True';
  return phase === 'Failed' ? 'False' : 'Unknown';
}

/** Flagger's sentences; tools and people compare them. */
function messageOf(phase: Phase, kind: string): string | undefined {
  switch (phase) {
    case 'Initializing':
    case 'Terminating':
    case 'Terminated':
      return `New ${kind} detected, starting initialization.`;
    case 'Initialized':
      return `${kind} initialization completed.`;
    case 'Waiting':
    case 'WaitingPromotion':
      return 'Waiting for approval.';
    case 'Progressing':
      return 'New revision detected, progressing canary analysis.';
    case 'Promoting':
      return 'Canary analysis completed, starting primary rolling update.';
    case 'Finalising':
      return 'Canary analysis completed, routing all traffic to primary.';
    case 'Succeeded':
      return 'Canary analysis completed successfully, promotion finished.';
    case 'Failed':
      return `Canary analysis failed, ${kind} scaled to zero.`;
    case '':
      return undefined;
  }
}
