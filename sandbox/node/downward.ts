import type {
  V1Container,
  V1ObjectFieldSelector,
  V1Pod,
  V1ResourceFieldSelector,
} from '@kubernetes/client-node';

import { quantityValue } from './quantity.js';

/** Addresses known to the node agent before they stand in the pod's status. */
export type PodAddresses = { readonly podIp: string; readonly hostIp: string };

/** What the sandbox node has to give; the answer where a container sets no limit. */
export const nodeCapacity = { cpu: '64', memory: '256Gi', pods: '2000' } as const;

/** The text a fieldRef stands for. Throws on paths the downward API does not have. */
export function fieldValue(
  pod: V1Pod,
  selector: V1ObjectFieldSelector,
  addresses: PodAddresses,
): string {
  const path = selector.fieldPath;
  const keyed = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (keyed !== null) {
    const texts = keyed[1] === 'labels' ? pod.metadata?.labels : pod.metadata?.annotations;
    return texts?.[keyed[2] ?? ''] ?? '';
  }
  const read = plainFields[path];
  if (read === undefined) throw new Error(`fieldPath "${path}" is not supported`);
  return read(pod, addresses) ?? '';
}

const plainFields: Readonly<
  Record<string, (pod: V1Pod, addresses: PodAddresses) => string | undefined>
> = {
  'metadata.name': (pod) => pod.metadata?.name,
  'metadata.namespace': (pod) => pod.metadata?.namespace,
  'metadata.uid': (pod) => pod.metadata?.uid,
  'metadata.labels': (pod) => keyValueLines(pod.metadata?.labels),
  'metadata.annotations': (pod) => keyValueLines(pod.metadata?.annotations),
  'spec.nodeName': (pod) => pod.spec?.nodeName,
  'spec.serviceAccountName': (pod) => pod.spec?.serviceAccountName,
  'status.hostIP': (_pod, addresses) => addresses.hostIp,
  'status.hostIPs': (_pod, addresses) => addresses.hostIp,
  'status.podIP': (_pod, addresses) => addresses.podIp,
  'status.podIPs': (_pod, addresses) => addresses.podIp,
};

function keyValueLines(texts: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(texts ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');
}

/** The number a resourceFieldRef stands for, in units of its divisor, rounded up. */
export function resourceValue(
  containers: readonly V1Container[],
  selector: V1ResourceFieldSelector,
  ownName: string,
): string {
  const name = selector.containerName ?? ownName;
  const container = containers.find((candidate) => candidate.name === name);
  const divisor = quantityValue(selector.divisor ?? '1');
  const amount = quantityValue(resourceQuantity(container, selector.resource));
  return String(Math.ceil(amount / (divisor > 0 ? divisor : 1)));
}

/** A limit that is not set is all the node has; a request that is not set is the limit, or nothing. */
function resourceQuantity(container: V1Container | undefined, path: string): string {
  const [kind, resource = ''] = path.split(/\.(.*)/s);
  const { limits = {}, requests = {} } = container?.resources ?? {};
  if (kind === 'requests') return requests[resource] ?? limits[resource] ?? '0';
  return limits[resource] ?? (resource === 'cpu' ? nodeCapacity.cpu : nodeCapacity.memory);
}
