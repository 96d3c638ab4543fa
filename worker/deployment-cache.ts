import type { Logger } from '@temporalio/common';

import type { Deployments } from '../activities/deps.js';
import type { Deployment } from '../domain/objects.js';
import type { ListWatch } from './list-watch.js';
import { keyOf, reflect, type Reflector } from './reflector.js';

/** The Deployments of the cluster, from one watch for the whole process. */
export interface DeploymentCache
  extends Deployments, Pick<Reflector<Deployment>, 'untilSynced' | 'onChange' | 'stop'> {}

/** Mirrors every Deployment of a collection. */
export function cacheDeployments(source: ListWatch<Deployment>, log: Logger): DeploymentCache {
  const subscribers = new Map<string, Set<(deployment: Deployment | undefined) => void>>();
  const reflector = reflect<Deployment>({ source, log, keep: withoutManagedFields });
  reflector.onChange((key, deployment) => {
    for (const tell of [...(subscribers.get(key) ?? [])]) tell(deployment);
  });

  return {
    ...reflector,
    get: (ref) => reflector.get(keyOf(ref)),
    subscribe(ref, tell) {
      const key = keyOf(ref);
      // Wrapped, so that one function may subscribe twice and leave once.
      const subscriber = (deployment: Deployment | undefined): void => tell(deployment);
      const others = subscribers.get(key) ?? new Set();
      subscribers.set(key, others.add(subscriber));
      return () => {
        others.delete(subscriber);
        if (others.size === 0 && subscribers.get(key) === others) subscribers.delete(key);
      };
    },
  };
}

/** They are a third of an object's size and nobody here reads them. */
function withoutManagedFields(deployment: Deployment): Deployment {
  const { managedFields: _, ...metadata } = deployment.metadata as Deployment['metadata'] & {
    managedFields?: unknown;
  };
  return { ...deployment, metadata };
}
