import type { Socket } from 'node:net';

import type { Part } from './parts.js';
import type { Programs } from './tools/programs.js';
import type { ToolPaths } from './tools/provide.js';

/** The descriptor of the socket between the host's process and the supervisor inside. */
export const CONTROL_DESCRIPTOR = 3;

/** The first of the listening sockets that lie behind it. */
export const FIRST_LISTENER_DESCRIPTOR = 4;

/** What the supervisor is to do: the first and only message from the host. The end of the socket is the order to stop. */
export type Plan = {
  readonly name: string;
  readonly repository: string;
  readonly programs: Programs;
  /** The module that lets Node run TypeScript. */
  readonly loader: string;
  readonly tools: ToolPaths;
  readonly parts: readonly Part[];
  /** Image maps beside the built-in one. */
  readonly images: readonly string[];
  /** The port of the API server, the same on the host and inside, so that one kubeconfig serves both. */
  readonly apiPort: number;
  /** What the inherited listening sockets, from descriptor 4 on, lead to: `SERVICE.NAMESPACE:PORT`. */
  readonly targets: readonly string[];
};

/** What the supervisor tells the host. */
export type Report =
  | { readonly kind: 'progress'; readonly text: string }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly text: string };

/** Sends one message. */
export function send(socket: Socket, message: Plan | Report): void {
  socket.write(`${JSON.stringify(message)}\n`);
}

/** The messages of the other side, until either side ends the socket. */
export async function* messages<T extends Plan | Report>(socket: Socket): AsyncGenerator<T, void> {
  let rest = '';
  try {
    for await (const chunk of socket.setEncoding('utf8')) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield JSON.parse(line) as T;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}
