import { join } from 'node:path';

/**
 * Where the sandbox keeps everything: inside it, a tmpfs of its own lies over this folder, so nothing is
 * written to the host's disk, and services of the host that listen on sockets here (name resolution
 * among them) are out of reach.
 */
export const STATE_MOUNT = '/run';

/** The sandbox's state, as seen inside. */
export const STATE = join(STATE_MOUNT, 'sluice');

/** Folders and files of the sandbox's state, as seen inside. */
export const stateFolders = {
  bin: join(STATE, 'bin'),
  certificates: join(STATE, 'certificates'),
  etcd: join(STATE, 'etcd'),
  /** Logs of the components and, below `pods`, of the containers. */
  logs: join(STATE, 'logs'),
  node: join(STATE, 'node'),
  /** One file `<component>` with its process id each, for tests that kill them. */
  pids: join(STATE, 'pids'),
  tmp: join(STATE, 'tmp'),
  kubectlCache: join(STATE, 'kubectl-cache'),
} as const;

/** The administrator's kubeconfig; its server address is valid inside and on the host. */
export const KUBECONFIG = join(STATE, 'kubeconfig');

/** A path inside the sandbox as the host sees it while the process `pid` of the sandbox lives. */
export function seenFromHost(pid: number, path: string): string {
  return join('/proc', String(pid), 'root', path);
}
