import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';

import { mustRun } from './command.js';
import { AddressPool } from './ip-addresses.js';

/** The namespaces of a pod, held open by a tiny process of their own. */
export type PodNamespaces = {
  readonly holderPid: number;
  readonly podIp: string;
  /** The kernel's name for the pod's network. */
  readonly network: string;
  /** Kills whatever still runs in the pod's network, then lets the namespaces go. */
  readonly close: () => void;
};

/** What a pod asks of its namespaces. */
export type NamespaceRequest = { readonly hostname: string; readonly hostNetwork: boolean };

/** Locally administered, the same in every sandbox: bridges of different sandboxes never meet. */
const bridgeAddress = '02:00:0a:f4:00:01';

/** The pods' network: one namespace per pod, joined by veth pairs on the node's bridge. */
export class PodNetwork {
  private readonly addresses: AddressPool;
  private interfaces = 0;
  private waiting: string[] = [];
  private currentBatch: Promise<void> | undefined;
  private nextBatch: Promise<void> | undefined;

  constructor(
    podCidr: string,
    private readonly nodeIp: string,
    private readonly bridge = 'br0',
  ) {
    this.addresses = new AddressPool(podCidr);
  }

  /**
   * Gives the bridge a hardware address of its own. Left alone it changes as pods come and go, and every
   * change makes the other pods lose the way to the node for seconds.
   */
  async prepare(): Promise<void> {
    await mustRun(['ip', 'link', 'set', this.bridge, 'address', bridgeAddress]);
  }

  /** Makes the namespaces of a pod; its address answers when this resolves. */
  async open({ hostname, hostNetwork }: NamespaceRequest): Promise<PodNamespaces> {
    if (hostNetwork) {
      const holder = await startHolder(hostname, undefined);
      return namespaces(holder, this.nodeIp, () => holder.kill('SIGKILL'));
    }
    const podIp = this.addresses.take();
    const link = `veth${(this.interfaces++).toString(36)}`;
    try {
      const holder = await startHolder(hostname, this.insideCommands(link, podIp));
      const close = (): void => {
        killAllIn(pidOf(holder));
        holder.kill('SIGKILL');
        this.addresses.free(podIp);
      };
      await this.onNode(`link set ${link} master ${this.bridge} up`);
      return namespaces(holder, podIp, close);
    } catch (error) {
      this.addresses.free(podIp);
      throw error;
    }
  }

  private insideCommands(link: string, podIp: string): string {
    return [
      'link set lo up',
      `link add eth0 type veth peer name ${link} netns ${process.pid}`,
      `addr add ${podIp}/${this.addresses.prefixLength} dev eth0`,
      'link set eth0 up',
      `route add default via ${this.nodeIp}`,
    ].join('\n');
  }

  /** Runs an `ip` command on the node; commands that pile up meanwhile share the next process. */
  private async onNode(command: string): Promise<void> {
    this.waiting.push(command);
    this.nextBatch ??= this.runBatch();
    try {
      await this.nextBatch;
    } catch {
      // Another pod's command may have failed; ours is judged alone.
      await mustRun(['ip', ...command.split(' ')]);
    }
  }

  private async runBatch(): Promise<void> {
    await this.currentBatch;
    const commands = this.waiting;
    this.waiting = [];
    this.nextBatch = undefined;
    const run = mustRun(['ip', '-force', '-batch', '-'], { stdin: commands.join('\n') });
    this.currentBatch = run.then(
      () => undefined,
      () => undefined,
    );
    await run;
  }
}

/** Sets up the namespaces from inside, says so, and holds them until its stdin closes with the agent. */
const holderScript =
  'hostname "$1" && { [ -z "$2" ] || echo "$2" | ip -batch -; } && echo ready && exec cat';

function startHolder(hostname: string, ipCommands: string | undefined): Promise<ChildProcess> {
  const namespaces = ['--uts', '--ipc', ...(ipCommands === undefined ? [] : ['--net'])];
  const script = ['sh', '-c', holderScript, 'pod', hostname, ipCommands ?? ''];
  const holder = spawn('unshare', [...namespaces, ...script], { stdio: ['pipe', 'pipe', 'pipe'] });
  return new Promise((resolve, reject) => {
    let complaint = '';
    holder.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
    holder.stdout.once('data', () => resolve(holder));
    holder.on('error', reject);
    holder.on('exit', () =>
      reject(new Error(`pod namespaces cannot be made: ${complaint.trim()}`)),
    );
  });
}

function namespaces(holder: ChildProcess, podIp: string, close: () => void): PodNamespaces {
  const holderPid = pidOf(holder);
  return { holderPid, podIp, network: networkOf(String(holderPid)) ?? '', close };
}

function pidOf(holder: ChildProcess): number {
  if (holder.pid === undefined) throw new Error('the namespace holder has no process id');
  return holder.pid;
}

/** Kills what is left in the networks of an earlier life of the agent, as `PodNamespaces.network` named them. */
export function killLeftovers(networks: ReadonlySet<string>): void {
  const own = networkOf('self');
  for (const pid of processIds()) {
    const network = networkOf(pid);
    if (network !== undefined && network !== own && networks.has(network)) kill(pid);
  }
}

/** Processes that left their container's process group are still in the pod's network namespace. */
function killAllIn(holderPid: number): void {
  const namespace = networkOf(String(holderPid));
  if (namespace === undefined) return;
  for (const pid of processIds()) {
    if (Number(pid) !== holderPid && networkOf(pid) === namespace) kill(pid);
  }
}

function processIds(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}

function kill(pid: string): void {
  try {
    process.kill(Number(pid), 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}

function networkOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined;
  }
}
