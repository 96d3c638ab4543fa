import { KubeConfig } from '@kubernetes/client-node';
import { Client, Connection } from '@temporalio/client';

import { connectKube, type Kube } from '../../activities/kube.js';
import { sluiceOf, type Sluice } from '../../api/client.js';
import { startSandbox, type Sandbox, type SandboxOptions } from '../../sandbox/sandbox.js';

/** A sandbox and the clients a bench works with. */
export interface Stage {
  readonly sandbox: Sandbox;
  readonly kube: Kube;
  readonly temporal: Client;
  readonly sluice: Sluice;
}

/** Starts a sandbox, lets the work be done on it, and stops it however that ends. */
export async function onStage<T>(
  options: SandboxOptions,
  work: (stage: Stage) => Promise<T>,
): Promise<T> {
  const sandbox = await startSandbox({ report: (line) => console.error(line), ...options });
  try {
    const config = new KubeConfig();
    config.loadFromFile(sandbox.kubeconfig);
    const connection = await Connection.connect({ address: sandbox.urls.temporal });
    const temporal = new Client({ connection });
    const stage = {
      sandbox,
      kube: connectKube(config),
      temporal,
      sluice: sluiceOf(temporal, 'default'),
    };
    return await work(stage).finally(() => connection.close());
  } finally {
    await sandbox.stop();
  }
}
