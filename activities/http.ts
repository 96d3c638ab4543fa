import axios, { isAxiosError } from 'axios';
import { Agent } from 'node:https';

/** A GET request to a metrics back end. */
export interface HttpRequest {
  readonly url: URL;
  /** A name with several values is sent several times. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly timeoutMs: number;
  /** Accepts any certificate. */
  readonly insecureSkipVerify?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Any answer, refusals included. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** An answer longer than this many bytes is no single number, whatever it is. */
const maxBytes = 10 * 1024 * 1024;

/** Node's own agents keep connections open; only leaving out verification needs one of ours. */
const unverified = new Agent({ keepAlive: true, rejectUnauthorized: false });

/**
 * Sends a GET request. Throws when no whole answer comes in time; the error names the address
 * without its user info and query, and carries nothing of the request, whose headers may hold
 * credentials. Throws the signal's reason when the caller gave up.
 */
export async function httpGet(request: HttpRequest): Promise<HttpAnswer> {
  const { url, headers = {}, timeoutMs, insecureSkipVerify, signal } = request;
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    const { status, data } = await axios.get<string>(url.href, {
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, copyOf(value)]),
      ),
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
      responseType: 'text',
      transformResponse: (body: string) => body,
      validateStatus: () => true,
      maxContentLength: maxBytes,
      ...(insecureSkipVerify === true ? { httpsAgent: unverified } : {}),
    });
    return { status, body: data };
  } catch (error) {
    signal?.throwIfAborted();
    const why = deadline.aborted ? `no answer within ${timeoutMs / 1_000} s` : reasonOf(error);
    // The axios error itself holds the request's headers, so it is not chained as the cause.
    // eslint-disable-next-line preserve-caught-error
    throw new Error(`${url.origin}${url.pathname}: ${why}`);
  }
}

function copyOf(value: string | readonly string[]): string | string[] {
  return typeof value === 'string' ? value : [...value];
}

/** Node reports a host with several addresses as an error without a message. */
function reasonOf(error: unknown): string {
  if (!isAxiosError(error)) return error instanceof Error ? error.message : 'request failed';
  return error.message === '' ? (error.code ?? 'request failed') : error.message;
}
