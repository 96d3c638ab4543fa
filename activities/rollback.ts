import type { Canary } from '../domain/canary.js';
import { allToPrimary } from '../domain/routes.js';
import { readCanary } from './canaries.js';
import { restoreConfigs } from './configs.js';
import type { MoveInput } from './contract.js';
import type { Deps } from './deps.js';
import { countEnding } from './ending.js';
import { podsReady } from './pods.js';
import { perform } from './reporting.js';
import { retireTarget } from './retirement.js';
import { applyRoutes } from './routing.js';
import { workloadOf } from './workloads/index.js';
import type { Primary, Workload } from './workloads/workload.js';

/**
 * Takes a release back: the primary to its last promoted state, all traffic to the primary, the
 * target to zero.
 *
 * Traffic must never be without pods. A primary that keeps serving while it is restored gets the
 * traffic first, as the canary's may be failing. One that does not (its pods are gone, or its
 * strategy stops them all at once) is restored first, and the traffic stays where it is until it
 * is ready. The target is the last to go in either case.
 */
export async function rollBack(deps: Deps, input: MoveInput<'rollBack'>): Promise<void> {
  const { canary, manifest: on } = await readCanary(deps, input.canary);
  const workload = workloadOf(deps, canary);
  await perform(deps, { ...input, on }, async () => {
    const primary = await workload.primary();
    const before = primary && stateToRestore(primary, canary, input.primaryBefore);
    if (primary !== undefined && before !== undefined && !primary.servesWhileRestored) {
      await restore(deps, canary, { primary, before });
      await untilServing(workload);
    }
    await applyRoutes(deps, canary, { routes: allToPrimary, cookies: input.cookies });
    await restore(deps, canary, { primary, before });
    await retireTarget(deps, canary);
  });
  countEnding(deps, { ref: input.canary, canary }, input.ending);
}

/**
 * Repairs what a failed promotion left behind, before anything new is released: the primary gets
 * its last promoted state, and when its pods are ready again, all the traffic.
 */
export async function recover(deps: Deps, input: MoveInput<'recover'>): Promise<void> {
  const { canary, manifest: on } = await readCanary(deps, input.canary);
  const workload = workloadOf(deps, canary);
  await perform(deps, { ...input, on }, async () => {
    const primary = await workload.primary();
    const before = primary && stateToRestore(primary, canary, input.primaryBefore);
    await restore(deps, canary, { primary, before });
    await untilServing(workload);
    await applyRoutes(deps, canary, { routes: allToPrimary, cookies: {} });
  });
}

/**
 * Gives the primary what it had before: the contents of its configs even where its pods are as they
 * were, as a promotion that was cut off may have replaced nothing else.
 */
async function restore(
  deps: Deps,
  canary: Canary,
  {
    primary,
    before,
  }: { readonly primary: Primary | undefined; readonly before: string | undefined },
): Promise<void> {
  await restoreConfigs(deps, canary);
  if (before !== undefined) await primary?.restore(before);
}

/**
 * What the primary has to go back to. A promotion that was cut off never told what that is; the
 * primary shows it by a revision that was copied to it but not promoted.
 */
function stateToRestore(
  { revision, before }: Primary,
  { status: { lastPromotedSpec } }: Canary,
  told: string | undefined,
): string | undefined {
  if (told !== undefined) return told;
  const isUnpromoted =
    revision !== undefined && lastPromotedSpec !== undefined && revision !== lastPromotedSpec;
  return isUnpromoted ? before : undefined;
}

/** How long one attempt waits for the primary, in milliseconds; the next one goes on waiting. */
const patienceMs = 30_000;

async function untilServing(workload: Workload): Promise<void> {
  const wait = { role: 'primary', deadline: Date.now() + patienceMs } as const;
  const pods = await podsReady(workload, wait);
  if (!pods.ready)
    throw new Error(`the primary is waited for, with the traffic as it is: ${pods.reason}`);
}
