import type { V1Pod, V1ServiceAccountTokenProjection } from '@kubernetes/client-node';

import type { Api } from './api.js';
import { identity } from './identity.js';

/** A token and the moment, in ms since the epoch, from which it should be replaced. */
export type IssuedToken = { readonly token: string; readonly renewAtMs: number };

/** A token is replaced when 80 % of its life have passed, as the kubelet does. */
const usableShare = 0.8;

/** Asks the TokenRequest API for a token bound to the pod. */
export async function issueToken(
  { core }: Api,
  pod: V1Pod,
  projection: V1ServiceAccountTokenProjection,
): Promise<IssuedToken> {
  const { namespace, name, uid } = identity(pod);
  const lifeSeconds = projection.expirationSeconds ?? 3600;
  const issuedAtMs = Date.now();
  const answer = await core.createNamespacedServiceAccountToken({
    namespace,
    name: pod.spec?.serviceAccountName ?? 'default',
    body: {
      spec: {
        audiences: projection.audience === undefined ? [] : [projection.audience],
        expirationSeconds: lifeSeconds,
        boundObjectRef: {
          apiVersion: 'v1',
          kind: 'Pod',
          name,
          uid,
        },
      },
    },
  });
  const token = answer.status?.token;
  if (token === undefined) throw new Error('the API server answered without a token');
  return { token, renewAtMs: issuedAtMs + lifeSeconds * 1000 * usableShare };
}
