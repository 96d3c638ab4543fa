import type { KubernetesObject } from '@kubernetes/client-node';

/** What tells an object from its namesakes before and after it. */
export type Identity = {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
};

/** The identity of an object the API server has stored. */
export function identity(object: KubernetesObject): Identity {
  const { namespace = '', name = '', uid = '' } = object.metadata ?? {};
  return { namespace, name, uid };
}
