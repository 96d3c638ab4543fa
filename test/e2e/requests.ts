import { Agent, request } from 'node:http';

/** What a client got from the demo app, or from Envoy in its stead. */
export interface Answer {
  readonly status: number;
  /** Of the app that answered; empty when none did. */
  readonly version: string;
  /** The `Set-Cookie` headers. */
  readonly setCookies: readonly string[];
}

/** Clients of the gateway; each request may have headers of its own. */
export interface Clients {
  ask(headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** So many requests, some of them at a time. */
  askMany(count: number, headers?: Readonly<Record<string, string>>): Promise<readonly Answer[]>;
  close(): void;
}

const atATime = 32;

/** Clients that send to a virtual host behind a URL such as `http://127.0.0.1:4711`. */
export function clientsOf(
  gateway: string,
  host: string,
  { keepAlive = true }: { readonly keepAlive?: boolean } = {},
): Clients {
  const agent = new Agent({ keepAlive });

  const ask: Clients['ask'] = (headers = {}) =>
    new Promise((resolve, reject) => {
      const sent = request(gateway, { agent, headers: { host, ...headers } });
      sent.once('error', reject);
      sent.once('response', (answer) => {
        answer.once('error', reject);
        answer.once('end', () => {
          resolve({
            status: answer.statusCode ?? 0,
            version: String(answer.headers['x-version'] ?? ''),
            setCookies: answer.headers['set-cookie'] ?? [],
          });
        });
        answer.resume();
      });
      sent.end();
    });

  return {
    ask,
    async askMany(count, headers) {
      const answers: Answer[] = [];
      let left = count;
      const client = async (): Promise<void> => {
        while (left-- > 0) answers.push(await ask(headers));
      };
      await Promise.all(Array.from({ length: atATime }, client));
      return answers;
    },
    close: () => agent.destroy(),
  };
}

/** How many answers each version gave; an answer that is not a 200 counts by its status. */
export function byVersion(answers: readonly Answer[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { status, version } of answers) {
    const key = status === 200 ? version : `HTTP ${String(status)}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}
