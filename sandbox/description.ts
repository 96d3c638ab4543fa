import { delimiter } from 'node:path';

import { TEMPORAL_ADDRESS } from './addresses.js';
import { ask } from './claim.js';
import { KUBERNETES } from './forwards.js';
import { searchPath } from './isolation.js';
import { KUBECONFIG, STATE, seenFromHost, stateFolders } from './state.js';

/** A running sandbox as the host sees it. */
export type Description = {
  readonly name: string;
  /** A process inside, by its process id on the host. */
  readonly process: number;
  /** Valid on the host while the sandbox runs. */
  readonly kubeconfig: string;
  /** The ports of 127.0.0.1 by forward name. */
  readonly ports: Readonly<Record<string, number>>;
};

/** What is reachable from the host. `temporal` is `HOST:PORT`, the others are URLs. */
export type SandboxUrls = {
  readonly kubernetes: string;
  readonly temporal: string;
  readonly temporalUi: string;
  readonly prometheus: string;
  readonly gateway: string;
  readonly workerMetrics: string;
};

/** Describes the sandbox whose process `process` is. */
export function describe(name: string, process: number, ports: Description['ports']): Description {
  return { name, process, kubeconfig: seenFromHost(process, KUBECONFIG), ports };
}

/** The sandbox of this name and user, if it runs. */
export async function findSandbox(name: string): Promise<Description | undefined> {
  const answer = await ask(claimName(name));
  return answer === undefined || answer === '' ? undefined : (JSON.parse(answer) as Description);
}

/** The claim that one sandbox of this name holds. */
export function claimName(name: string): string {
  return `sandbox-${name}`;
}

/** The addresses of a sandbox's standard forwards. */
export function urlsOf({ ports }: Description): SandboxUrls {
  const address = (forward: string): string => `127.0.0.1:${ports[forward] ?? 0}`;
  return {
    kubernetes: `https://${address(KUBERNETES)}`,
    temporal: address('temporal'),
    temporalUi: `http://${address('temporal-ui')}`,
    prometheus: `http://${address('prometheus')}`,
    gateway: `http://${address('gateway')}`,
    workerMetrics: `http://${address('worker-metrics')}`,
  };
}

/** The environment of commands that run inside. */
export const environmentInside = {
  KUBECONFIG,
  KUBECACHEDIR: stateFolders.kubectlCache,
  TEMPORAL_ADDRESS,
  SLUICE_SANDBOX: STATE,
  PATH: [stateFolders.bin, searchPath()].join(delimiter),
} as const;
