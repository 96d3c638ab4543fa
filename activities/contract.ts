import type { Move, Report } from '../domain/moves.js';
import type {
  CanaryRef,
  CheckResult,
  PodsResult,
  PromoteResult,
  Survey,
} from '../domain/release.js';

/** The input of the activity that makes a move: the move and whose it is. */
export type MoveInput<K extends Move['kind']> = Omit<Extract<Move, { kind: K }>, 'kind'> & {
  readonly canary: CanaryRef;
};

/** Activities that only look: may be given up and repeated at will. */
export interface Reads {
  /** Reads the Canary and its target, and says what there is to release. */
  survey(input: { readonly canary: CanaryRef }): Promise<Survey>;
  /**
   * Returns when the pods of a workload are ready, or when that has become hopeless. Heartbeats;
   * follows the cluster's own events, so it returns the moment the last pod is ready.
   */
  awaitPods(input: MoveInput<'awaitPods'>): Promise<PodsResult>;
}

/**
 * Activities that change the cluster. Each is idempotent: it reads, writes only what differs, and
 * a repeated attempt finds the work done and goes on behind it.
 */
export interface Writes {
  /** Creates the canary and primary services and the primary workload; tells which revision the primary is. */
  prepare(input: MoveInput<'prepare'>): Promise<{ readonly revision: string }>;
  /** Points the apex service at the primary, routes all traffic there, scales the target to zero. */
  initialise(input: MoveInput<'initialise'>): Promise<void>;
  scaleUp(input: MoveInput<'scaleUp'>): Promise<void>;
  route(input: MoveInput<'route'>): Promise<void>;
  /** Judges readiness, routes and metrics once; writes events and failedChecks of a failed check. */
  check(input: MoveInput<'check'>): Promise<CheckResult>;
  /** Copies the target to the primary, provided the target still is the analysed revision. */
  promote(input: MoveInput<'promote'>): Promise<PromoteResult>;
  /** Scales the target to zero after the traffic has left it. */
  finish(input: MoveInput<'finish'>): Promise<void>;
  /** All traffic to the primary, then the target to zero. */
  rollBack(input: MoveInput<'rollBack'>): Promise<void>;
  /** Only tells: events and status. */
  tell(input: { readonly canary: CanaryRef; readonly report: Report }): Promise<void>;
  /** Sets container images of the target; tells the revision that makes it. */
  setImages(input: {
    readonly canary: CanaryRef;
    readonly images: Readonly<Record<string, string>>;
  }): Promise<{ readonly revision: string }>;
}

export type Activities = Reads & Writes;
