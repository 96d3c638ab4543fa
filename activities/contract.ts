import type { Delivery, DeliveryRecord } from '../domain/deliveries.js';
import type { Move } from '../domain/moves.js';
import type {
  CanaryRef,
  CheckResult,
  PodsResult,
  PromoteResult,
  RouteResult,
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
  /**
   * Asks the `confirm-rollout` webhooks every so often and returns when all of them agree.
   * Heartbeats; tells of a closed gate once, and of each that opens.
   */
  awaitGate(input: MoveInput<'awaitGate'>): Promise<void>;
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
  /** Brings services, routes, scalers and the finalizer in line with the manifest; moves no traffic. */
  reconcile(input: MoveInput<'reconcile'>): Promise<void>;
  /** Gives the primary its last promoted state again, waits for its pods, and leads the traffic back. */
  recover(input: MoveInput<'recover'>): Promise<void>;
  scaleUp(input: MoveInput<'scaleUp'>): Promise<void>;
  /** Splits the traffic, provided the target still is the revision that this was agreed to for. */
  route(input: MoveInput<'route'>): Promise<RouteResult>;
  /**
   * Judges readiness, routes, hooks and metrics once; writes events and failedChecks of a failed
   * check. When it passes, asks the gates that follow, and makes the step if they are open.
   */
  check(input: MoveInput<'check'>): Promise<CheckResult>;
  /** Copies the target to the primary, provided the target still is the analysed revision. */
  promote(input: MoveInput<'promote'>): Promise<PromoteResult>;
  /** Scales the target to zero after the traffic has left it. */
  finish(input: MoveInput<'finish'>): Promise<void>;
  /** All traffic to the primary, then the target to zero. */
  rollBack(input: MoveInput<'rollBack'>): Promise<void>;
  /** Gives the target the pods of an earlier revision again, which newer ones have to wait for. */
  putBack(input: MoveInput<'putBack'>): Promise<void>;
  /** Calls the `post-rollout` webhooks: each at least once, whatever becomes of the others. */
  conclude(input: MoveInput<'conclude'>): Promise<void>;
  /** Gives the target its pods and its traffic back, and removes our finalizer. */
  revert(input: MoveInput<'revert'>): Promise<void>;
  /** Only tells: events and status. */
  tell(input: MoveInput<'tell'>): Promise<void>;
  /** Sets container images of the target; tells the revision that makes it. */
  setImages(input: {
    readonly canary: CanaryRef;
    readonly images: Readonly<Record<string, string>>;
  }): Promise<{ readonly revision: string }>;
}

export type Activities = Reads & Writes;

/** What is delivered, and of which canary it tells. */
export interface DeliveryInput {
  readonly canary: CanaryRef;
  readonly delivery: Delivery;
}

/** How a delivery came to its end without having been given up. */
export type Delivered = Pick<DeliveryRecord, 'attempts' | 'fault'> & {
  readonly outcome: 'delivered' | 'dropped';
};

/** What the `deliveries` workflow needs done. */
export interface Courier {
  /** Makes one attempt at one delivery. A repeated one carries the same `Idempotency-Key`. */
  deliver(input: DeliveryInput): Promise<Delivered>;
}
