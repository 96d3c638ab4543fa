import type { CanaryStatus } from './canary.js';
import { configKey, configRefsOf, withOriginals } from './configs.js';
import { withoutKeys } from './entries.js';
import { isFluxOwned } from './inherited.js';
import type { PodTemplate } from './objects.js';
import {
  idAnnotation,
  primaryTemplate,
  primaryValueOf,
  revisionAnnotation,
  type PrimarySource,
} from './primary.js';
import { scaledUp } from './scale-to-zero.js';
import { spreadApart } from './spread.js';

/** What is in a cluster that Flagger has left, in our words. */
export interface Left {
  /** The revision of the target as it is now. */
  readonly target: string;
  /** The revision of the target the primary is a copy of; undefined when nobody remembers. */
  readonly primary: string | undefined;
}

/** The fields of a status that name revisions. */
export type Revisions = Partial<Pick<CanaryStatus, 'lastAppliedSpec' | 'lastPromotedSpec'>>;

/**
 * Whether a status was written by Flagger last. It knows nothing of generations, and its names of
 * revisions are hashes of what Go keeps in memory, so nobody else can tell what they stand for.
 */
export function isFlaggers(status: CanaryStatus): boolean {
  const { observedGeneration, lastAppliedSpec, lastPromotedSpec } = status;
  return (
    observedGeneration === undefined && [lastAppliedSpec, lastPromotedSpec].some(isFlaggersHash)
  );
}

/**
 * What the hashes of Flagger's status stand for, going by what they were at the time: those that
 * cannot be told any more stay as they are, and no revision will ever equal them.
 */
export function revisionsLeft(status: CanaryStatus, left: Left): Revisions {
  const { lastAppliedSpec, lastPromotedSpec } = status;
  const applied = isFlaggersHash(lastAppliedSpec) ? appliedOf(status, left) : undefined;
  const promoted = isFlaggersHash(lastPromotedSpec) ? promotedOf(status, left) : undefined;
  return {
    ...(applied === undefined ? {} : { lastAppliedSpec: applied }),
    ...(promoted === undefined ? {} : { lastPromotedSpec: promoted }),
  };
}

/**
 * The pod templates of a target and of a primary in a form in which they are equal if the primary
 * is a copy of that target, whoever made it.
 */
export function comparable(
  source: Pick<PrimarySource, 'target' | 'selector' | 'rules'>,
  primary: PodTemplate,
): { readonly wanted: PodTemplate; readonly found: PodTemplate } {
  const { target, selector, rules } = source;
  const own = [target.metadata.name, selector.value];
  const originals = configRefsOf(target.spec.template).map(configKey);
  const { metadata = {}, spec = {}, ...rest } = withOriginals(scaledUp(primary), originals);
  return {
    wanted: unmarked(primaryTemplate({ ...source, revision: '', id: '' })),
    found: unmarked({
      ...rest,
      metadata: {
        ...metadata,
        labels: {
          ...withoutKeys(metadata.labels, isFluxOwned),
          [selector.label]: primaryValueOf(selector),
        },
      },
      spec: spreadApart(spec, own, rules.selectorLabels),
    }),
  };
}

/**
 * What was tried last: until an analysis has begun what was promoted, then the target. What is being
 * promoted has been copied already, so a target that is something else came later. Of a failed
 * canary Flagger writes down the target as it is, again and again.
 */
function appliedOf({ phase }: CanaryStatus, { target, primary }: Left): string | undefined {
  switch (phase) {
    case 'Initialized':
    case 'Succeeded':
    case 'Waiting':
    case 'Promoting':
    case 'Finalising':
      return primary;
    case 'Progressing':
    case 'WaitingPromotion':
    case 'Failed':
      return target;
    default:
      return undefined;
  }
}

/** What is promoted is what the primary is, except while that is being changed. */
function promotedOf(
  { phase, canaryWeight = 0 }: CanaryStatus,
  { primary }: Left,
): string | undefined {
  const isBroken = phase === 'Failed' && canaryWeight > 0;
  return phase === 'Promoting' || phase === 'Finalising' || isBroken ? undefined : primary;
}

/** A number of 32 bits in a notation of its own. */
function isFlaggersHash(revision = ''): boolean {
  return /^[4-9bcdf]{1,10}$/.test(revision);
}

/** Without what tells one copy from another of the same content. */
function unmarked({ metadata = {}, ...template }: PodTemplate): PodTemplate {
  const { annotations, ...rest } = metadata;
  const marks = [idAnnotation, revisionAnnotation];
  const content = withoutKeys(annotations, isFluxOwned, (key) => marks.includes(key));
  return { ...template, metadata: { ...rest, annotations: content } };
}
