import { KubeConfig } from '@kubernetes/client-node';

import { connectKube, type Kube } from '../../activities/kube.js';

/** The Kubernetes API at an address, as a worker with this token asks it. */
export function kubeAt(address: string, token: string): Kube {
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: 'a', server: address, skipTLSVerify: true },
    { name: 'worker', token },
  );
  return connectKube(config);
}
