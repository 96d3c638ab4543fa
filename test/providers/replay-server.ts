import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

/** What a back end answers; status 200 unless told otherwise. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What a back end was asked, and how. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly params: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A real server in the place of a vendor's. */
export interface ReplayServer {
  readonly address: string;
  readonly asked: Asked[];
  /** Answers every request from now on alike, or by what it asks. */
  answer(reply: Reply | ((asked: Asked) => Reply)): void;
  /** Answers nothing from now on; resolves when it is asked. */
  hang(): Promise<void>;
  stop(): Promise<void>;
}

/** Takes over a connection that is to be no HTTP any more; undefined is a reply that never comes. */
export type Upgrade = (
  request: IncomingMessage,
  connection: Duplex,
  reply: Reply | undefined,
  asked: Asked[],
) => void;

/** Starts an HTTP server on a free port of the loopback interface. */
export async function startReplayServer(upgrade?: Upgrade): Promise<ReplayServer> {
  const connections = new Set<Duplex>();
  const asked: Asked[] = [];
  let respond: (asked: Asked) => Reply | undefined = () => ({});
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const reply = replyTo(request, body);
      if (reply === undefined) return;
      response.writeHead(reply.status ?? 200, reply.headers);
      response.end(reply.body);
    });
  });
  function replyTo(request: IncomingMessage, body: string): Reply | undefined {
    const url = new URL(request.url ?? '/', 'http://server');
    const { method = '', headers } = request;
    const one = { method, path: url.pathname, params: url.searchParams, headers, body };
    asked.push(one);
    return respond(one);
  }
  if (upgrade !== undefined) {
    server.on('upgrade', (request, connection: Duplex) => {
      connections.add(connection);
      upgrade(request, connection, replyTo(request, ''), asked);
    });
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    asked,
    answer(reply) {
      respond = typeof reply === 'function' ? reply : () => reply;
    },
    hang() {
      return new Promise((resolve) => {
        respond = () => {
          resolve();
          return undefined;
        };
      });
    },
    async stop() {
      if (!server.listening) return;
      server.closeAllConnections();
      for (const connection of connections) connection.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
