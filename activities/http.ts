import axios, { isAxiosError, type AxiosProxyConfig, type AxiosRequestConfig } from 'axios';
import { Agent } from 'node:https';
import type { Readable } from 'node:stream';

/** A request to somebody's server. */
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
 * Sends a GET request and follows redirects, to another origin without the headers. Throws when no
 * whole answer comes in time; the error names the address without its user info and query, and
 * carries nothing of the request, whose headers may hold credentials. Throws the signal's reason
 * when the caller gave up.
 */
export async function httpGet(request: HttpRequest): Promise<HttpAnswer> {
  return wholeAnswer(request, { method: 'get' });
}

/** As {@link httpGet}, with the POST of a JSON body. */
export async function httpPostQuery(request: HttpPost): Promise<HttpAnswer> {
  const { json, headers, ...rest } = request;
  return wholeAnswer(
    { ...rest, headers: { ...headers, 'Content-Type': 'application/json' } },
    { method: 'post', data: JSON.stringify(json) },
  );
}

async function wholeAnswer(
  { url, headers = {}, timeoutMs, insecureSkipVerify, signal }: HttpRequest,
  what: Pick<AxiosRequestConfig, 'method' | 'data'>,
): Promise<HttpAnswer> {
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    const { status, data } = await axios.request<string>({
      ...what,
      url: url.href,
      sensitiveHeaders: Object.keys(headers),
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

/** A POST request with a JSON body. */
export interface HttpPost extends HttpRequest {
  readonly json: unknown;
  /** False leaves a redirect to the caller, as an answer. */
  readonly followRedirects?: boolean;
  /** The proxy for this request; absent for those of the environment. */
  readonly proxy?: URL;
}

/** Any answer to a POST; of the body only the beginning. */
export interface HttpPosted extends HttpAnswer {
  /** The header `Retry-After`. */
  readonly retryAfter?: string;
}

/** Nobody answered a POST; the message names neither the address nor what was sent. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';

  constructor(
    message: string,
    /** Node's or axios' name of what went wrong, such as `ECONNREFUSED`. */
    readonly code: string,
  ) {
    super(message);
  }
}

/** As much as is read of the answer to a POST; it is only ever shown to people. */
const maxBodyBytes = 16 * 1024;
const maxRedirects = 10;

/**
 * Sends a POST request and follows redirects. Throws {@link NoAnswer} when no answer comes in time,
 * or the signal's reason when the caller gave up. The body may be cut off, by us or by the server.
 */
export async function httpPost(request: HttpPost): Promise<HttpPosted> {
  const { url, headers = {}, json, timeoutMs, signal } = request;
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    const answer = await axios.post<Readable>(url.href, JSON.stringify(json), {
      headers: { ...headers, 'Content-Type': 'application/json' },
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
      responseType: 'stream',
      validateStatus: () => true,
      ...routeOf(request),
    });
    const body = await beginningOf(answer.data);
    signal?.throwIfAborted();
    const retryAfter: unknown = answer.headers['retry-after'];
    const { status } = answer;
    return { status, body, ...(typeof retryAfter === 'string' ? { retryAfter } : {}) };
  } catch (error) {
    signal?.throwIfAborted();
    // The axios error itself holds what was sent, so it is not chained as the cause.
    if (deadline.aborted) throw noAnswerWithin(timeoutMs);
    const code = isAxiosError(error) ? error.code : undefined;
    throw new NoAnswer(reasonOf(error), code ?? 'request failed');
  }
}

function routeOf({
  followRedirects = true,
  proxy,
  insecureSkipVerify = false,
}: HttpPost): AxiosRequestConfig {
  return {
    maxRedirects: followRedirects ? maxRedirects : 0,
    ...(proxy === undefined ? {} : { proxy: axiosProxy(proxy) }),
    ...(insecureSkipVerify ? { httpsAgent: unverified } : {}),
  };
}

function axiosProxy({ protocol, hostname, port, username, password }: URL): AxiosProxyConfig {
  const auth = {
    username: decodeURIComponent(username),
    password: decodeURIComponent(password),
  };
  return {
    protocol,
    host: hostname,
    port: Number(port === '' ? (protocol === 'https:' ? 443 : 80) : port),
    ...(username === '' ? {} : { auth }),
  };
}

function noAnswerWithin(timeoutMs: number): NoAnswer {
  return new NoAnswer(`no answer within ${timeoutMs / 1_000} s`, 'ETIMEDOUT');
}

/** What came of a body before it was long enough, or broke off. */
async function beginningOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      chunks.push(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      if (bytes >= maxBodyBytes) break;
    }
  } catch {
    // The status has been answered, and that is what decides.
  }
  return Buffer.concat(chunks).subarray(0, maxBodyBytes).toString();
}
