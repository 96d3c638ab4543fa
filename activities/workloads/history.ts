import { withoutKeys } from '../../domain/entries.js';
import type { KubeObject, PodTemplate, PodWorkload } from '../../domain/objects.js';
import { numberAnnotation } from '../../domain/primary.js';
import { invalidSpec } from '../canaries.js';
import type { Kube } from '../kube.js';
import { revisionOf } from '../revision.js';

/** A pod template that the cluster keeps of a workload. */
export interface Kept {
  /** The names of the states it stands for. */
  readonly states: readonly string[];
  readonly template: PodTemplate;
}

/** Where the cluster keeps the earlier templates of one kind of workload. */
export interface History<T extends PodWorkload> {
  /** What people call the objects that keep them. */
  readonly keeper: string;
  list(kube: Kube, workload: T): Promise<readonly Kept[]>;
}

/** One state out of a history. */
export interface StateWanted<T extends PodWorkload> {
  readonly history: History<T>;
  /** What people call it. */
  readonly name: string;
  readonly isIt: (kept: Kept) => boolean | Promise<boolean>;
}

/** An earlier state of a workload. Throws `InvalidSpec` when it is kept no more. */
export async function keptState<T extends PodWorkload>(
  kube: Kube,
  workload: T,
  { history, name, isIt }: StateWanted<T>,
): Promise<Kept> {
  for (const state of await history.list(kube, workload)) if (await isIt(state)) return state;
  const { name: of, namespace = 'default' } = workload.metadata;
  throw invalidSpec(
    `${workload.kind.toLowerCase()} ${of}.${namespace} cannot go back to revision ${name}: its ${history.keeper} is gone (see spec.revisionHistoryLimit)`,
  );
}

/** Deployments keep a ReplicaSet of each template; their states are the Deployment's numbers. */
export const replicaSets: History<PodWorkload> = {
  keeper: 'replica set',
  async list(kube, deployment) {
    const owned = await ownedBy<ReplicaSet>(kube, deployment, 'ReplicaSet');
    return owned.map(({ metadata, spec }) => ({
      states: numbersOf(metadata.annotations),
      template: withoutHash(spec.template),
    }));
  },
};

/** DaemonSets keep a ControllerRevision of each template; their states are hashes of the template. */
export const controllerRevisions: History<PodWorkload> = {
  keeper: 'controller revision',
  async list(kube, daemonSet) {
    const owned = await ownedBy<ControllerRevision>(kube, daemonSet, 'ControllerRevision');
    return owned.map(({ data }) => {
      // What is kept is a patch, which says that it stands for the whole template.
      const { $patch: _, ...template } = data.spec.template;
      return { states: [revisionOf(template)], template };
    });
  },
};

interface ReplicaSet extends KubeObject {
  readonly spec: { readonly template: PodTemplate };
}

interface ControllerRevision extends KubeObject {
  readonly data: { readonly spec: { readonly template: PodTemplate & { $patch?: string } } };
}

async function ownedBy<T extends KubeObject>(
  kube: Kube,
  { metadata: { namespace = 'default', uid }, spec }: PodWorkload,
  kind: string,
): Promise<T[]> {
  const labelSelector = Object.entries(spec.selector.matchLabels ?? {})
    .map(([label, value]) => `${label}=${value}`)
    .join(',');
  const all = await kube.list<T>({ apiVersion: 'apps/v1', kind, namespace, labelSelector });
  return all.filter(({ metadata: { ownerReferences = [] } }) =>
    ownerReferences.some((owner) => owner.uid === uid),
  );
}

function withoutHash({ metadata, ...template }: PodTemplate): PodTemplate {
  const labels = withoutKeys(metadata?.labels, (key) => key === 'pod-template-hash');
  return { ...template, metadata: { ...metadata, labels } };
}

/** A ReplicaSet that was gone back to carries a new number and remembers the old ones. */
function numbersOf(annotations: Readonly<Record<string, string>> = {}): readonly string[] {
  const { [numberAnnotation]: current = '', [`${numberAnnotation}-history`]: history = '' } =
    annotations;
  return [current, ...history.split(',')].filter((number) => number !== '');
}
