import type { RunOutcome } from '../api/client.js';

/** What the command's exit status says; 3 to 4 come from waiting only. */
export const exitCodes = {
  ok: 0,
  /** A mistake in the command line, an order that was refused, Temporal out of reach. */
  error: 1,
  /** The revision did not get into service. */
  failed: 2,
  timedOut: 3,
  /** A newer revision took over. */
  superseded: 4,
} as const;

/** The exit status for the end of a release. */
export function exitCodeOf(outcome: RunOutcome): number {
  switch (outcome) {
    case 'promoted':
    case 'initialised':
    case 'unchanged':
      return exitCodes.ok;
    case 'superseded':
    case 'continued':
      return exitCodes.superseded;
    case 'rolled-back':
    case 'promotion-failed':
    case 'failed':
    case 'gone':
    case 'reverted':
    case 'terminated':
      return exitCodes.failed;
  }
}
