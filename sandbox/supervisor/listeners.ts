import { connect, createServer } from 'node:net';

import { FIRST_LISTENER_DESCRIPTOR } from '../control.js';

/** Serves the host's connections on the inherited listening sockets: each is piped to its service. */
export function serveHost(targets: readonly string[]): void {
  targets.forEach((target, place) => {
    const [host, port] = target.split(':');
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (outer) => {
      const inner = connect({ host, port: Number(port), allowHalfOpen: true, noDelay: true });
      outer.on('error', () => inner.destroy()).pipe(inner);
      inner.on('error', () => outer.destroy()).pipe(outer);
      outer.on('close', () => inner.destroy());
      inner.on('close', () => outer.destroy());
    });
    server.listen({ fd: FIRST_LISTENER_DESCRIPTOR + place });
  });
}
