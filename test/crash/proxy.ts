import { once } from 'node:events';
import {
  createServer,
  type ClientRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestOptions,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request with its whole body. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

/** Decides over calls; one it answers `false` for is dropped, and nobody ever hears of it again. */
export interface Warden {
  /** Asked before a call is passed on. */
  readonly lets: (call: Call) => boolean;
  /** Asked when the call has been answered, before its caller learns of it. */
  readonly answers: (call: Call, status: number) => boolean;
  /** Asked before a read, or a watch, is passed on; all are by default. */
  readonly reads?: (path: string) => boolean;
}

/** Opens a request to what is behind the proxy. */
export type Forward = (
  options: RequestOptions,
  answered: (answer: IncomingMessage) => void,
) => ClientRequest;

/** An HTTP proxy on loopback that stands between a worker and one server. */
export interface Proxy {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a proxy. Reads pass through it as they are, watches included, or not at all. */
export async function startProxy(forward: Forward, warden: Warden): Promise<Proxy> {
  const server = createServer((request, response) => {
    const pass = request.method === 'GET' ? stream(forward, warden) : deliver(forward, warden);
    pass(request, response).catch(() => {
      response.destroy();
    });
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

type Pass = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

function stream(forward: Forward, { reads }: Warden): Pass {
  return async (request, response) => {
    if (reads?.(request.url ?? '') === false) {
      response.destroy();
      return;
    }
    const onward = forward(optionsOf(request), (answer) => {
      response.writeHead(answer.statusCode ?? 502, ownHeaders(answer));
      // Whoever waits for a watch's first event still wants to see that it is open.
      response.flushHeaders();
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    response.on('close', () => onward.destroy());
    onward.end();
    await new Promise((resolve, reject) => {
      onward.on('error', reject);
      onward.on('close', resolve);
    });
  };
}

function deliver(forward: Forward, { lets, answers }: Warden): Pass {
  return async (request, response) => {
    const sent = await bytesOf(request);
    const call = { method: request.method ?? '', path: request.url ?? '', body: String(sent) };
    if (!lets(call)) {
      response.destroy();
      return;
    }
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      forward(optionsOf(request), resolve).on('error', reject).end(sent);
    });
    const received = await bytesOf(answer);
    const status = answer.statusCode ?? 502;
    if (!answers(call, status)) {
      response.destroy();
      return;
    }
    response
      .writeHead(status, { ...ownHeaders(answer), 'content-length': received.length })
      .end(received);
  };
}

function optionsOf({ method, url, headers }: IncomingMessage): RequestOptions {
  const { host: _own, connection: _hop, ...others } = headers;
  return { method, path: url, headers: others };
}

/** Leaves out what is about the connection rather than the answer. */
function ownHeaders({ headers }: IncomingMessage): OutgoingHttpHeaders {
  const { connection: _, 'keep-alive': _idle, 'transfer-encoding': _chunks, ...others } = headers;
  return others;
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
