import { spawn, type ChildProcess } from 'node:child_process';

import type { Outcome } from './tasks/task.js';

/** A program to run, with what it is given. */
export interface Program {
  readonly words: readonly [program: string, ...args: readonly string[]];
  /** Added to the variables of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Its standard input; none when left out. */
  readonly input?: string;
}

/** As much output as is kept; of more, the end. */
const maxOutputBytes = 1024 * 1024;
/** What left its group keeps the pipe open though the group is dead. */
const drainMs = 500;

/**
 * Runs a program in a process group of its own, and collects standard output and error together.
 * Ends when nothing holds the output any more. `signal` kills the whole group: a shell's children
 * would outlive the shell otherwise, and go on loading.
 */
export function runProgram(
  { words, env = {}, input }: Program,
  signal: AbortSignal,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const output = tail();
    const fail = (cause: string): void => resolve({ ok: false, output: output.text(), cause });
    if (signal.aborted) {
      fail(killed);
      return;
    }
    let child: ChildProcess;
    try {
      // The shell only joins the two outputs, in the order they are written, and becomes the program.
      child = spawn('sh', ['-c', 'exec "$@" 2>&1', 'sh', ...words], {
        detached: true,
        // eslint-disable-next-line no-restricted-properties -- handed on, not read
        env: { ...process.env, ...env },
        stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'ignore'],
      });
    } catch (error) {
      // Such as a NUL in a word.
      fail(reasonOf(error));
      return;
    }
    const kill = (): void => {
      killGroup(child);
      setTimeout(() => child.stdout?.destroy(), drainMs).unref();
    };
    signal.addEventListener('abort', kill, { once: true });
    child.stdout?.on('data', output.add);
    // A program that ends without reading its input is not at fault.
    child.stdin?.on('error', () => undefined).end(input);
    child.once('error', (error) => fail(reasonOf(error)));
    child.once('close', (code, by) => {
      signal.removeEventListener('abort', kill);
      if (code === 0 && !signal.aborted) resolve({ ok: true, output: output.text() });
      else fail(causeOf(code, signal.aborted ? 'SIGKILL' : by));
    });
  });
}

const killed = 'signal: killed';

/** In the words of Go, which people know from Flagger. */
function causeOf(code: number | null, by: NodeJS.Signals | null): string {
  if (by === 'SIGKILL') return killed;
  if (by === 'SIGTERM') return 'signal: terminated';
  return by === null ? `exit status ${code ?? 0}` : `signal: ${by}`;
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of the group has ended.
  }
}

function tail(): { readonly add: (chunk: Buffer) => void; readonly text: () => string } {
  const chunks: Buffer[] = [];
  let bytes = 0;
  return {
    add(chunk) {
      chunks.push(chunk);
      bytes += chunk.length;
      while (bytes - (chunks[0]?.length ?? 0) >= maxOutputBytes) {
        bytes -= chunks.shift()?.length ?? 0;
      }
    },
    text: () => Buffer.concat(chunks).subarray(-maxOutputBytes).toString(),
  };
}

function reasonOf(error: unknown): string {
  // The message of some errors quotes the words.
  return (error as NodeJS.ErrnoException).code ?? 'it could not be started';
}
