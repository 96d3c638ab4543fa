import type { TargetKind } from '../../domain/canary.js';
import { latestRevisionOf } from '../../domain/knative.js';
import type { KnativeService, KubeObject, PodWorkload, Service } from '../../domain/objects.js';
import type { ConfigChecksums } from '../deps.js';
import { checksumsOfTarget, revisionOfTarget } from './pod-workload.js';
import { revisionOfService } from './service.js';

const revisions = {
  Deployment: revisionOfPods,
  DaemonSet: revisionOfPods,
  Service: (target) => revisionOfService(target as Service),
  KnativeService: (target) => latestRevisionOf(target as KnativeService) ?? '',
} as const satisfies Record<TargetKind, RevisionOf>;

type RevisionOf = (target: KubeObject, configs: ConfigChecksums | undefined) => string;

/** Names what a target of a kind would run, from nothing but the object and its configs as seen. */
export function revisionOfKind(
  kind: TargetKind,
  target: KubeObject,
  configs: ConfigChecksums | undefined,
): string {
  return revisions[kind](target, configs);
}

function revisionOfPods(target: KubeObject, configs: ConfigChecksums | undefined): string {
  const workload = target as PodWorkload;
  return revisionOfTarget(workload, checksumsOfTarget(configs, workload));
}
