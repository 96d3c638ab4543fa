import { Agent, request as httpsRequest, type AgentOptions } from 'node:https';

import { loadKubeConfig } from '../../activities/kube.js';
import { startProxy, type Forward, type Proxy, type Warden } from './proxy.js';

/** Starts a proxy in front of the API server. It has the credentials, whoever asks needs none. */
export async function startApiProxy(warden: Warden): Promise<Proxy> {
  return startProxy(await toApiServer(), warden);
}

async function toApiServer(): Promise<Forward> {
  const config = loadKubeConfig();
  const { hostname, port } = new URL(config.getCurrentCluster()?.server ?? '');
  const credentials: AgentOptions = {};
  await config.applyToHTTPSOptions(credentials);
  const { ca, cert, key } = credentials;
  const agent = new Agent({ ca, cert, key, keepAlive: true });
  return (request, answered) => httpsRequest({ ...request, hostname, port, agent }, answered);
}

/** The text of a kubeconfig that leads to the proxy. */
export function kubeconfigOf({ url }: Proxy): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'proxy', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'worker', user: {} }],
    contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'worker' } }],
    'current-context': 'proxy',
  });
}
