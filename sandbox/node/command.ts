import { spawn } from 'node:child_process';

/** How a command ended; `output` is its stdout and stderr together, cut at 10 KiB. */
export type CommandResult = {
  readonly exitCode: number;
  readonly output: string;
  readonly timedOut: boolean;
};

/** How a command is run. */
export type CommandOptions = {
  readonly stdin?: string;
  /** Kills the command and its children when it takes longer, ms. */
  readonly timeoutMs?: number;
};

const outputLimit = 10_240;

/** Runs a program to its end in a process group of its own. Never rejects: a missing program is exit code 127. */
export function runCommand(
  argv: readonly string[],
  { stdin, timeoutMs }: CommandOptions = {},
): Promise<CommandResult> {
  const [program = '', ...args] = argv;
  return new Promise((resolve) => {
    const child = spawn(program, args, { detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    let timedOut = false;
    const collect = (chunk: Buffer): void => {
      if (output.length < outputLimit) output += chunk.toString();
    };
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            killGroup(child.pid, 'SIGKILL');
            // Somebody else may hold the pipes open; the answer does not wait for that.
            resolve({ exitCode: 137, output, timedOut });
          }, timeoutMs);
    const finish = (exitCode: number): void => {
      clearTimeout(timer);
      resolve({ exitCode, output, timedOut });
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin ?? '');
    child.on('error', (error) => {
      output += error.message;
      finish(127);
    });
    child.on('close', (code) => finish(code ?? 137));
  });
}

/** Runs a program that must succeed; throws an error with its output when it does not. */
export async function mustRun(argv: readonly string[], options?: CommandOptions): Promise<string> {
  const { exitCode, output } = await runCommand(argv, options);
  if (exitCode !== 0) {
    throw new Error(`${argv.slice(0, 3).join(' ')} failed with code ${exitCode}: ${output.trim()}`);
  }
  return output;
}

/** Signals a process group; one that is gone already is fine. */
export function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has ended by itself.
  }
}
