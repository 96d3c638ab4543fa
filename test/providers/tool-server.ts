import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { provideTools } from '../../sandbox/tools/provide.js';
import type { ToolName } from '../../sandbox/tools/table.js';

/** A server on this machine, for tests to ask. */
export interface Server {
  readonly address: string;
  stop(): Promise<void>;
}

/** How a tool is made to serve HTTP. */
export interface Serving {
  readonly tool: ToolName;
  /** @param path of the tool: a program or a folder */
  readonly command: (path: string, port: number) => Command;
  /** What it answers as soon as it is up. */
  readonly ping: string;
}

interface Command {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a server; its tool is fetched or built into the tool cache the first time, and says so. */
export async function serve({ tool, command, ping }: Serving): Promise<Server> {
  const { [tool]: path = '' } = await provideTools([tool], {
    report: (line) => process.stderr.write(`${line}\n`),
  });
  const port = await freePort();
  const address = `http://127.0.0.1:${String(port)}`;
  const { argv, env } = command(path, port);
  const server = spawnBeside(argv, env);
  const exited = once(server, 'exit');
  const stop = async (): Promise<void> => {
    server.kill('SIGKILL');
    await exited;
  };
  const failed = (): never => {
    throw new Error(`${tool} has ended before it answered`);
  };
  try {
    await Promise.race([answering(new URL(ping, address)), exited.then(failed)]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { address, stop };
}

/** As {@link serve}, for Python packages; `argv` is what `python3` is started with. */
export function servePython(
  tool: ToolName,
  argv: (port: number) => readonly string[],
  ping: string,
): Promise<Server> {
  return serve({
    tool,
    command: (folder, port) => ({
      argv: ['python3', ...argv(port)],
      env: { PYTHONPATH: folder },
    }),
    ping,
  });
}

async function answering(url: URL): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    const answers = await fetch(url).then(
      () => true,
      () => false,
    );
    if (answers) return;
    await sleep(200);
  }
  throw new Error(`${url.href} does not answer`);
}

/** Starts a program that ends with the tests even if they are killed. */
export function spawnBeside(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...argv], {
    env: { ...process.env, ...env },
    stdio: 'ignore',
  });
}

/** A port of 127.0.0.1 that nobody listens on, as yet. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
