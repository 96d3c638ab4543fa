import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import { provideTools } from '../../sandbox/tools/provide.js';
import type { ToolName } from '../../sandbox/tools/table.js';
import { until } from '../e2e/until.js';

const execute = promisify(execFile);
const repository = resolve(import.meta.dirname, '../..');

/** What a load tester answered. */
export interface Answered {
  readonly status: number;
  readonly text: string;
}

/** A running load tester: the process users run, on a free port. */
export interface LoadTester {
  readonly url: string;
  readonly child: ChildProcess;
  /** All it has logged so far, one record a line. */
  readonly logs: () => readonly Readonly<Record<string, unknown>>[];
  /** Posts a body as it is, or as JSON. */
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Answered>;
  get(path: string): Promise<Answered>;
  /** The value of a series, such as `sluice_loadtester_tasks_running{type="cmd"}`. */
  metric(series: string): Promise<number>;
  /** Sends a signal and waits for the end: the exit code, or the signal's name. */
  end(signal?: NodeJS.Signals): Promise<number | string>;
}

/** Starts load testers, and ends those that are left when a file of tests is done. */
export interface Rig {
  /** A folder of the file's own. */
  readonly folder: string;
  start(args?: readonly string[], env?: Readonly<Record<string, string>>): Promise<LoadTester>;
  /** Runs it to its end, which it has to reach by itself. */
  runToEnd(
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Promise<{ readonly code: number; readonly said: string }>;
  /** Writes a file of that name; its path. */
  write(name: string, text: string): Promise<string>;
  close(): Promise<void>;
}

/** Builds the load tester into one file: compiling it at each start would take most of the time. */
export async function openRig(): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-loadtester-'));
  const program = join(folder, 'loadtester.mjs');
  await bundle(program);
  const children: ChildProcess[] = [];

  function launch(args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
    const child = spawn(process.execPath, [program, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    return child;
  }

  return {
    folder,
    async start(args = ['--gates', 'memory'], env = {}) {
      const child = launch(['--port', '0', ...args], env);
      const said = textOf(child);
      const port = await until('the load tester listens', () => {
        if (child.exitCode !== null) throw new Error(`it has ended: ${said()}`);
        return Promise.resolve(recordsOf(said()).find(({ msg }) => msg === 'started')?.['port']);
      });
      return loadTesterOf(child, `http://127.0.0.1:${String(port)}`, () => recordsOf(said()));
    },
    async runToEnd(args, env = {}) {
      const child = launch(args, env);
      const said = textOf(child);
      await once(child, 'close');
      return { code: child.exitCode ?? -1, said: said() };
    },
    async write(name, text) {
      const file = join(folder, name);
      await writeFile(file, text);
      return file;
    },
    async close() {
      for (const child of children) child.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function loadTesterOf(child: ChildProcess, url: string, logs: LoadTester['logs']): LoadTester {
  const get = async (path: string): Promise<Answered> => answeredOf(await fetch(url + path));
  return {
    ...{ url, child, logs, get },
    async post(path, body, headers = {}) {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const init = { method: 'POST', body: text, headers, redirect: 'manual' } as const;
      return answeredOf(await fetch(url + path, init));
    },
    async metric(series) {
      const { text } = await get('/metrics');
      const line = text.split('\n').find((one) => one.startsWith(`${series} `));
      return Number(line?.slice(series.length));
    },
    async end(signal = 'SIGTERM') {
      child.kill(signal);
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      return child.exitCode ?? String(child.signalCode);
    },
  };
}

async function answeredOf(response: Response): Promise<Answered> {
  return { status: response.status, text: await response.text() };
}

/** All a process writes. */
function textOf({ stdout, stderr }: ChildProcess): () => string {
  let text = '';
  for (const stream of [stdout, stderr]) stream?.on('data', (chunk) => (text += String(chunk)));
  return () => text;
}

function recordsOf(text: string): Readonly<Record<string, unknown>>[] {
  const whole = text.split('\n').slice(0, -1);
  return whole
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function bundle(outfile: string): Promise<void> {
  const entry = join(repository, 'loadtester/main.ts');
  const url = JSON.stringify(pathToFileURL(entry).href);
  const require = `import{createRequire}from'node:module';const require=createRequire(${url});`;
  await execute(join(repository, 'node_modules/.bin/esbuild'), [
    ...[entry, '--bundle'],
    ...['--platform=node', '--format=esm', '--target=node20', '--log-level=error'],
    ...[`--outfile=${outfile}`, `--banner:js=${require}`, `--define:import.meta.url=${url}`],
    `--define:import.meta.dirname=${JSON.stringify(dirname(entry))}`,
  ]);
}

/** A `PATH` that has these tools before all others; those that are not there yet are built. */
export async function pathTo(...names: readonly ToolName[]): Promise<string> {
  const found = await provideTools(names, {
    report: (line) => process.stderr.write(`${line}\n`),
  });
  const folders = Object.values(found).map((file) => dirname(file));
  return [...folders, process.env['PATH'] ?? ''].join(delimiter);
}

/** Whether a process of this id runs; one that has ended but was not awaited does not. */
export async function isRunning(pid: number): Promise<boolean> {
  try {
    const { stdout } = await execute('ps', ['-o', 'stat=', '-p', String(pid)]);
    return !stdout.trim().startsWith('Z');
  } catch {
    return false;
  }
}

export async function exists(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch {
    return false;
  }
}

/** A webhook's call as Flagger makes it. */
export function aCall(metadata?: Readonly<Record<string, string>>, over: object = {}): object {
  const call = { name: 'podinfo', namespace: 'test', phase: 'Progressing', checksum: '85d5' };
  return { ...call, ...(metadata === undefined ? {} : { metadata }), ...over };
}
