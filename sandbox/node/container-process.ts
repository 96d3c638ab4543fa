import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';

import { killGroup, runCommand } from './command.js';
import type { CommandResult } from './command.js';

/** What it takes to start the process of a container. */
export type ProcessSpec = {
  /** The process that holds the pod's namespaces. */
  readonly holderPid: number;
  /** Table of the mounts that make up the container's view. */
  readonly fstab: string;
  /** The directory that becomes `/`. */
  readonly root: string;
  readonly workdir: string;
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Where stdout and stderr go, appended. */
  readonly logFile: string;
};

/** How a process ended: the exit code, or 128 + the signal's number. */
export type Exit = { readonly exitCode: number };

/** The running main process of a container. */
export type ContainerProcess = {
  readonly pid: number;
  /** Whether the container's view could be made and the program was about to start. */
  readonly launched: Promise<boolean>;
  readonly exited: Promise<Exit>;
  /** Signals the process and its children. */
  readonly signal: (signal: NodeJS.Signals) => void;
};

/**
 * Makes the container's view in a mount namespace of its own, enters it, lets go of the host's tree and
 * becomes the program. The old root is stacked on the new one by pivot_root, so `.` unmounts it.
 * `env -i` rather than the shell passes the variables: shells drop names with dots and dashes.
 */
const launchScript = [
  'mount --all --fstab "$1" && cd "$2" && pivot_root . . && umount -l . || exit 128',
  'cd "$3" && echo launched >&3 || exit 128',
  'shift 3',
  'exec env -i "$@" 3>&-',
].join('\n');

/** Starts a container's process in a session of its own. */
export function startProcess(spec: ProcessSpec): ContainerProcess {
  mkdirSync(dirname(spec.logFile), { recursive: true });
  const log = openSync(spec.logFile, 'a');
  const namespaces = ['--target', String(spec.holderPid), '--net', '--uts', '--ipc'];
  const child = spawn(
    'nsenter',
    [
      ...namespaces,
      ...['unshare', '--mount', '--propagation', 'unchanged'],
      ...['sh', '-c', launchScript, 'launch', spec.fstab, spec.root, spec.workdir],
      ...assignments(spec.environment),
      ...spec.argv,
    ],
    { detached: true, stdio: ['ignore', log, log, 'pipe'] },
  );
  closeSync(log);
  const exited = new Promise<Exit>((resolve) => {
    child.on('error', () => resolve({ exitCode: 128 }));
    child.on('exit', (code, signal) => {
      // Children that outlive the main process die with it, as they would with a container.
      killGroup(child.pid, 'SIGKILL');
      resolve({ exitCode: code ?? 128 + signalNumber(signal) });
    });
  });
  const launched = new Promise<boolean>((resolve) => {
    child.stdio[3]?.once('data', () => resolve(true));
    child.stdio[3]?.once('close', () => resolve(false));
    child.once('error', () => resolve(false));
  });
  return {
    pid: child.pid ?? -1,
    launched,
    exited,
    signal: (signal) => killGroup(child.pid, signal),
  };
}

/** Runs a command inside a running container, as exec probes and hooks do. */
export function runInside(
  pid: number,
  argv: readonly string[],
  options: { readonly environment: Readonly<Record<string, string>>; readonly timeoutMs: number },
): Promise<CommandResult> {
  const namespaces = ['--target', String(pid), '--net', '--uts', '--ipc', '--mount', '--wd'];
  const program = ['env', '-i', ...assignments(options.environment), ...argv];
  return runCommand(['nsenter', ...namespaces, ...program], { timeoutMs: options.timeoutMs });
}

function assignments(environment: Readonly<Record<string, string>>): string[] {
  return Object.entries(environment).map(([name, value]) => `${name}=${value}`);
}

function signalNumber(signal: NodeJS.Signals | null): number {
  return signal === null ? 0 : constants.signals[signal];
}
