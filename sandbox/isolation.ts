import { spawn } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { accessSync, constants, readFileSync, readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { delimiter, join } from 'node:path';

/** A process tree in namespaces of its own. */
export type Isolated = {
  /** The process outside that holds the tree: when it dies, all of the tree dies. */
  readonly holder: ChildProcess;
  readonly control: Socket;
  /** Resolves when nothing of the tree is left. */
  readonly ended: Promise<void>;
};

/** Where `ip` and others are on some systems, for users whose PATH lacks them. */
const systemFolders = ['/usr/sbin', '/sbin'];
const needed = ['unshare', 'nsenter', 'setpriv', 'mount', 'ip', 'sh'];

/** PATH with the folders of system programs. */
export function searchPath(environment: NodeJS.ProcessEnv = process.env): string {
  const folders = (environment['PATH'] ?? '/usr/local/bin:/usr/bin:/bin').split(delimiter);
  return [...folders, ...systemFolders.filter((one) => !folders.includes(one))].join(delimiter);
}

/** Throws one sentence that names the programs this machine lacks. */
export function checkHost(): void {
  if (process.platform !== 'linux') throw new Error('the sandbox runs on Linux only');
  const folders = searchPath().split(delimiter);
  const missing = needed.filter((name) => !folders.some((one) => isExecutable(join(one, name))));
  if (missing.length > 0) {
    throw new Error(`not found on PATH: ${missing.join(', ')} (packages util-linux and iproute2)`);
  }
}

/**
 * Starts a command as root of a new user, network, mount, process and host name namespace. It inherits
 * the control socket as descriptor 3 and `descriptors` from 4 on. A shell is its process 1, which also
 * reaps what pods leave behind. It outlives no signal: its own, the holder's and this process's deaths
 * each end all of it.
 */
export function isolate(argv: readonly string[], descriptors: readonly number[]): Isolated {
  const namespaces = ['--user', '--map-root-user', '--net', '--mount', '--pid', '--uts'];
  const holder = spawn(
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', '--', 'unshare', ...namespaces],
      ...['--fork', '--kill-child', '--mount-proc', '--'],
      ...['sh', '-c', '"$@" & wait $!', 'sh', ...argv],
    ],
    {
      // In its own session, so that Ctrl-C reaches it only through the host's process.
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'pipe', ...descriptors],
      env: insideEnvironment(),
    },
  );
  const control = holder.stdio[3] as Socket;
  control.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => {
    holder.on('exit', () => resolve()).on('error', () => resolve());
  });
  return { holder, control, ended };
}

/** Runs a command inside, from the caller's own terminal and folder. */
export function enter(
  processInside: number,
  argv: readonly [string, ...string[]],
  options: SpawnOptions,
): ChildProcess {
  const namespaces = ['--user', '--preserve-credentials', '--net', '--mount', '--pid', '--uts'];
  // Entering a mount namespace moves to its root folder.
  const goBack = ['sh', '-c', 'cd "$0" && exec "$@"', process.cwd(), ...argv];
  return spawn('nsenter', ['--target', String(processInside), ...namespaces, '--', ...goBack], {
    ...options,
    env: { ...insideEnvironment(), ...options.env },
  });
}

/** The first process inside, by its process id outside. */
export function firstProcess(holder: number): number | undefined {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .find((pid) => parentOf(pid) === holder);
}

/** The parent of a process, or undefined when the process is gone. */
export function parentOf(pid: number): number | undefined {
  try {
    // PID (NAME) STATE PARENT ...; the name may hold spaces and brackets.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return Number(fields[1]);
  } catch {
    return undefined;
  }
}

/** Proxies of the host cannot be reached from inside. */
function insideEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(https?|all|no)_proxy$/i.test(name),
  );
  return { ...Object.fromEntries(kept), PATH: searchPath() };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
