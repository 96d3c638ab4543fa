import { readCanary } from './canaries.js';
import type { MoveInput } from './contract.js';
import type { Deps } from './deps.js';
import { countEnding } from './ending.js';
import { perform } from './reporting.js';
import { applyRoutes } from './routing.js';
import { workloadOf } from './workloads/index.js';

/** Gives the target pods, for the canary to begin. */
export async function scaleUp(deps: Deps, input: MoveInput<'scaleUp'>): Promise<void> {
  const workload = workloadOf(deps, await readCanary(deps, input.canary));
  await perform(deps, input, () => workload.scaleFromZero());
}

/** Splits the traffic. */
export async function route(deps: Deps, input: MoveInput<'route'>): Promise<void> {
  const canary = await readCanary(deps, input.canary);
  await perform(deps, input, () => applyRoutes(deps, canary, input.routes));
  if (input.ending !== undefined) countEnding(deps, { ref: input.canary, canary }, input.ending);
}
