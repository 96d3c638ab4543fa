import { KubeError, type Kube } from '../../activities/kube.js';
import type { Deployment, DeploymentStatus } from '../../domain/objects.js';
import { namespace } from './many-objects.js';

/**
 * Writes the status of every Deployment of the bench as if its pods were ready at once, in place of
 * the Deployment controller, which must not run. Returns the end of it.
 */
export async function fakeRollouts(kube: Kube): Promise<() => void> {
  const deployments = { apiVersion: 'apps/v1', kind: 'Deployment', namespace };
  const watch = await kube.watch(deployments, {
    seen(type, object) {
      if (type !== 'ADDED' && type !== 'MODIFIED') return;
      const { metadata, spec, status } = object as Deployment;
      if (status?.observedGeneration === metadata.generation) return;
      const complete = completeStatus(spec.replicas ?? 1, metadata.generation ?? 1);
      kube
        .patch({ ...deployments, name: metadata.name }, { status: complete }, 'status')
        .catch((error: unknown) => {
          if (!(error instanceof KubeError)) throw error;
        });
    },
    ended: () => undefined,
  });
  return () => {
    watch.abort();
  };
}

function completeStatus(replicas: number, observedGeneration: number): DeploymentStatus {
  return {
    observedGeneration,
    replicas,
    updatedReplicas: replicas,
    readyReplicas: replicas,
    availableReplicas: replicas,
  };
}
