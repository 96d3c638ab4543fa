/** What went wrong, for programs; the message is for people. */
export type FaultKind =
  /** Temporal does not answer. */
  | 'unreachable'
  /** There is no such release, or none in a state to be asked. */
  | 'not-found'
  /** The release was asked and declined, with its own sentence. */
  | 'refused'
  /** Temporal answers, but no worker of the cluster does. */
  | 'no-answer'
  | 'timed-out'
  /** Anything else Temporal complained of. */
  | 'temporal';

/** An error whose message is one sentence a person can act on. */
export class SluiceError extends Error {
  override readonly name = 'SluiceError';

  constructor(
    readonly kind: FaultKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
