/**
 * The scaler a Canary names: that of the target, and its copy for the primary. Every method reads
 * first and writes only what differs, so that each may be repeated.
 */
export interface Scaler {
  /** Creates the primary's scaler from the target's, unless there is one. */
  createPrimary(): Promise<void>;
  /** Makes the primary's scaler say what the target's says by now. */
  updatePrimary(): Promise<void>;
  /** Keeps the scaler from starting pods of a target that is to have none. */
  pauseTarget(): Promise<void>;
  /** Lets it scale the target again. */
  resumeTarget(): Promise<void>;
  /** The pods the target is started with; the scaler decides about any more. */
  minReplicas(): Promise<number>;
}
