import { isDeepStrictEqual } from 'node:util';

import type { Canary } from '../domain/canary.js';
import type { ObjectRef, Service } from '../domain/objects.js';
import {
  hasServices,
  newService,
  serviceName,
  updatedService,
  type ServiceRole,
  type ServiceSource,
} from '../domain/services.js';
import type { Deps } from './deps.js';
import type { Target } from './workloads/workload.js';

/**
 * Makes those services of a Canary what they have to be, in this order. Targets that are services
 * themselves, and canaries without a port, have none.
 */
export async function applyServices(
  deps: Deps,
  canary: Canary,
  roles: readonly ServiceRole[],
  { selector, containers }: Pick<Target, 'selector' | 'containers'>,
): Promise<void> {
  if (!hasServices(canary) || selector === undefined) return;
  for (const role of roles) await applyService(deps, canary, { role, selector, containers });
}

/**
 * Makes one of the services of a Canary what it has to be: creates it, or corrects what of it is
 * ours. Errors say which service, and keep the API server's sentence.
 */
async function applyService(
  { kube }: Deps,
  canary: Canary,
  { role, ...source }: ServiceSource & { readonly role: ServiceRole },
): Promise<void> {
  const ref = serviceRef(canary, role);
  const desired = newService(canary, role, source);
  const live = await during(`service ${ref.name} get query error`, () => kube.find<Service>(ref));
  if (live === undefined) {
    const name = `${ref.name}.${ref.namespace}`;
    await during(`service ${name} create error`, () => kube.create(desired));
    return;
  }
  const updated = updatedService(live, desired, canary);
  if (isDeepStrictEqual(updated, live)) return;
  await during(`service ${ref.name} update error`, () => kube.replace(updated));
}

/** Names the service of one role as an object of the API. */
export function serviceRef(canary: Canary, role: ServiceRole): ObjectRef {
  const { namespace } = canary;
  return { apiVersion: 'v1', kind: 'Service', namespace, name: serviceName(canary, role) };
}

async function during<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`reconcileService failed: ${what}: ${message}`, { cause });
  }
}
