import { setTimeout as sleep } from 'node:timers/promises';

import { NODE_NAME } from '../addresses.js';
import type { Change, KubeApi, KubeObject } from './kube-api.js';

type Node = KubeObject & {
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
};
type Workload = KubeObject & {
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

type Changes<T> = AsyncGenerator<Change<T>>;

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

/** Resolves when the node agent has registered its node and said that it is ready. */
export async function nodeReady(api: KubeApi): Promise<void> {
  const nodes = (signal: AbortSignal): Changes<Node> => api.watch<Node>('/api/v1/nodes', signal);
  await untilAll(api, nodes, [NODE_NAME], ({ status }) =>
    (status?.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True'),
  );
}

/**
 * Resolves when all workloads among the objects are available; throws the state of the pods when that
 * takes too long.
 */
export async function workloadsReady(api: KubeApi, objects: readonly KubeObject[]): Promise<void> {
  const kinds = ['Deployment', 'StatefulSet'] as const;
  await Promise.all(
    kinds.map(async (kind) => {
      const names = objects.filter((object) => object.kind === kind).map(nameOf);
      const path = `/apis/apps/v1/${kind.toLowerCase()}s`;
      await untilAll(api, (signal) => api.watch<Workload>(path, signal), names, isAvailable);
    }),
  );
}

/** Watches a list until every named object of it is as wanted. */
async function untilAll<T extends KubeObject>(
  api: KubeApi,
  watch: (signal: AbortSignal) => Changes<T>,
  names: readonly string[],
  isAsWanted: (object: T) => boolean,
): Promise<void> {
  const missing = new Set(names);
  const signal = AbortSignal.timeout(readyMs);
  while (missing.size > 0 && !signal.aborted) {
    try {
      await seeChanges(watch(signal), missing, isAsWanted);
    } catch {
      // The API server went away: look again.
      await sleep(retryMs);
    }
  }
  if (missing.size > 0) {
    throw new Error(`not ready: ${[...missing].join(', ')}\n${await podStates(api)}`);
  }
}

async function seeChanges<T extends KubeObject>(
  changes: Changes<T>,
  missing: Set<string>,
  isAsWanted: (object: T) => boolean,
): Promise<void> {
  for await (const { object } of changes) {
    if (isAsWanted(object)) missing.delete(nameOf(object));
    if (missing.size === 0) return;
  }
}

function isAvailable({ metadata, spec, status }: Workload): boolean {
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
  return [metadata.namespace, metadata.name].filter(Boolean).join('/');
}
