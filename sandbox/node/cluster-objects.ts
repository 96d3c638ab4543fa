import type { V1ConfigMap, V1EndpointSlice, V1Secret, V1Service } from '@kubernetes/client-node';

import type { Api } from './api.js';
import { Follower } from './follower.js';

/** Local copies of what pods are made of, kept up to date. A sandbox is small: all of each is held. */
export type ClusterObjects = {
  readonly configMaps: Follower<V1ConfigMap>;
  readonly secrets: Follower<V1Secret>;
  readonly services: Follower<V1Service>;
  readonly endpointSlices: Follower<V1EndpointSlice>;
};

/** Makes the followers; nothing is read before `startFollowing`. */
export function clusterObjects({ core, discovery, watch }: Api): ClusterObjects {
  return {
    configMaps: new Follower(watch, {
      path: '/api/v1/configmaps',
      list: () => core.listConfigMapForAllNamespaces(),
    }),
    secrets: new Follower(watch, {
      path: '/api/v1/secrets',
      list: () => core.listSecretForAllNamespaces(),
    }),
    services: new Follower(watch, {
      path: '/api/v1/services',
      list: () => core.listServiceForAllNamespaces(),
    }),
    endpointSlices: new Follower(watch, {
      path: '/apis/discovery.k8s.io/v1/endpointslices',
      list: () => discovery.listEndpointSliceForAllNamespaces(),
    }),
  };
}

/** Starts all followers and waits for their first lists. */
export async function startFollowing(objects: ClusterObjects): Promise<void> {
  await Promise.all([
    objects.configMaps.start(),
    objects.secrets.start(),
    objects.services.start(),
    objects.endpointSlices.start(),
  ]);
}
