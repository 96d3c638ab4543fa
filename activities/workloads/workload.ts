import type { Container } from '../../domain/objects.js';
import type { SelectorLabel } from '../../domain/primary.js';
import type { Readiness } from '../../domain/readiness.js';
import type { Role } from '../../domain/release.js';

/**
 * One kind of workload a Canary can target: what a release does to the target and its primary.
 * Every method reads first and writes only what differs, so that each may be repeated.
 */
export interface Workload {
  /** Reads the target. Throws `InvalidSpec` when it is missing or has no usable selector. */
  target(): Promise<Target>;
  /** Whether the target is to have no pods; one that is missing, or has none of its own, has none. */
  isAtZero(): Promise<boolean>;
  scaleToZero(): Promise<void>;
  /**
   * Gives the target pods, unless it has pods of its own.
   *
   * @param pods how many, for kinds that are told; as many as the primary has unless it is given
   */
  scaleFromZero(pods?: number): Promise<void>;
  /** Sets images of the target by container name; tells the revision that makes. */
  setImages(images: Readonly<Record<string, string>>): Promise<string>;
  /**
   * Gives the target what it was at an earlier revision, from what the cluster remembers. Throws
   * `InvalidSpec` when that is gone, or was never kept.
   */
  putBack(revision: string): Promise<void>;
  /**
   * Gives the target its pods back, as its Canary is being deleted, and waits until they are ready:
   * throws, to be tried again, if that takes long. A target that is gone has nothing to be given.
   */
  revert(): Promise<void>;
  /** Reads the primary; undefined when there is none. Throws `InvalidSpec` for another canary's. */
  primary(): Promise<Primary | undefined>;
  /** Judges the pods of one role as the API server knows them now. */
  readiness(role: Role): Promise<Readiness>;
  /**
   * Judges the pods of one role now and at every change, as they come in from a watch; nothing
   * older than what the API server answered at first. The returned function ends it.
   */
  follow(role: Role, judged: (readiness: Readiness) => void): Promise<() => void>;
  /**
   * Whether the watch last saw the target at this revision, and both roles ready. True can be
   * relied upon; false has to be asked after, as a watch lags behind.
   */
  looksWell(revision: string): Promise<boolean>;
  /** The sentence about pods of one role that did not come before the release's own deadline. */
  overdue(role: Role): string;
}

/** The target at one moment. What is copied from it is what it was then, whatever it is by now. */
export interface Target {
  /** Names what it would run: equal as long as nothing that counts has changed. */
  readonly revision: string;
  /** What tells its pods from the primary's; undefined when it has no pods of its own. */
  readonly selector: SelectorLabel | undefined;
  readonly containers: readonly Container[];
  /**
   * Creates the primary, unless there is one; tells which revision it is. A primary that was lost
   * becomes what was promoted last, not what the target happens to be.
   */
  createPrimary(): Promise<string>;
  /** Which revision of it the primary is a copy of, whoever made it; undefined if nobody remembers. */
  primaryRevision(): Promise<string | undefined>;
  /** Copies it to the primary; tells what the primary can be restored to, if that is known. */
  copyToPrimary(): Promise<string | undefined>;
}

/** The primary at one moment. */
export interface Primary {
  /** The revision of the target it was copied from; undefined when others made it. */
  readonly revision: string | undefined;
  /** What it can be restored to: the name its kind has for its state before the last copy. */
  readonly before: string | undefined;
  /** Whether it has pods that keep serving while it is restored. */
  readonly servesWhileRestored: boolean;
  /** Gives it the pods of an earlier state again. */
  restore(before: string): Promise<void>;
}
