import { log } from '@temporalio/activity';

import type { Canary } from '../domain/canary.js';
import { namesOf } from '../domain/names.js';
import { allToPrimary } from '../domain/routes.js';
import { probeProviders } from './metrics/probe.js';
import { readCanary } from './canaries.js';
import type { MoveInput } from './contract.js';
import type { Deps } from './deps.js';
import { setFinalizer } from './finalizer.js';
import { perform, recordEvents, tell } from './reporting.js';
import { retireTarget } from './retirement.js';
import { applyRoutes, prepareRoutes } from './routing.js';
import { scalerOf } from './scalers/index.js';
import { applyServices } from './services.js';
import { workloadOf } from './workloads/index.js';
import type { Target, Workload } from './workloads/workload.js';

/**
 * Creates what a canary needs beside the target, which serves on as it did: the services of the
 * two workloads, and the primary. Tells which revision the primary has; one that somebody else
 * made is taken for a copy of the target as it is now.
 */
export async function prepare(
  deps: Deps,
  { canary: ref, report }: MoveInput<'prepare'>,
): Promise<{ readonly revision: string }> {
  const { canary, manifest: on } = await readCanary(deps, ref);
  // Told before the deed: whoever waits for the first primary should see what it is for.
  await tell(deps, { canary: ref, report, on });

  const workload = workloadOf(deps, canary);
  const target = await workload.target();
  await applyServices(deps, canary, ['canary', 'primary'], target);
  await prepareRoutes(deps, canary);

  const probed = await probeProviders(deps, canary);
  if (probed !== undefined) {
    await recordEvents(deps, ref, { key: `${report.key}/providers`, events: [probed] });
  }
  const revision = await revisionOfPrimary(canary, workload, target);
  await scalerOf(deps, canary)?.createPrimary();
  return { revision };
}

/**
 * Takes the traffic over: the apex service and the routes go to the primary, which is ready, and
 * only behind that the target is scaled to zero, so that somebody answers all the time.
 */
export async function initialise(deps: Deps, input: MoveInput<'initialise'>): Promise<void> {
  const { canary, manifest: on } = await readCanary(deps, input.canary);
  const workload = workloadOf(deps, canary);
  await perform(deps, { ...input, on }, async () => {
    await applyServices(deps, canary, ['apex'], await workload.target());
    await applyRoutes(deps, canary, { routes: allToPrimary, cookies: {} });
    await setFinalizer(deps.kube, input.canary, canary.revertOnDeletion);
    await retireTarget(deps, canary);
  });
}

async function revisionOfPrimary(
  canary: Canary,
  workload: Workload,
  target: Target,
): Promise<string> {
  const primary = await workload.primary();
  if (primary !== undefined) return (await target.primaryRevision()) ?? target.revision;
  const revision = await target.createPrimary();
  log.info(`${canary.target.kind} ${namesOf(canary).primaryWorkload}.${canary.namespace} created`);
  return revision;
}
