import axios from 'axios';

/** What the load generator counted in a window. */
export interface Counted {
  readonly requests: number;
  /** Requests without an answer below 500. */
  readonly failed: number;
  readonly byVersion: Readonly<Record<string, number>>;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly failures: {
    readonly connection: number;
    readonly timeout: number;
    /** Answers of 500 and above, by version. */
    readonly serverErrors: Readonly<Record<string, number>>;
  };
}

/** Where requests go. */
export interface Target {
  /** The gateway by default. */
  readonly url?: string;
  /** The header `Host`; empty for that of the URL. */
  readonly host: string;
  /** Whether connections serve many requests; they do by default. A Service balances connections, not requests. */
  readonly keepAlive?: boolean;
}

/** The Envoy of Contour, as the load generator reaches it. */
const gateway = 'http://envoy.projectcontour/';

/** The load generator of the sandbox, seen from the host. */
export interface Traffic {
  /** Sends so many requests per second from now on; without a target, to the one it has. */
  send(rate: number, target?: Target): Promise<void>;
  /** What came back between two moments (epoch milliseconds); whole seconds are counted. */
  counted(since: number, until?: number): Promise<Counted>;
}

/** The share of a version among all answers, in percent; 0 when there were none. */
export function shareOf({ byVersion }: Counted, version: string): number {
  const total = Object.values(byVersion).reduce((sum, count) => sum + count, 0);
  return total === 0 ? 0 : ((byVersion[version] ?? 0) / total) * 100;
}

/** Reaches the load generator at a URL such as `http://127.0.0.1:4711`. */
export function trafficAt(url: string): Traffic {
  const http = axios.create({ baseURL: url, timeout: 10_000, proxy: false });
  return {
    async send(rate, target) {
      await http.post('/config', {
        rate,
        ...(target === undefined ? {} : { url: gateway, keepAlive: true, ...target }),
      });
    },
    async counted(since, until) {
      const { data } = await http.get<Counted>('/stats', { params: { since, until } });
      return data;
    },
  };
}
