import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** The worker as a process of its own. */
export interface WorkerProcess {
  readonly alive: boolean;
  /** The last it said, if it ended without having been killed. */
  readonly failure: string | undefined;
  /** Resolves when it is gone. */
  readonly gone: Promise<void>;
  /** Kills it at once, as a node that fails does. */
  kill(): void;
}

export interface WorkerOptions {
  /** The folder of the bundled programs. */
  readonly programs: string;
  /** Its cluster and its namespace. */
  readonly name: string;
  readonly kubeconfig: string;
}

const saidCharacters = 4_000;

/** Starts the worker as an image does, with the conformance suite's settings. */
export function startWorkerProcess({ programs, name, kubeconfig }: WorkerOptions): WorkerProcess {
  const child = spawn(
    process.execPath,
    [
      join(programs, 'worker.mjs'),
      ...[`--cluster=${name}`, `--namespace=${name}`],
      `--workflow-bundle=${join(programs, 'workflow-bundle.js')}`,
      ...['--min-interval=1s', '--settle=0s', '--port=0', '--log-level=error'],
    ],
    {
      // Jest's own NODE_OPTIONS are nothing to the worker.
      env: { ...process.env, KUBECONFIG: kubeconfig, NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said = `${said}${String(chunk)}`.slice(-saidCharacters);
    });
  }
  const gone = once(child, 'exit').then(() => undefined);
  return {
    get alive() {
      return child.exitCode === null && child.signalCode === null;
    },
    get failure() {
      return child.exitCode === null ? undefined : said;
    },
    gone,
    kill: () => void child.kill('SIGKILL'),
  };
}
