import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { stateFolders } from '../state.js';

/** An object of the API as far as the supervisor looks at it. */
export type KubeObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly generation?: number;
  };
};

/** An answer of the API server; `body` is the parsed JSON. */
export type Answer = { readonly status: number; readonly body: unknown };

/** One change that a watch reports. */
export type Change<T> = { readonly type: string; readonly object: T };

const contentTypes = {
  GET: 'application/json',
  POST: 'application/json',
  PATCH: 'application/apply-patch+yaml',
} as const;

/**
 * The administrator's access to the API server. It is this small because it is all the supervisor needs:
 * loading a client library takes longer than everything the supervisor does with it.
 */
export class KubeApi {
  private readonly agent: Agent;

  constructor(private readonly port: number) {
    const pem = (file: string): string =>
      readFileSync(join(stateFolders.certificates, file), 'utf8');
    this.agent = new Agent({
      keepAlive: true,
      ca: pem('ca.crt'),
      cert: pem('admin.crt'),
      key: pem('admin.key'),
    });
  }

  /** Reads `path`; rejects only when there is no answer. */
  async get(path: string): Promise<Answer> {
    return this.answer(await this.send('GET', path));
  }

  /** Creates an object in the collection `path`; status 409 when it exists. */
  async create(path: string, object: object): Promise<Answer> {
    return this.answer(await this.send('POST', path, object));
  }

  /** Applies an object at `path` by server-side apply, taking over all its fields. */
  async apply(path: string, object: object): Promise<Answer> {
    const query = '?fieldManager=sluice-sandbox&force=true';
    return this.answer(await this.send('PATCH', path + query, object));
  }

  /** The objects of a list and then every change to them, until the connection or `signal` ends. */
  async *watch<T>(path: string, signal: AbortSignal): AsyncGenerator<Change<T>> {
    const response = await this.send('GET', `${path}?watch=1`, undefined, signal);
    try {
      for await (const line of createInterface(response)) yield JSON.parse(line) as Change<T>;
    } finally {
      response.destroy();
    }
  }

  private async answer(response: IncomingMessage): Promise<Answer> {
    const body = await text(response);
    const isJson = response.headers['content-type']?.startsWith('application/json') === true;
    return { status: response.statusCode ?? 0, body: isJson ? JSON.parse(body) : body };
  }

  private send(
    method: keyof typeof contentTypes,
    path: string,
    body?: object,
    signal?: AbortSignal,
  ): Promise<IncomingMessage> {
    const { agent, port } = this;
    const headers = { 'content-type': contentTypes[method] };
    return new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port, method, path, agent, headers, ...(signal && { signal }) })
        .on('response', resolve)
        .on('error', reject)
        .end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}
