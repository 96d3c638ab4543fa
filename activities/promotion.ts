import type { PromoteResult } from '../domain/release.js';
import { readCanary } from './canaries.js';
import { forgetConfigs } from './configs.js';
import type { MoveInput } from './contract.js';
import type { Deps } from './deps.js';
import { countEnding } from './ending.js';
import { perform } from './reporting.js';
import { retireTarget } from './retirement.js';
import { scalerOf } from './scalers/index.js';
import { workloadOf } from './workloads/index.js';

/**
 * Copies the target to the primary. What is copied is the very object whose revision was compared,
 * so a change that comes in between is not promoted unseen.
 */
export async function promote(deps: Deps, input: MoveInput<'promote'>): Promise<PromoteResult> {
  const { canary, manifest: on } = await readCanary(deps, input.canary);
  const target = await workloadOf(deps, canary).target();
  if (target.revision !== input.revision) return { copied: false, revision: target.revision };
  const primaryBefore = await perform(deps, { ...input, on }, async () => {
    const before = await target.copyToPrimary();
    await scalerOf(deps, canary)?.updatePrimary();
    return before;
  });
  return { copied: true, primaryBefore };
}

/** Stops the target's pods: the primary has the whole traffic, and the new revision. */
export async function finish(deps: Deps, input: MoveInput<'finish'>): Promise<void> {
  const { canary, manifest: on } = await readCanary(deps, input.canary);
  await perform(deps, { ...input, on }, async () => {
    await retireTarget(deps, canary);
    await forgetConfigs(deps, canary);
  });
  countEnding(deps, { ref: input.canary, canary }, input.ending);
}
