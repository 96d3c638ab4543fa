/** A service of the cluster that the host reaches on 127.0.0.1. */
export type Forward = {
  readonly name: string;
  /** `SERVICE.NAMESPACE:PORT`. */
  readonly target: string;
  /** The host's port, if it is free. */
  readonly preferredPort: number;
};

/** The API server, which is no Service at the time its port is opened. */
export const KUBERNETES = 'kubernetes';

/** What is reachable from the host in every sandbox. */
export const standardForwards: readonly Forward[] = [
  { name: KUBERNETES, target: 'kubernetes.default:443', preferredPort: 6443 },
  { name: 'temporal', target: 'temporal.temporal:7233', preferredPort: 7233 },
  { name: 'temporal-ui', target: 'temporal.temporal:8233', preferredPort: 8233 },
  { name: 'prometheus', target: 'prometheus.monitoring:9090', preferredPort: 9090 },
  { name: 'gateway', target: 'envoy.projectcontour:80', preferredPort: 8080 },
  { name: 'worker-metrics', target: 'sluice-worker.sluice-system:8080', preferredPort: 9464 },
];

/** Reads `NAME=SERVICE.NAMESPACE:PORT`; undefined when it is not of that form. */
export function parseForward(text: string): Forward | undefined {
  const [, name, target] = /^([a-z0-9-]+)=([a-z0-9-]+\.[a-z0-9-]+:\d+)$/.exec(text) ?? [];
  if (name === undefined || target === undefined) return undefined;
  return { name, target, preferredPort: 0 };
}
