import { excerpt, type Hide } from './secrets.js';

/** How a back end is asked by way of a library. */
export interface Asking {
  /** What is asked, for errors: an address, or a kind of object. */
  readonly what: string;
  readonly timeoutMs: number;
  readonly hide: Hide;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks by way of a library, for as long as the time or the caller allows, even where the library
 * itself would go on. Throws the signal's reason when the caller gave up; other errors name what
 * was asked and hold no secrets.
 */
export async function askInTime<T>(
  { what, timeoutMs, hide, signal }: Asking,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const deadline = AbortSignal.timeout(timeoutMs);
  const either = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  try {
    return await Promise.race([act(either), rejectionBy(either)]);
  } catch (error) {
    signal?.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    const why = deadline.aborted ? `no answer within ${String(timeoutMs / 1_000)} s` : reason;
    // Errors of libraries hold what was sent, so none is chained as the cause.
    // eslint-disable-next-line preserve-caught-error
    throw new Error(`${what}: ${excerpt(why, hide)}`);
  }
}

function rejectionBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
