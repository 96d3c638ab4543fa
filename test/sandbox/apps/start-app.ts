import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';

const apps = path.resolve(import.meta.dirname, '../../../sandbox/apps');

/** A sandbox program running on a free port of this machine. */
export interface App {
  readonly url: string;
  readonly process: ChildProcessWithoutNullStreams;
  stop(): void;
}

/** Starts one of sandbox/apps and waits until it listens. */
export async function startApp(file: string, env: Record<string, string> = {}): Promise<App> {
  const child = spawnApp(file, env);
  let output = '';
  for await (const chunk of child.stdout) {
    output += String(chunk);
    const port = /listens on :(\d+)/.exec(output)?.[1];
    if (port !== undefined) {
      return { url: `http://127.0.0.1:${port}`, process: child, stop: () => child.kill('SIGKILL') };
    }
  }
  throw new Error(`${file} ended before it listened`);
}

/** Runs one of sandbox/apps to its end and returns the exit code. */
export async function runApp(file: string, env: Record<string, string>): Promise<number> {
  const [code] = (await once(spawnApp(file, env), 'exit')) as [number];
  return code;
}

function spawnApp(file: string, env: Record<string, string>): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [path.join(apps, file)], {
    env: { ...process.env, NODE_OPTIONS: '', PORT: '0', ...env },
  });
}
