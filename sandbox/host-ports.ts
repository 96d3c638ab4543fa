import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';

/** A port of 127.0.0.1 on the host that listens already; `descriptor` is its socket, to be inherited. */
export type HostPort = { readonly port: number; readonly descriptor: number; close(): void };

/**
 * Listens on the preferred port, or on any free one. A listening socket stays in the network namespace
 * it was made in: a process inside the sandbox that inherits it accepts the host's connections.
 */
export async function openHostPort(preferred: number): Promise<HostPort> {
  const server = (await listen(preferred)) ?? (await listen(0));
  if (server === undefined) throw new Error('no port of 127.0.0.1 is free');
  return {
    port: (server.address() as AddressInfo).port,
    descriptor: descriptorOf(server),
    close: () => server.close(),
  };
}

async function listen(port: number): Promise<Server | undefined> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
}

/** Node hands a child a socket by number only, and keeps that number to itself. */
function descriptorOf(server: Server): number {
  const { _handle: handle } = server as unknown as { readonly _handle: { readonly fd: number } };
  return handle.fd;
}
