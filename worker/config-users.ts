import type { ConfigPlace } from '../activities/deps.js';
import { configKey, configRefsOf } from '../domain/configs.js';
import type { PodTemplate, PodWorkload } from '../domain/objects.js';
import { targetKindOf, targetKinds } from '../domain/targets.js';
import type { CanaryCache, CanaryObject } from './canary-cache.js';
import { keyOf } from './reflector.js';
import type { WorkloadCache } from './workload-cache.js';

/**
 * Finds the keys of the canaries whose targets refer to a config. Looked up rather than kept, as a
 * config of some target changes seldom, and which targets refer to it changes all the time.
 */
export function configUsers(
  canaries: Pick<CanaryCache, 'values'>,
  workloads: Pick<WorkloadCache, 'get'>,
): (config: ConfigPlace) => readonly string[] {
  const known = new WeakMap<PodTemplate, ReadonlySet<string>>();

  function keysIn(template: PodTemplate): ReadonlySet<string> {
    const keys = known.get(template) ?? new Set(configRefsOf(template).map(configKey));
    known.set(template, keys);
    return keys;
  }

  return (config) => {
    const key = configKey(config);
    return [...canaries.values()]
      .filter(({ metadata }) => metadata.namespace === config.namespace)
      .filter((canary) => {
        const template = templateOf(canary, workloads);
        return template !== undefined && keysIn(template).has(key);
      })
      .map(({ metadata }) => keyOf(metadata));
  };
}

/** The pod template of a target, for kinds whose configs are tracked. */
function templateOf(
  { metadata: { namespace = '' }, spec: { targetRef } }: CanaryObject,
  workloads: Pick<WorkloadCache, 'get'>,
): PodTemplate | undefined {
  const kind = targetKindOf(targetRef);
  if (kind !== 'Deployment' && kind !== 'DaemonSet') return undefined;
  const target = workloads.get({
    ...targetKinds[kind],
    namespace,
    name: targetRef.name,
  });
  return (target as PodWorkload | undefined)?.spec.template;
}
