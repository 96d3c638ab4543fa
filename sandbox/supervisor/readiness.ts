import { setTimeout as sleep } from 'node:timers/promises';

import type { KubeApi, KubeObject } from './kube-api.js';

type Deployment = KubeObject & {
  readonly spec: { readonly replicas?: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
  };
};
type Pod = KubeObject & {
  readonly status?: {
    readonly phase?: string;
    readonly containerStatuses?: readonly {
      readonly name: string;
      readonly ready: boolean;
      readonly state?: {
        readonly waiting?: { readonly reason?: string; readonly message?: string };
      };
    }[];
  };
};

const retryMs = 100;
const readyMs = 180_000;

/** Resolves when the API server answers that it is ready. */
export async function apiReady(api: KubeApi): Promise<void> {
  const until = Date.now() + readyMs;
  while (Date.now() < until) {
    const status = await api.get('/readyz').then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return;
    await sleep(retryMs);
  }
  throw new Error('the API server did not get ready');
}

/**
 * Resolves when all Deployments among the objects are available, telling `onReady` of each; throws the
 * state of the pods when that takes too long.
 */
export async function deploymentsReady(
  api: KubeApi,
  objects: readonly KubeObject[],
  onReady: (deployment: string) => void,
): Promise<void> {
  const missing = new Set(objects.filter(({ kind }) => kind === 'Deployment').map(nameOf));
  const signal = AbortSignal.timeout(readyMs);
  while (missing.size > 0 && !signal.aborted) {
    try {
      for await (const { object } of api.watch<Deployment>('/apis/apps/v1/deployments', signal)) {
        if (isReady(object) && missing.delete(nameOf(object))) onReady(nameOf(object));
        if (missing.size === 0) return;
      }
    } catch {
      // The API server went away: look again.
      await sleep(retryMs);
    }
  }
  if (missing.size > 0) {
    throw new Error(`not ready: ${[...missing].join(', ')}\n${await podStates(api)}`);
  }
}

function isReady({ metadata, spec, status }: Deployment): boolean {
  const replicas = spec.replicas ?? 1;
  return (
    status?.observedGeneration === metadata.generation &&
    (status?.updatedReplicas ?? 0) >= replicas &&
    (status?.availableReplicas ?? 0) >= replicas
  );
}

async function podStates(api: KubeApi): Promise<string> {
  const { body } = await api.get('/api/v1/pods');
  const { items } = body as { readonly items: readonly Pod[] };
  return items
    .flatMap((pod) => {
      const { phase = 'Pending', containerStatuses = [] } = pod.status ?? {};
      const containers = containerStatuses
        .filter(({ ready }) => !ready)
        .map(({ name, state }) => {
          const { reason = 'not ready', message = '' } = state?.waiting ?? {};
          return `${name} ${reason} ${message}`.trimEnd();
        });
      return phase === 'Running' && containers.length === 0
        ? []
        : [`  pod ${nameOf(pod)}: ${[phase, ...containers].join(', ')}`];
    })
    .join('\n');
}

function nameOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? 'default'}/${metadata.name}`;
}
