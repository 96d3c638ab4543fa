import type { Settings, Workloads } from '../activities/deps.js';
import type { TargetKind } from '../domain/canary.js';
import { parseCanary } from '../domain/manifest.js';
import type { Container, KubeObject, PodTemplate } from '../domain/objects.js';
import { targetKindOf, targetKinds } from '../domain/targets.js';
import { disorderOf } from '../domain/upkeep.js';
import type { CanaryObject } from './canary-cache.js';
import type { Seen } from './wanted.js';

export interface ViewOptions {
  readonly workloads: Pick<Workloads, 'get'>;
  readonly settings: Pick<Settings, 'defaults' | 'selectorLabels'>;
  /** Names what a target of a kind would run. */
  readonly revisionOf: (kind: TargetKind, target: KubeObject, canary: CanaryObject) => string;
}

/** What the caches know of a canary's target, and of what was generated for it. */
export function viewOf({
  workloads,
  settings,
  revisionOf,
}: ViewOptions): (canary: CanaryObject) => Seen {
  return (canary) => {
    const kind = targetKindOf(canary.spec.targetRef);
    const target = kind && targetOf(workloads, canary, kind);
    if (kind === undefined || target === undefined)
      return { revision: '', images: [], disorder: [] };
    const parsed = parseCanary(canary, settings.defaults);
    return {
      revision: revisionOf(kind, target, canary),
      images: imagesOf(target),
      disorder: parsed.ok
        ? disorderOf(parsed.canary, target, {
            find: (ref) => workloads.get(ref),
            selectorLabels: settings.selectorLabels,
          })
        : [],
    };
  };
}

function targetOf(
  workloads: Pick<Workloads, 'get'>,
  { metadata: { namespace = '' }, spec: { targetRef } }: CanaryObject,
  kind: TargetKind,
): KubeObject | undefined {
  return workloads.get({ ...targetKinds[kind], namespace, name: targetRef.name });
}

function imagesOf({ spec }: KubeObject): string[] {
  const { template = {} } = (spec ?? {}) as { readonly template?: PodTemplate };
  const containers: readonly Container[] = template.spec?.containers ?? [];
  return containers.map(({ name, image = '' }) => `${name}=${image}`);
}
