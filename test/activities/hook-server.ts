import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import type { HookPayload } from '../../domain/hooks.js';
import { selfSigned } from './self-signed.js';

/** One request as the server got it. */
export interface HookRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: HookPayload;
}

/** What the server answers: a status, a status with body and headers, or whatever it likes. */
export type HookReply =
  | number
  | {
      readonly status: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | ((response: ServerResponse) => void);

/** An endpoint on loopback that answers as a test tells it to. */
export interface HookServer {
  readonly url: string;
  /** Everything it was asked, in order. */
  readonly requests: readonly HookRequest[];
  /** The paths of {@link requests}. */
  readonly paths: readonly string[];
  /** Answers of the coming requests; when they are used up, 200. */
  answer(...replies: readonly HookReply[]): void;
  /** What a path answers from now on: one reply after the other, the last of them for good. */
  answerAt(path: string, ...replies: readonly HookReply[]): void;
  stop(): Promise<void>;
}

/** Never answers. */
export const silence: HookReply = () => undefined;

/** Starts a server; with `tls` it shows a certificate nobody vouches for. */
export async function startHookServer(tls?: 'tls'): Promise<HookServer> {
  const requests: HookRequest[] = [];
  const replies: HookReply[] = [];
  const scripts = new Map<string, HookReply[]>();

  const scriptedAt = (path: string): HookReply | undefined => {
    const script = scripts.get(path) ?? [];
    return script.length > 1 ? script.shift() : script[0];
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const text = Buffer.concat(chunks).toString();
      const body = (text === '' ? {} : JSON.parse(text)) as HookPayload;
      requests.push({ method, path, headers, body });
      reply(response, scriptedAt(path) ?? replies.shift() ?? 200);
    });
  };
  const server =
    tls === undefined ? createServer(listener) : createTlsServer(selfSigned(), listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    requests,
    get paths() {
      return requests.map(({ path }) => path);
    },
    answer: (...more) => void replies.push(...more),
    answerAt: (path, ...script) => void scripts.set(path, [...script]),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function reply(response: ServerResponse, answer: HookReply): void {
  if (typeof answer === 'function') {
    answer(response);
    return;
  }
  const {
    status,
    body = '',
    headers = {},
  } = typeof answer === 'number' ? { status: answer } : answer;
  response.writeHead(status, headers).end(body);
}
