import { spawn } from 'node:child_process';

/** How a command is run. */
export type CommandOptions = {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
};

const tailLines = 15;
const outputLimit = 1_000_000;

/**
 * Runs a command to its end and returns its standard output. It dies with this process. Failure is an
 * error with the last lines it printed.
 */
export async function run(argv: readonly string[], options: CommandOptions): Promise<string> {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...argv], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.signal && { signal: options.signal, killSignal: 'SIGKILL' }),
  });
  const output = { out: '', all: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.out = (output.out + text).slice(-outputLimit);
    output.all = (output.all + text).slice(-outputLimit);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.all = (output.all + text).slice(-outputLimit);
  });
  const end = await new Promise<string | undefined>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve(code === 0 ? undefined : (signal ?? `exit code ${String(code)}`));
    });
  });
  if (end === undefined) return output.out;
  const tail = output.all.trimEnd().split('\n').slice(-tailLines).join('\n');
  throw new Error(`${argv.join(' ')} failed (${end}):\n${tail}`);
}
