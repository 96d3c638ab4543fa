import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';

import type { ReleaseHandle } from './rig.js';

/** The failure a release ends with; throws when it ends in another way. */
export async function failureOf(handle: ReleaseHandle): Promise<ApplicationFailure> {
  const error: unknown = await handle.result().then(
    () => new Error('the release ended well'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof WorkflowFailedError)) throw error;
  if (!(error.cause instanceof ApplicationFailure)) throw error;
  return error.cause;
}
