import { Agent } from 'node:https';
import type { RequestOptions } from 'node:https';

import {
  CoreV1Api,
  DiscoveryV1Api,
  KubeConfig,
  ServerConfiguration,
  Watch,
  createConfiguration,
} from '@kubernetes/client-node';
import type { RequestContext, SecurityAuthentication } from '@kubernetes/client-node';

/** The parts of the Kubernetes API the node agent uses. */
export type Api = {
  readonly core: CoreV1Api;
  readonly discovery: DiscoveryV1Api;
  readonly watch: Watch;
};

/** Connects to the API server of a kubeconfig's current context. */
export async function connect(kubeconfigFile: string): Promise<Api> {
  const kubeconfig = new KubeConfig();
  kubeconfig.loadFromFile(kubeconfigFile);
  const configuration = createConfiguration({
    baseServer: new ServerConfiguration(kubeconfig.getCurrentCluster()?.server ?? '', {}),
    authMethods: { default: await pooledAuthentication(kubeconfig) },
  });
  return {
    core: new CoreV1Api(configuration),
    discovery: new DiscoveryV1Api(configuration),
    watch: new Watch(kubeconfig),
  };
}

/**
 * Authentication that keeps connections open. The client makes a new https agent, hence a new TLS
 * handshake, for each call, which costs more than the call itself.
 */
async function pooledAuthentication(kubeconfig: KubeConfig): Promise<SecurityAuthentication> {
  const options: RequestOptions = {};
  await kubeconfig.applyToHTTPSOptions(options);
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 16,
    ca: options.ca,
    cert: options.cert,
    key: options.key,
    rejectUnauthorized: options.rejectUnauthorized,
  });
  return {
    getName: () => 'pooled',
    applySecurityAuthentication: async (context: RequestContext) => {
      await kubeconfig.applySecurityAuthentication(context);
      context.setAgent(agent);
    },
  };
}
