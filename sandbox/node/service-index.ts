import type { V1EndpointSlice, V1Service } from '@kubernetes/client-node';

import type { ClusterObjects } from './cluster-objects.js';
import type { Change } from './follower.js';
import { serviceOfSlice } from './service-endpoints.js';

/** Services with their endpoint slices at hand, so that a change costs what it touches and no more. */
export class ServiceIndex {
  private readonly slicesByService = new Map<string, Map<string, V1EndpointSlice>>();

  constructor(private readonly objects: ClusterObjects) {}

  /** Calls back with the namespace and name of every service whose spec or endpoints changed. */
  onChange(callback: (namespace: string, name: string) => void): void {
    this.objects.services.onChange(({ object }: Change<V1Service>) => {
      callback(object.metadata?.namespace ?? '', object.metadata?.name ?? '');
    });
    this.objects.endpointSlices.onChange((change) => {
      this.note(change);
      const [namespace = '', name = ''] = serviceOfSlice(change.object).split('/');
      callback(namespace, name);
    });
  }

  service(namespace: string, name: string): V1Service | undefined {
    return this.objects.services.get(namespace, name);
  }

  slices(namespace: string, name: string): readonly V1EndpointSlice[] {
    return [...(this.slicesByService.get(`${namespace}/${name}`)?.values() ?? [])];
  }

  private note({ object, gone }: Change<V1EndpointSlice>): void {
    const key = serviceOfSlice(object);
    const name = object.metadata?.name ?? '';
    const slices = this.slicesByService.get(key) ?? new Map<string, V1EndpointSlice>();
    if (gone) slices.delete(name);
    else slices.set(name, object);
    if (slices.size === 0) this.slicesByService.delete(key);
    else this.slicesByService.set(key, slices);
  }
}
