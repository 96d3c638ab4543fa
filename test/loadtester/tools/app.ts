import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server to be loaded, on this machine. */
export interface App {
  /** The address of a path; what is below `/bad` answers with 500, all else with 200. */
  readonly url: (path: string) => string;
  /** The headers of the requests for a path so far. */
  readonly asked: (path: string) => readonly IncomingHttpHeaders[];
  close(): Promise<void>;
}

/** Starts one. */
export async function openApp(): Promise<App> {
  const asked = new Map<string, IncomingHttpHeaders[]>();
  const server = createServer(({ url = '', headers }, response) => {
    asked.set(url, [...(asked.get(url) ?? []), headers]);
    response.statusCode = url.startsWith('/bad') ? 500 : 200;
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: (path) => `http://127.0.0.1:${String(port)}${path}`,
    asked: (path) => asked.get(path) ?? [],
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
