import type { Container } from '../../domain/objects.js';
import type { SelectorLabel } from '../../domain/primary.js';
import type { Readiness } from '../../domain/readiness.js';
import type { Role } from '../../domain/release.js';

/** A target as a release sees it, whatever kind of workload it is. */
export interface Target {
  /** The hash of its pod template. */
  readonly revision: string;
  readonly containers: readonly Container[];
  /** Undefined when its selector has none of the allowed labels; then `problem` says so. */
  readonly selector: SelectorLabel;
}

/**
 * One kind of workload a Canary can target: what a release does to the target and its primary.
 * Every method reads first and writes only what differs, so that each may be repeated.
 */
export interface Workload {
  /** Reads the target. Throws `InvalidSpec` when it is missing or cannot be told from a primary. */
  target(): Promise<Target>;
  /** Creates the primary from the target unless there is one. */
  createPrimary(): Promise<void>;
  /**
   * Copies the target to the primary, provided its revision is the given one still, and tells the
   * revision number the primary had before. The id is the same in every attempt at one promotion.
   */
  promote(promotion: { readonly revision: string; readonly id: string }): Promise<Promotion>;
  /** Gives the primary the pods of an earlier revision number again. */
  restorePrimary(revision: string): Promise<void>;
  /** Whether the primary has pods that serve all the time while it is restored. */
  servesWhileRestored(): Promise<boolean>;
  scaleToZero(): Promise<void>;
  /** Gives the target as many pods as the primary has, unless it has pods of its own. */
  scaleFromZero(): Promise<void>;
  /** Sets container images of the target; tells the revision that makes it. */
  setImages(images: Readonly<Record<string, string>>): Promise<string>;
  /** Judges the pods of one role as the API server knows them now. */
  readiness(role: Role): Promise<Readiness>;
  /**
   * Judges the pods of one role at every change, by what a watch delivers; nothing older than the
   * last {@link readiness} is judged. Ends when the returned function is called.
   */
  follow(role: Role, judged: (readiness: Readiness) => void): () => void;
}

/** What became of a promotion: copied, or the revision the target has instead. */
export type Promotion =
  | { readonly copied: true; readonly primaryBefore: string | undefined }
  | { readonly copied: false; readonly revision: string };
