import type { Deployment } from '../../domain/objects.js';

/** Parts of a Deployment laid over the usual one. */
export interface DeploymentParts {
  readonly name?: string;
  readonly metadata?: Partial<Deployment['metadata']>;
  readonly spec?: Partial<Deployment['spec']>;
  readonly pods?: Deployment['spec']['template'];
  readonly status?: Deployment['status'];
}

/** The Deployment `podinfo` in `test`: two pods labelled `app: podinfo`, one container. */
export function aDeployment(parts: DeploymentParts = {}): Deployment {
  const { name = 'podinfo', metadata, spec, pods = {}, status } = parts;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'test', generation: 1, ...metadata },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name }, ...pods.metadata },
        spec: {
          containers: [{ name: 'podinfo', image: 'podinfo:1', ports: [{ containerPort: 9898 }] }],
          ...pods.spec,
        },
      },
      ...spec,
    },
    ...(status === undefined ? {} : { status }),
  };
}

/** The status of a Deployment of which all pods are up to date and available. */
export function rolledOut(replicas: number, generation = 1): NonNullable<Deployment['status']> {
  return {
    observedGeneration: generation,
    replicas,
    updatedReplicas: replicas,
    readyReplicas: replicas,
    availableReplicas: replicas,
    conditions: [{ type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' }],
  };
}
