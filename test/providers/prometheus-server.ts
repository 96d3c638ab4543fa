import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the server was asked, and how. */
export interface Asked {
  readonly path: string;
  readonly query: string;
  readonly rawHeaders: readonly string[];
  readonly authorization: string | undefined;
}

/** A real HTTP server that answers every request alike; `hang` never answers. */
export interface MetricsServer {
  readonly address: string;
  readonly asked: Asked[];
  answer(status: number, body: string): void;
  hang(): void;
  stop(): Promise<void>;
}

/** Starts the server on a free port of the loopback interface. */
export async function startMetricsServer(): Promise<MetricsServer> {
  const asked: Asked[] = [];
  let answer: { status: number; body: string } | undefined = { status: 200, body: '' };
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', 'http://server');
    asked.push({
      path: url.pathname,
      query: url.searchParams.get('query') ?? '',
      rawHeaders: request.rawHeaders,
      authorization: request.headers.authorization,
    });
    if (answer === undefined) return;
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    asked,
    answer(status, body) {
      answer = { status, body };
    },
    hang() {
      answer = undefined;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The body of an instant vector with these values, one series each. */
export function vectorOf(...values: string[]): string {
  const result = values.map((value, i) => ({
    metric: { series: String(i) },
    value: [1545905245.458, value],
  }));
  return JSON.stringify({ status: 'success', data: { resultType: 'vector', result } });
}
