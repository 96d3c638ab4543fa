import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { posix } from 'node:path';
import { finished } from 'node:stream/promises';

import type { Logger } from '@temporalio/common';

import { messageOf } from '../worker/log.js';
import { BadRequest } from './payload.js';

/** A request: its body is read when it is asked for, since some paths answer without. */
export interface Asked {
  readonly body: () => Promise<string>;
  /** The header `Idempotency-Key`. */
  readonly key: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly text?: string;
  readonly contentType?: string;
  /** Is called when all of the answer has been sent, and not when the caller has hung up. */
  readonly told?: () => Promise<void>;
}

export type Handler = (asked: Asked) => Promise<Answer>;

/** What answers at which path; any other path is answered by `rest`, as in Flagger. */
export interface Paths {
  readonly paths: Readonly<Record<string, Handler>>;
  readonly rest: Handler;
}

/** What a body may have: scripts are sent in it. */
const maxBodyBytes = 4 * 1024 * 1024;

class TooLarge extends Error {}

/**
 * Serves the paths whatever the method, as Flagger does. Resolves when it listens; rejects when the
 * port is taken.
 */
export function serve(port: number, { paths, rest }: Paths, log: Logger): Promise<Server> {
  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path, query] = targetOf(request);
    const clean = cleaned(path);
    if (clean !== path) {
      response.writeHead(307, { Location: `${encodeURI(clean)}${query}` }).end();
      return;
    }
    const handler = Object.hasOwn(paths, path) ? paths[path] : undefined;
    const answer = await answerOf(request, handler ?? rest);
    const { status, text = '', contentType = 'text/plain; charset=utf-8', told } = answer;
    // What is written to a connection that is gone counts as sent.
    if (response.destroyed) throw new Error('the caller has hung up');
    // A connection that is kept would hold up the end.
    if (!server.listening) response.shouldKeepAlive = false;
    response.writeHead(status, { 'Content-Type': contentType }).end(text);
    if (told === undefined) return;
    await finished(response);
    await told();
  }

  const server = createServer((request, response) => {
    respond(request, response).catch((error: unknown) => {
      // The caller has hung up, or what comes after the answer failed: nobody is left to be told.
      log.debug('a request ended early', { error: messageOf(error) });
      response.destroy();
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => {
      resolve(server);
    });
  });

  async function answerOf(request: IncomingMessage, handler: Handler): Promise<Answer> {
    const { 'idempotency-key': key } = request.headers;
    try {
      return await handler({
        body: () => bodyOf(request),
        key: typeof key === 'string' && key !== '' ? key : undefined,
      });
    } catch (error) {
      if (error instanceof BadRequest) return { status: 400, text: error.message };
      if (error instanceof TooLarge) return { status: 413, text: error.message };
      if (request.destroyed && !request.complete) throw error;
      log.error('a request failed', { error: messageOf(error) });
      return { status: 500, text: messageOf(error) };
    }
  }
}

/** The decoded path, and the query as it is. */
function targetOf({ url = '/' }: IncomingMessage): readonly [path: string, query: string] {
  const [, path = '/', query = ''] = /^(?:https?:\/\/[^/?]*)?([^?]*)(.*)$/s.exec(url) ?? [];
  try {
    return [decodeURIComponent(path), query];
  } catch {
    return [path, query];
  }
}

/** Without double slashes and dots. */
function cleaned(path: string): string {
  return posix.normalize(path.startsWith('/') ? path : `/${path}`);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // An answer is to be sent even when the body is not read to its end.
  const whole = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  for await (const chunk of whole) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw new TooLarge(`the body: at most ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
