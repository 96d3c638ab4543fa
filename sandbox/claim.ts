import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** A name held by this process. The kernel frees it when the process ends, however it ends. */
export type Claim = { readonly release: () => void };

/**
 * Claims a name among this user's processes; undefined when another holds it. Whoever asks for the name
 * is told what `describe` returns. It is an abstract socket: no file to leave behind or to find stale.
 */
export async function claim(name: string, describe = () => ''): Promise<Claim | undefined> {
  const asking = new Set<Socket>();
  const server = createServer((socket) => {
    asking.add(socket.on('error', () => socket.destroy()));
    socket.on('close', () => asking.delete(socket));
    socket.write(`${describe()}\n`);
  });
  server.unref();
  server.listen(address(name));
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
  return {
    release: () => {
      server.close();
      for (const socket of asking) socket.destroy();
    },
  };
}

/** What the holder of a name says about it; undefined when nobody holds it. */
export async function ask(name: string): Promise<string | undefined> {
  const socket = connect(address(name));
  try {
    await once(socket, 'connect');
    for await (const line of createInterface(socket)) return line;
    return undefined;
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}

/** Claims a name as soon as it is free. */
export async function claimWhenFree(name: string, onWait: () => void): Promise<Claim> {
  for (let tries = 0; ; tries += 1) {
    const held = await claim(name);
    if (held !== undefined) return held;
    if (tries === 0) onWait();
    await released(name);
  }
}

async function released(name: string): Promise<void> {
  const socket = connect(address(name)).resume();
  await new Promise<void>((resolve) => {
    // Both a refused connection and the holder's end close the socket.
    socket.on('error', () => undefined).on('close', () => resolve());
  });
}

function address(name: string): string {
  return `\0sluice/${String(process.getuid?.())}/${name}`;
}
