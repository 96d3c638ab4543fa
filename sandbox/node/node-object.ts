import { ApiException, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import type { V1Node } from '@kubernetes/client-node';

import type { Api } from './api.js';
import { nodeCapacity } from './downward.js';

const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);

/** The port of the kubelet's https endpoint. */
export const kubeletPort = 10_250;

/**
 * Registers the node, or takes over the one of an earlier life: ready, roomy, and without the taint that
 * the API server puts on new nodes and that no controller removes here.
 */
export async function registerNode(
  { core }: Api,
  node: { readonly name: string; readonly ip: string },
): Promise<void> {
  const { name } = node;
  const metadata: V1Node['metadata'] = {
    name,
    labels: {
      'kubernetes.io/hostname': name,
      'kubernetes.io/os': 'linux',
      'kubernetes.io/arch': process.arch === 'x64' ? 'amd64' : process.arch,
    },
  };
  await core.createNode({ body: { metadata } }).catch((error: unknown) => {
    if (!(error instanceof ApiException && error.code === 409)) throw error;
  });
  await core.patchNodeStatus({ name, body: { status: nodeStatus(node.ip) } }, merge);
  await core.patchNode({ name, body: { spec: { taints: null } } }, merge);
}

function nodeStatus(ip: string): V1Node['status'] {
  const now = new Date();
  const healthy = (type: string): { type: string; status: string; reason: string } => ({
    type,
    status: 'False',
    reason: 'KubeletHasSufficientResources',
  });
  const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady' };
  const conditions = [ready, ...['MemoryPressure', 'DiskPressure', 'PIDPressure'].map(healthy)];
  return {
    addresses: [{ type: 'InternalIP', address: ip }],
    allocatable: nodeCapacity,
    capacity: nodeCapacity,
    conditions: conditions.map((condition) => ({
      ...condition,
      message: 'the node agent is running',
      lastHeartbeatTime: now,
      lastTransitionTime: now,
    })),
    daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } },
    nodeInfo: {
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      bootID: '',
      containerRuntimeVersion: 'sandbox://1',
      kernelVersion: '',
      kubeProxyVersion: '',
      kubeletVersion: 'v1.34.4',
      machineID: '',
      operatingSystem: 'linux',
      osImage: 'sandbox',
      systemUUID: '',
    },
  };
}
