import type { RouteResult } from '../domain/release.js';
import { readCanary } from './canaries.js';
import type { MoveInput } from './contract.js';
import type { Deps } from './deps.js';
import { countEnding } from './ending.js';
import { perform } from './reporting.js';
import { applyRoutes } from './routing.js';
import { scalerOf } from './scalers/index.js';
import { workloadOf } from './workloads/index.js';

/** Gives the target pods, for the canary to begin; where it has a scaler, that adds the others. */
export async function scaleUp(deps: Deps, input: MoveInput<'scaleUp'>): Promise<void> {
  const { canary, manifest: on } = await readCanary(deps, input.canary);
  const scaler = scalerOf(deps, canary);
  await perform(deps, { ...input, on }, async () => {
    await scaler?.resumeTarget();
    // Where pods are the share of the traffic, the steps add the others.
    const pods = canary.analysis.strategy.kind === 'replicas' ? 1 : await scaler?.minReplicas();
    await workloadOf(deps, canary).scaleFromZero(pods);
  });
}

/** Splits the traffic; of a target that has become another revision nobody gets more. */
export async function route(deps: Deps, input: MoveInput<'route'>): Promise<RouteResult> {
  const { canary, manifest: on } = await readCanary(deps, input.canary);
  if (input.revision !== undefined) {
    const { revision } = await workloadOf(deps, canary).target();
    if (revision !== input.revision) return { revision };
  }
  await perform(deps, { ...input, on }, () => applyRoutes(deps, canary, input));
  if (input.ending !== undefined) countEnding(deps, { ref: input.canary, canary }, input.ending);
  return undefined;
}

/** Gives the target the pods of an earlier revision again. */
export async function putBack(deps: Deps, input: MoveInput<'putBack'>): Promise<void> {
  const { canary, manifest: on } = await readCanary(deps, input.canary);
  const workload = workloadOf(deps, canary);
  await perform(deps, { ...input, on }, () => workload.putBack(input.revision));
}
