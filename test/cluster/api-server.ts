import { request } from 'node:https';
import type { RequestOptions } from 'node:https';

import { KubeConfig } from '@kubernetes/client-node';

/** One call of the API: `body` is sent as JSON unless `contentType` says otherwise. */
export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
}

/** What the API server answered: the HTTP status and the decoded JSON body. */
export interface ApiAnswer<Body> {
  readonly code: number;
  readonly body: Body;
}

/** A Kubernetes API server spoken to in plain HTTPS, so that tests see its answers unchanged. */
export interface ApiServer {
  /** Resolves with any answer, refusals included; rejects only when no answer comes. */
  call<Body>(call: ApiCall): Promise<ApiAnswer<Body>>;
}

/** Connects to the cluster of the file named by KUBECONFIG; throws if that is not set. */
export function connectToApiServer(): ApiServer {
  const file = process.env['KUBECONFIG'];
  if (file === undefined || file === '') {
    throw new Error('KUBECONFIG is not set: cluster tests need a running API server');
  }
  const config = new KubeConfig();
  config.loadFromFile(file);
  const server = config.getCurrentCluster()?.server;
  if (server === undefined) throw new Error(`${file} names no current cluster`);
  return { call: (call) => send(config, server, call) };
}

async function send<Body>(
  config: KubeConfig,
  server: string,
  { method, path, body, contentType, accept }: ApiCall,
): Promise<ApiAnswer<Body>> {
  const options: RequestOptions = {
    method,
    headers: {
      accept: accept ?? 'application/json',
      'content-type': contentType ?? 'application/json',
    },
  };
  await config.applyToHTTPSOptions(options);
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, server), options, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ code: answer.statusCode ?? 0, body: JSON.parse(text) as Body });
      });
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
