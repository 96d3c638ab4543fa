import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';

/**
 * Does the work, unless `interrupted` becomes true first: then the work is cancelled, waited for,
 * and undefined comes back. Work that had ended by then still counts.
 */
export async function interruptible<T>(
  work: () => Promise<T>,
  interrupted: () => boolean,
): Promise<T | undefined> {
  const working = new CancellationScope();
  const watching = new CancellationScope();
  const watch = watching.run(async () => {
    await condition(interrupted);
    working.cancel();
  });
  try {
    return await working.run(work);
  } catch (error) {
    if (isCancellation(error) && interrupted()) return undefined;
    throw error;
  } finally {
    watching.cancel();
    await watch.catch(ignoreCancellation);
  }
}

function ignoreCancellation(error: unknown): void {
  if (!isCancellation(error)) throw error;
}
