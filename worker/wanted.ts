import type { Phase } from '../domain/canary.js';
import type { Deployment, PodTemplate } from '../domain/objects.js';
import type { CanaryObject } from './canary-cache.js';

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

/**
 * What the canary needs now, judged by nothing but its present state. A canary at rest needs a run
 * when its target is neither the promoted revision nor the one analysed last.
 *
 * @param canary undefined when it has been deleted
 * @param target undefined when there is no such Deployment
 */
export function wanted(
  canary: CanaryObject | undefined,
  target: Deployment | undefined,
  revisionOf: (template: PodTemplate) => string,
): Wish {
  if (canary === undefined) return { kind: 'tell', stage: 'rest', sight: nothing };
  const sight = sightOf(canary, target, revisionOf);
  const stage = stages[sight.phase];
  const needsRun = stage === 'rest' ? isNewRevision(sight, canary) : true;
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

function isOther(now: Sight, before: Sight): boolean {
  return (
    now.uid !== before.uid ||
    now.revision !== before.revision ||
    now.generation !== before.generation
  );
}

/** An open run moves the phase itself, which is no news; but at rest it tells that a run has ended. */
function isAfterAnotherRelease(now: Sight, before: Sight): boolean {
  return now.phase !== before.phase || now.lastApplied !== before.lastApplied;
}

function sightOf(
  { metadata: { uid = '', generation = 0 }, status }: CanaryObject,
  target: Deployment | undefined,
  revisionOf: (template: PodTemplate) => string,
): Sight {
  return {
    uid,
    revision: target === undefined ? '' : revisionOf(target.spec.template),
    generation,
    phase: status?.phase ?? '',
    lastApplied: status?.lastAppliedSpec ?? '',
    images: imagesOf(target),
  };
}

function isNewRevision({ revision, lastApplied }: Sight, { status }: CanaryObject): boolean {
  return revision !== '' && revision !== lastApplied && revision !== status?.lastPromotedSpec;
}

function isLeftAlone({ metadata, spec, status }: CanaryObject): boolean {
  const terminating = status?.phase === 'Terminating' || status?.phase === 'Terminated';
  return spec.suspend === true || metadata.deletionTimestamp !== undefined || terminating;
}

const nothing: Sight = {
  uid: '',
  revision: '',
  generation: 0,
  phase: '',
  lastApplied: '',
  images: [],
};

function imagesOf(target: Deployment | undefined): string[] {
  const containers = target?.spec.template.spec?.containers ?? [];
  return containers.map(({ name, image = '' }) => `${name}=${image}`);
}
