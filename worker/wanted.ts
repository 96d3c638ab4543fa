import type { Phase } from '../domain/canary.js';
import type { CanaryObject } from './canary-cache.js';

/** What is known of a canary's target, and of what was generated for it. */
export interface Seen {
  /** Empty when the target is missing. */
  readonly revision: string;
  readonly images: readonly string[];
  /** What of the generated objects is missing, or was changed by others. */
  readonly disorder: readonly string[];
}

/** What the watch saw of one canary and its target. */
export interface Sight {
  /** Tells a Canary from a later one of the same name; empty when there is none any more. */
  readonly uid: string;
  /** Empty when the target is missing. */
  readonly revision: string;
  /** Of the Canary. */
  readonly generation: number;
  readonly phase: Phase;
  readonly lastApplied: string;
  readonly images: readonly string[];
  /** What is to be put right without anything being released; empty when nothing is. */
  readonly upkeep: string;
}

/** What a canary needs: a run of its release workflow, or only that an open one looks again. */
export interface Wish {
  readonly kind: 'start' | 'tell';
  /** Where the canary is: not set up yet, in the middle of a release, or at rest. */
  readonly stage: 'new' | 'midway' | 'rest';
  readonly sight: Sight;
}

/** Start a run, tell the open one, or start one again that ended without doing its work. */
export type Sending = 'start' | 'tell' | 'restart';

/** What the watch last sent for a canary. */
export interface Sent {
  readonly sight: Sight;
  /** When, in epoch milliseconds. */
  readonly at: number;
  /** How often a run had to be started again for the same sight. */
  readonly restarts: number;
}

/** What is known of the canary's run. */
export interface Known {
  /** Whether the last list of open runs had it, or it was started since. */
  readonly open: boolean;
  /** When open runs were last listed. */
  readonly listedAt: number;
  readonly now: number;
}

const stages = {
  '': 'new',
  Initializing: 'new',
  Initialized: 'rest',
  Succeeded: 'rest',
  Failed: 'rest',
  Waiting: 'midway',
  Progressing: 'midway',
  WaitingPromotion: 'midway',
  Promoting: 'midway',
  Finalising: 'midway',
  Terminating: 'rest',
  Terminated: 'rest',
} as const satisfies Record<Phase, Wish['stage']>;

/** Temporal's list of open runs lags behind; a run younger than this may be missing in it. */
const visibilityLagMs = 2_000;
const restartDelayMs = 15_000;
const maxRestartDelayMs = 600_000;
/** Longer than the pause between two looks, so that one good look is not taken for good order. */
const mendedMs = 10_000;

/** Flagger's own, so that a Canary can go from one to the other. */
const finalizer = 'finalizer.flagger.app';

/**
 * What the canary needs now, judged by nothing but its present state. A canary at rest needs a run
 * when its target is neither the promoted revision nor the one analysed last, or when something
 * of what was made for it is not as it has to be.
 *
 * @param canary undefined when it has been deleted
 */
export function wanted(
  canary: CanaryObject | undefined,
  look: (canary: CanaryObject) => Seen,
): Wish {
  if (canary === undefined) return { kind: 'tell', stage: 'rest', sight: nothing };
  const sight = sightOf(canary, look(canary));
  const stage = stages[sight.phase];
  const { deletionTimestamp } = canary.metadata;
  if (deletionTimestamp !== undefined) {
    return { kind: sight.upkeep === '' ? 'tell' : 'start', stage, sight };
  }
  const needsRun = stage !== 'rest' || isNewRevision(sight, canary) || sight.upkeep !== '';
  return { kind: needsRun && !isLeftAlone(canary) ? 'start' : 'tell', stage, sight };
}

/**
 * What is to be sent for a wish, given what was sent before. The same sight is sent once, so that
 * status updates and repeated events cost nothing; only a run that is missing is started again,
 * with growing delays, because it may end at once every time.
 */
export function due(
  { kind, stage, sight }: Wish,
  sent: Sent | undefined,
  { open, listedAt, now }: Known,
): Sending | 'nothing' {
  const news = sent === undefined || isOther(sight, sent.sight);
  if (kind === 'tell') return news && open ? 'tell' : 'nothing';
  if (news || (stage === 'rest' && isAfterAnotherRelease(sight, sent.sight))) return 'start';
  const missing = !open && listedAt > sent.at + visibilityLagMs;
  const delay = Math.min(maxRestartDelayMs, restartDelayMs * 2 ** (sent.restarts - 1));
  return missing && (sent.restarts === 0 || now >= sent.at + delay) ? 'restart' : 'nothing';
}

/**
 * What is remembered of what was sent, after another look. What has stayed in order for a while is
 * news when it comes out of order again; sooner, somebody else is undoing what runs put right, and
 * the growing delays of a repeated run keep that from becoming a fight.
 */
export function remembered(sent: Sent, { sight }: Wish, now: number): Sent {
  const isMended = sent.sight.upkeep !== '' && sight.upkeep === '';
  return isMended && now >= sent.at + mendedMs
    ? { ...sent, sight: { ...sent.sight, upkeep: '' } }
    : sent;
}

function isOther(now: Sight, before: Sight): boolean {
  return (
    now.uid !== before.uid ||
    now.revision !== before.revision ||
    now.generation !== before.generation ||
    (now.upkeep !== '' && before.upkeep === '')
  );
}

/** An open run moves the phase itself, which is no news; but at rest it tells that a run has ended. */
function isAfterAnotherRelease(now: Sight, before: Sight): boolean {
  return now.phase !== before.phase || now.lastApplied !== before.lastApplied;
}

function sightOf(canary: CanaryObject, seen: Seen): Sight {
  const { metadata, status } = canary;
  return {
    uid: metadata.uid ?? '',
    revision: seen.revision,
    generation: metadata.generation ?? 0,
    phase: status?.phase ?? '',
    lastApplied: status?.lastAppliedSpec ?? '',
    images: seen.images,
    upkeep: upkeepOf(canary, seen).join(', '),
  };
}

/** A release under way looks after all this itself. */
function upkeepOf(canary: CanaryObject, { disorder }: Seen): readonly string[] {
  const { metadata, spec, status } = canary;
  const isHeld = metadata.finalizers?.includes(finalizer) === true;
  if (metadata.deletionTimestamp !== undefined) return isHeld ? ['it is being deleted'] : [];
  if (stages[status?.phase ?? ''] !== 'rest') return [];
  return [
    ...(status?.observedGeneration === metadata.generation ? [] : ['its manifest was changed']),
    ...(isHeld === (spec.revertOnDeletion === true)
      ? []
      : ['its finalizer is not as it has to be']),
    ...disorder,
  ];
}

function isNewRevision({ revision, lastApplied }: Sight, { status }: CanaryObject): boolean {
  return revision !== '' && revision !== lastApplied && revision !== status?.lastPromotedSpec;
}

function isLeftAlone({ spec, status }: CanaryObject): boolean {
  const terminating = status?.phase === 'Terminating' || status?.phase === 'Terminated';
  return spec.suspend === true || terminating;
}

const nothing: Sight = {
  uid: '',
  revision: '',
  generation: 0,
  phase: '',
  lastApplied: '',
  images: [],
  upkeep: '',
};
