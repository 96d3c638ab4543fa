import { isDeepStrictEqual } from 'node:util';

import type { Canary } from '../domain/canary.js';
import type { ObjectRef, Service } from '../domain/objects.js';
import {
  newService,
  serviceName,
  updatedService,
  type ServiceRole,
  type ServiceSource,
} from '../domain/services.js';
import type { Deps } from './deps.js';

/**
 * Makes one of the services of a Canary what it has to be: creates it, or corrects what of it is
 * ours. Errors say which service, and keep the API server's sentence.
 */
export async function applyService(
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
