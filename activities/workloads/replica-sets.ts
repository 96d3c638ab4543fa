import type { Deployment, KubeObject, PodTemplate } from '../../domain/objects.js';
import { withoutKeys } from '../../domain/entries.js';
import { numberAnnotation } from '../../domain/primary.js';
import { invalidSpec } from '../canaries.js';
import type { Kube } from '../kube.js';

/**
 * The pod template a Deployment had at an earlier revision number, from the ReplicaSet that keeps
 * it. Throws `InvalidSpec` when that is gone, as with `revisionHistoryLimit: 0`.
 */
export async function templateOfRevision(
  kube: Kube,
  deployment: Deployment,
  number: string,
): Promise<PodTemplate> {
  const { name, namespace = 'default', uid } = deployment.metadata;
  const replicaSets = await kube.list<ReplicaSet>({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    namespace,
    labelSelector: selectorText(deployment),
  });
  const kept = replicaSets.find(
    ({ metadata: { ownerReferences = [], annotations } }) =>
      ownerReferences.some((owner) => owner.uid === uid) && numbersOf(annotations).includes(number),
  );
  if (kept === undefined) {
    throw invalidSpec(
      `deployment ${name}.${namespace} cannot go back to revision ${number}: its replica set is gone (see spec.revisionHistoryLimit)`,
    );
  }
  const { metadata, ...template } = kept.spec.template;
  const labels = withoutKeys(metadata?.labels, (key) => key === 'pod-template-hash');
  return { ...template, metadata: { ...metadata, labels } };
}

interface ReplicaSet extends KubeObject {
  readonly spec: { readonly template: PodTemplate };
}

function selectorText({ spec }: Deployment): string {
  return Object.entries(spec.selector.matchLabels ?? {})
    .map(([label, value]) => `${label}=${value}`)
    .join(',');
}

/** A ReplicaSet that was gone back to carries a new number and remembers the old ones. */
function numbersOf(annotations: Readonly<Record<string, string>> = {}): readonly string[] {
  const { [numberAnnotation]: current = '', [`${numberAnnotation}-history`]: history = '' } =
    annotations;
  return [current, ...history.split(',')];
}
