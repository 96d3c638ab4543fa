import type { Canary, TargetKind } from './canary.js';
import { namesOf } from './names.js';
import type { ObjectRef } from './objects.js';
import type { Role } from './release.js';

/** How the API server knows each kind of target. */
export const targetKinds = {
  Deployment: { apiVersion: 'apps/v1', kind: 'Deployment' },
  DaemonSet: { apiVersion: 'apps/v1', kind: 'DaemonSet' },
  Service: { apiVersion: 'v1', kind: 'Service' },
  KnativeService: { apiVersion: 'serving.knative.dev/v1', kind: 'Service' },
} as const satisfies Record<TargetKind, Pick<ObjectRef, 'apiVersion' | 'kind'>>;

/** The kind `spec.targetRef` stands for; undefined when it is none that can be released. */
export function targetKindOf({
  apiVersion = '',
  kind,
}: {
  readonly apiVersion?: string;
  readonly kind: string;
}): TargetKind | undefined {
  if (kind === 'Service' && apiVersion.startsWith('serving.knative.dev/')) return 'KnativeService';
  return kind === 'Deployment' || kind === 'DaemonSet' || kind === 'Service' ? kind : undefined;
}

/** Names the target and the primary of a Canary. A Knative Service is both. */
export function workloadRefs(canary: Canary): Readonly<Record<Role, ObjectRef>> {
  const { targetWorkload, primaryWorkload } = namesOf(canary);
  const kind = { ...targetKinds[canary.target.kind], namespace: canary.namespace };
  return {
    canary: { ...kind, name: targetWorkload },
    primary: {
      ...kind,
      name: canary.target.kind === 'KnativeService' ? targetWorkload : primaryWorkload,
    },
  };
}
