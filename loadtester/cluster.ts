import { BatchV1Api, CoreV1Api, type KubeConfig } from '@kubernetes/client-node';

import { connectKube, type Kube } from '../activities/kube.js';
import type { KubeObject } from '../domain/objects.js';

/** What the load tester does in a cluster. */
export interface Cluster {
  readonly kube: Kube;
  /** The pod's own, or the kubeconfig's. */
  readonly namespace: string;
  /** What a container of a pod has written, from the end at most so many lines. */
  logOf(container: ContainerName, tailLines: number): Promise<string>;
  /** Deletes a Job with its pods; none of that name is a success. */
  removeJob(job: NamespacedName): Promise<void>;
}

export interface NamespacedName {
  readonly namespace: string;
  readonly name: string;
}

export interface ContainerName extends NamespacedName {
  readonly container: string;
}

/** Connects to the cluster a kubeconfig names. */
export function connectCluster(config: KubeConfig): Cluster {
  const kube = connectKube(config);
  const core = config.makeApiClient(CoreV1Api);
  const batch = config.makeApiClient(BatchV1Api);
  return {
    kube,
    namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? 'default',
    logOf: (container, tailLines) => core.readNamespacedPodLog({ ...container, tailLines }),
    async removeJob(job) {
      try {
        // Without the policy, Jobs leave their pods behind.
        await batch.deleteNamespacedJob({ ...job, propagationPolicy: 'Background' });
      } catch (error) {
        if ((error as { code?: number }).code !== 404) throw error;
      }
    },
  };
}

/** A ConfigMap as it is stored. */
export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** One text of a ConfigMap; throws an error that says what is missing. */
export async function textOfConfigMap(
  kube: Kube,
  { namespace, name }: NamespacedName,
  key: string,
): Promise<string> {
  const found = await kube.find<ConfigMap>({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    namespace,
    name,
  });
  const what = `configmap ${name}.${namespace}`;
  if (found === undefined) throw new Error(`${what} not found`);
  const text = found.data?.[key];
  if (text === undefined) throw new Error(`${what} has no key ${key}`);
  return text;
}
