import { comparable } from '../../domain/adoption.js';
import type { PodTemplate, PodWorkload } from '../../domain/objects.js';
import { copiedRevisionOf, withTemplate, type PrimarySource } from '../../domain/primary.js';
import { scaledUp } from '../../domain/scale-to-zero.js';
import { checksumsOfCopies } from '../configs.js';
import type { Deps } from '../deps.js';
import { digestOf, revisionOf } from '../revision.js';
import type { History } from './history.js';

/**
 * The revision of a target that a primary is a copy of. One that others made is compared with what
 * it would be, for the target as it is and for each template that the cluster keeps of it; the
 * contents of its configs count as its own copies have them.
 */
export async function copiedRevision<T extends PodWorkload>(
  deps: Deps,
  primary: T,
  {
    source,
    history,
  }: {
    readonly source: Pick<PrimarySource<T>, 'target' | 'selector' | 'rules'>;
    readonly history: History<T>;
  },
): Promise<string | undefined> {
  const stamped = copiedRevisionOf(primary);
  if (stamped !== undefined) return stamped;

  const { target } = source;
  const isCopied = (template: PodTemplate): boolean => {
    const of = { ...source, target: withTemplate(target, template) };
    const { wanted, found } = comparable(of, primary.spec.template);
    return digestOf(wanted) === digestOf(found);
  };
  const template = isCopied(target.spec.template)
    ? target.spec.template
    : (await history.list(deps.kube, target)).find((kept) => isCopied(kept.template))?.template;
  if (template === undefined) return undefined;
  const { namespace = '' } = target.metadata;
  return revisionOf(scaledUp(template), await checksumsOfCopies(deps, { namespace, template }));
}
