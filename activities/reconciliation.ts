import { hasServices, revertedApex } from '../domain/services.js';
import type { Service } from '../domain/objects.js';
import { readCanary } from './canaries.js';
import { changeObject } from './changes.js';
import type { MoveInput } from './contract.js';
import type { Deps } from './deps.js';
import { setFinalizer } from './finalizer.js';
import { perform, tell } from './reporting.js';
import { applyRoutes, finalizeRoutes } from './routing.js';
import { scalerOf } from './scalers/index.js';
import { applyServices, serviceRef } from './services.js';
import { workloadOf } from './workloads/index.js';

/** Makes what was generated from the manifest what it would be now. The traffic stays where it is. */
export async function reconcile(deps: Deps, input: MoveInput<'reconcile'>): Promise<void> {
  const { canary, manifest: on } = await readCanary(deps, input.canary);
  const target = await workloadOf(deps, canary).target();
  await perform(deps, { ...input, on }, async () => {
    await setFinalizer(deps.kube, input.canary, canary.revertOnDeletion);
    await target.createPrimary();
    await applyServices(deps, canary, ['canary', 'primary', 'apex'], target);
    await scalerOf(deps, canary)?.createPrimary();
    await applyRoutes(deps, canary, input);
  });
}

/**
 * Undoes what initialising did, for a Canary that is being deleted: the target gets its pods back,
 * then the traffic, and only then the Canary may go, and its primary with it.
 */
export async function revert(deps: Deps, input: MoveInput<'revert'>): Promise<void> {
  const { canary: ref, report } = input;
  const { canary } = await readCanary(deps, ref);
  const { after, ...before } = report;
  // Told before the deed, which takes as long as the pods do.
  await tell(deps, { canary: ref, report: before });
  await scalerOf(deps, canary)?.resumeTarget();
  await workloadOf(deps, canary).revert();
  // A target that is a service is its own apex, and was never changed.
  if (hasServices(canary)) {
    await changeObject<Service>(deps.kube, serviceRef(canary, 'apex'), (live) =>
      revertedApex(live, canary),
    );
  }
  await finalizeRoutes(deps, canary);
  const told = { key: report.key, ...(after === undefined ? {} : { after }) };
  await tell(deps, { canary: ref, report: told });
  await setFinalizer(deps.kube, ref, false);
}
