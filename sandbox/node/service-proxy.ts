import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

import { serviceRoutes } from './service-endpoints.js';
import type { Backend } from './service-endpoints.js';
import type { ServiceIndex } from './service-index.js';

/** How long one backend may take to accept a connection before the next one is tried, ms. */
const connectMs = 2000;
const keepAliveMs = 30_000;
/** An address that is taken is tried again after this long, ms. */
const retryMs = 1000;

type Listener = { readonly server: Server; backends: readonly Backend[]; turn: number };

/**
 * Listens on the cluster IP of every service that has endpoints and passes connections on, round robin.
 * A port without endpoints is not listened on, so that clients are refused at once.
 */
export class ServiceProxy {
  private readonly listeners = new Map<string, Listener>();
  /** The addresses each service has now, by `namespace/name`. */
  private readonly addresses = new Map<string, readonly string[]>();

  constructor(private readonly index: ServiceIndex) {}

  /** Begins to follow the services; to be called before the index is filled. */
  start(): void {
    this.index.onChange((namespace, name) => this.apply(namespace, name));
  }

  private apply(namespace: string, name: string): void {
    const service = this.index.service(namespace, name);
    const slices = this.index.slices(namespace, name);
    const routes = service === undefined ? [] : serviceRoutes(service, slices);
    const open = routes.filter(({ backends }) => backends.length > 0);
    const key = `${namespace}/${name}`;
    const wanted = open.map(({ clusterIp, port }) => `${clusterIp}:${port}`);
    for (const address of this.addresses.get(key) ?? []) {
      if (!wanted.includes(address)) this.close(address);
    }
    for (const { clusterIp, port, backends } of open) this.open(clusterIp, port, backends);
    if (wanted.length === 0) this.addresses.delete(key);
    else this.addresses.set(key, wanted);
  }

  private open(clusterIp: string, port: number, backends: readonly Backend[]): void {
    const address = `${clusterIp}:${port}`;
    const known = this.listeners.get(address);
    if (known !== undefined) {
      known.backends = backends;
      return;
    }
    // Half-open connections stay: a client may end its request and still wait for the answer.
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
    const listener: Listener = { server, backends, turn: 0 };
    this.listeners.set(address, listener);
    server.on('connection', (client) => passOn(client, takeTurns(listener)));
    server.on('error', (error) => {
      console.log(`service address ${address}: ${error.message}`);
      setTimeout(() => {
        if (this.listeners.get(address) === listener) server.listen(port, clusterIp);
      }, retryMs);
    });
    server.listen({ port, host: clusterIp, backlog: 4096 });
  }

  private close(address: string): void {
    // Only new connections end here; those that are open go on, as with any service proxy.
    this.listeners.get(address)?.server.close();
    this.listeners.delete(address);
  }
}

/** The backends in the order in which this connection should try them. */
function takeTurns(listener: Listener): Backend[] {
  const { backends } = listener;
  const first = listener.turn++ % Math.max(1, backends.length);
  return [...backends.slice(first), ...backends.slice(0, first)];
}

function passOn(client: Socket, backends: readonly Backend[]): void {
  const [backend, ...others] = backends;
  if (backend === undefined) {
    client.resetAndDestroy();
    return;
  }
  const upstream = connect({
    ...{ host: backend.address, port: backend.port },
    ...{ allowHalfOpen: true, noDelay: true },
  });
  const giveUp = (): void => {
    upstream.destroy();
    if (!client.destroyed) passOn(client, others);
  };
  const onClientGone = (): void => {
    upstream.removeListener('error', giveUp);
    upstream.on('error', () => undefined);
    upstream.destroy();
  };
  upstream.setTimeout(connectMs, giveUp);
  upstream.once('error', giveUp);
  client.once('close', onClientGone);
  client.on('error', () => undefined);
  upstream.once('connect', () => {
    upstream.setTimeout(0);
    upstream.removeListener('error', giveUp);
    client.removeListener('close', onClientGone);
    join(client, upstream);
  });
}

/** Copies both ways until both sides have ended; a broken side breaks the other. */
function join(client: Socket, upstream: Socket): void {
  for (const [one, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    one.setKeepAlive(true, keepAliveMs);
    one.on('error', () => other.resetAndDestroy());
    one.on('close', () => other.destroy());
    one.pipe(other);
  }
}
