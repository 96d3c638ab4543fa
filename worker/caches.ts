import type { KubeConfig } from '@kubernetes/client-node';
import type { Logger } from '@temporalio/common';

import type { Kube } from '../activities/kube.js';
import type { Deployment } from '../domain/objects.js';
import { cacheCanaries, type CanaryCache, type CanaryObject } from './canary-cache.js';
import { cacheDeployments, type DeploymentCache } from './deployment-cache.js';
import { listWatchOf } from './list-watch.js';

/** What the worker mirrors of the cluster. */
export interface Caches {
  readonly canaries: CanaryCache;
  readonly deployments: DeploymentCache;
  stop(): void;
}

export interface CachesOptions {
  readonly kubeConfig: KubeConfig;
  readonly kube: Kube;
  /** Empty for all namespaces. */
  readonly namespace: string;
  readonly log: Logger;
}

/** Starts to mirror the Canaries and Deployments in scope. */
export function openCaches({ kubeConfig, kube, namespace, log }: CachesOptions): Caches {
  const scope = namespace === '' ? {} : { namespace };
  const canaries = cacheCanaries(
    listWatchOf<CanaryObject>(kubeConfig, kube, {
      ...scope,
      apiVersion: 'flagger.app/v1beta1',
      kind: 'Canary',
      plural: 'canaries',
    }),
    log,
  );
  const deployments = cacheDeployments(
    listWatchOf<Deployment>(kubeConfig, kube, {
      ...scope,
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      plural: 'deployments',
    }),
    log,
  );
  return {
    canaries,
    deployments,
    stop() {
      canaries.stop();
      deployments.stop();
    },
  };
}
