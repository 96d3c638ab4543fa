import { createServer, type Server, type ServerResponse } from 'node:http';

import type { Registry } from 'prom-client';

export interface HealthOptions {
  readonly port: number;
  readonly registry: Registry;
  /** What the worker still waits for before it can work; empty when it is ready. */
  readonly waitingFor: () => readonly string[];
}

/**
 * Serves `/metrics`, `/healthz` (always 200: the process answers) and `/readyz` (503 with what is
 * waited for). Resolves when it listens; rejects when the port is taken.
 */
export function serveHealth({ port, registry, waitingFor }: HealthOptions): Promise<Server> {
  async function metrics(response: ServerResponse): Promise<void> {
    try {
      const page = await registry.metrics();
      response.setHeader('Content-Type', registry.contentType).end(page);
    } catch (error) {
      answer(response, 500, String(error));
    }
  }

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://worker');
    const missing = waitingFor();
    if (pathname === '/metrics') void metrics(response);
    else if (pathname === '/healthz') answer(response, 200, 'OK');
    else if (pathname !== '/readyz') answer(response, 404, 'paths: /metrics /healthz /readyz');
    else if (missing.length === 0) answer(response, 200, 'OK');
    else answer(response, 503, `waiting for ${missing.join(', ')}`);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => {
      resolve(server);
    });
  });
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(text);
}
