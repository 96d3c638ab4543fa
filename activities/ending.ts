import type { Canary } from '../domain/canary.js';
import type { Ending } from '../domain/moves.js';
import type { CanaryRef } from '../domain/release.js';
import type { Deps } from './deps.js';

/** Counts the end of a release. Last of all, so that a failed attempt is not counted too. */
export function countEnding(
  { telemetry }: Deps,
  { ref, canary }: { readonly ref: CanaryRef; readonly canary: Canary },
  { outcome, startedAt, waitedForPeopleMs }: Ending,
): void {
  telemetry.releaseEnded(
    { ...ref, target: canary.target.name },
    {
      outcome,
      skippedAnalysis: canary.skipAnalysis,
      seconds: (Date.now() - startedAt) / 1_000,
      waitedForPeopleSeconds: waitedForPeopleMs / 1_000,
    },
  );
}
