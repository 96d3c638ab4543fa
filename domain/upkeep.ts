import type { Canary } from './canary.js';
import { primaryRevisionOf } from './knative.js';
import type { KubeObject, ObjectRef, PodWorkload, Service } from './objects.js';
import { selectorLabelOf } from './primary.js';
import { hasServices, isInOrder, newService, serviceName } from './services.js';
import { workloadRefs } from './targets.js';

/**
 * What of the generated objects is missing, or leads requests somewhere else than it has to, as
 * people read it; nothing for what no canary at rest can do without. Others write to these objects
 * too: re-applying the service that was there first would cut off all traffic.
 *
 * @param find the object of a name, undefined when there is none
 */
export function disorderOf(
  canary: Canary,
  target: KubeObject,
  {
    find,
    selectorLabels,
  }: {
    readonly find: (ref: ObjectRef) => KubeObject | undefined;
    readonly selectorLabels: readonly string[];
  },
): readonly string[] {
  const { primary } = workloadRefs(canary);
  const lost = find(primary) === undefined ? [sentenceOf(primary, 'is missing')] : [];
  if (canary.target.kind === 'KnativeService' && primaryRevisionOf(target) === undefined) {
    return [sentenceOf(primary, 'has lost its primary revision')];
  }
  if (!hasServices(canary)) return lost;
  const { spec } = target as PodWorkload;
  const selector = selectorLabelOf(target as PodWorkload, selectorLabels);
  if (selector === undefined) return lost;
  const source = { selector, containers: spec.template.spec?.containers ?? [] };
  const wrong = (['apex', 'primary', 'canary'] as const).flatMap((role) => {
    const name = serviceName(canary, role);
    const ref = { apiVersion: 'v1', kind: 'Service', namespace: canary.namespace, name };
    const live = find(ref) as Service | undefined;
    if (live === undefined) return [sentenceOf(ref, 'is missing')];
    const inOrder = isInOrder(live, newService(canary, role, source));
    return inOrder ? [] : [sentenceOf(ref, 'was changed')];
  });
  return [...lost, ...wrong];
}

function sentenceOf({ kind, name, namespace }: ObjectRef, what: string): string {
  return `${kind.toLowerCase()} ${name}.${namespace} ${what}`;
}
