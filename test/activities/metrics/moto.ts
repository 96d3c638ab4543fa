import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { provideTools } from '../../../sandbox/tools/provide.js';

/** A server that behaves as AWS does, of which tests use CloudWatch. */
export interface Moto {
  readonly address: string;
  stop(): Promise<void>;
}

/** Starts moto, which is fetched into the tool cache the first time, and says so. */
export async function startMoto(): Promise<Moto> {
  const { moto: folder = '' } = await provideTools(['moto'], {
    report: (line) => process.stderr.write(`${line}\n`),
  });
  const port = await freePort();
  const address = `http://127.0.0.1:${String(port)}`;
  const argv = ['-m', 'moto.server', '--host', '127.0.0.1', '--port', String(port)];
  // It ends with the tests even if they are killed.
  const server = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'python3', ...argv], {
    env: { ...process.env, PYTHONPATH: folder },
    stdio: 'ignore',
  });
  const exited = once(server, 'exit');
  const stop = async (): Promise<void> => {
    server.kill('SIGKILL');
    await exited;
  };
  try {
    await Promise.race([answering(address), exited.then(failed)]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { address, stop };
}

function failed(): never {
  throw new Error('moto has ended before it answered');
}

async function answering(address: string): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    const answers = await fetch(`${address}/moto-api/`).then(
      () => true,
      () => false,
    );
    if (answers) return;
    await sleep(200);
  }
  throw new Error('moto does not answer');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
