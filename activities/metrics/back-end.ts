import { httpGet, httpPostQuery, type HttpAnswer, type HttpRequest } from '../http.js';
import { UnexpectedAnswer } from './answers.js';
import type { ProviderConfig } from './provider.js';
import { excerpt, hiding, type Hide } from './secrets.js';

/** What a request asks for, and what is made of the body of its answer. */
export interface Inquiry<T> {
  /** Below the path of the address. */
  readonly path: string;
  readonly params?: URLSearchParams;
  /** Sent with POST, as JSON; without it the request is a GET. */
  readonly json?: unknown;
  /** May throw {@link UnexpectedAnswer}, to which an excerpt of the body is added. */
  readonly read: (body: string) => T;
  readonly signal?: AbortSignal | undefined;
}

/** What a provider type knows of its back end. */
export interface BackEnd {
  /** Where it is when the template does not say. */
  readonly address?: string;
  /** Shown to who got the address wrong. */
  readonly example?: string;
  /** The headers of its login. */
  readonly login?: Readonly<Record<string, string>>;
  /** The values in `login` that must not be shown. */
  readonly secrets?: readonly string[];
  readonly timeoutMs: number;
}

/**
 * Asks a back end over HTTP, with the address, headers and verification of the template. Any
 * status but 2xx is thrown, with an excerpt of the answer; no error holds a secret. Of the
 * address, the path is kept, and the user is the login where there is no other.
 */
export function connect(
  config: ProviderConfig,
  backEnd: BackEnd,
): <T>(inquiry: Inquiry<T>) => Promise<T> {
  const { base, headers, hide, timeoutMs, insecureSkipVerify } = accessTo(config, backEnd);
  const shared = { headers, timeoutMs, insecureSkipVerify };

  return async ({ path, params, json, read, signal }) => {
    signal?.throwIfAborted();
    const answer = await send({ ...shared, url: endpoint(base, path, params), signal }, json);
    return understood(answer, read, hide);
  };
}

/** What it takes to ask a back end. */
export interface Access {
  /** The address, with nothing but the path behind the host. */
  readonly base: URL;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly hide: Hide;
  readonly timeoutMs: number;
  readonly insecureSkipVerify: boolean;
}

/** Joins what the template says with what its type knows; throws when the address is no URL. */
export function accessTo(config: ProviderConfig, backEnd: BackEnd): Access {
  const address = addressOf(config, backEnd);
  const own = ownLogin(address);
  const secrets = [...own.secrets, ...(backEnd.secrets ?? []), ...secretHeaders(config)];
  const { insecureSkipVerify = false, timeoutMs = backEnd.timeoutMs } = config;
  const base = new URL(address.origin);
  base.pathname = address.pathname;
  return {
    base,
    headers: headersOf(config, { ...own.login, ...backEnd.login }),
    hide: hiding(secrets),
    timeoutMs,
    insecureSkipVerify,
  };
}

async function send(request: HttpRequest, json: unknown): Promise<HttpAnswer> {
  return json === undefined ? httpGet(request) : httpPostQuery({ ...request, json });
}

function understood<T>({ status, body }: HttpAnswer, read: (body: string) => T, hide: Hide): T {
  const shown = excerpt(body, hide) || 'it is empty';
  if (status < 200 || status >= 300) throw new Error(`HTTP ${String(status)}: ${shown}`);
  try {
    return read(body);
  } catch (error) {
    // What was thrown may quote secrets, so it is not chained as the cause.
    throw worded(error, shown, hide);
  }
}

/** What was wrong with an answer, in words that hold no secret; `shown` is an excerpt of it. */
function worded(error: unknown, shown: string, hide: Hide): Error {
  if (!(error instanceof Error)) return new Error('request failed');
  const message = excerpt(error.message, hide);
  return new Error(error instanceof UnexpectedAnswer ? `${message}: ${shown}` : message);
}

function addressOf({ address }: ProviderConfig, { address: usual, example }: BackEnd): URL {
  const given = address === undefined || address === '' ? usual : address;
  if (given === undefined || !/^https?:/.test(given) || !URL.canParse(given)) {
    throw new Error(`the address must be a URL such as ${example ?? usual ?? ''}`);
  }
  return new URL(given);
}

/** A URL below an address. */
export function endpoint(base: URL, path: string, params = new URLSearchParams()): URL {
  const url = new URL(base);
  url.pathname = `${base.pathname}/${path}`.replaceAll(/\/{2,}/g, '/');
  url.search = String(params);
  return url;
}

/** The login of a user with a password; none when either is empty. */
export function basicLogin(
  username: string,
  password: string,
): Required<Pick<BackEnd, 'login' | 'secrets'>> {
  if (username === '' || password === '') return { login: {}, secrets: [] };
  const together = `${username}:${password}`;
  const Authorization = `Basic ${Buffer.from(together).toString('base64')}`;
  return { login: { Authorization }, secrets: [password, together] };
}

function ownLogin({ username, password }: URL): ReturnType<typeof basicLogin> {
  return basicLogin(decodeURIComponent(username), decodeURIComponent(password));
}

/** The template's headers, of which a login replaces those of the same name. */
function headersOf(
  { headers = {} }: ProviderConfig,
  login: Readonly<Record<string, string>>,
): Readonly<Record<string, string | readonly string[]>> {
  const replaced = new Set(Object.keys(login).map((name) => name.toLowerCase()));
  const kept = Object.entries(headers).filter(([name]) => !replaced.has(name.toLowerCase()));
  return { ...Object.fromEntries(kept), ...login };
}

/** What a template's headers hold that is a credential by its name. */
function secretHeaders({ headers = {} }: ProviderConfig): string[] {
  const named = Object.entries(headers).filter(([name]) =>
    /auth|cookie|key|token|secret/i.test(name),
  );
  return named.flatMap(([, values]) =>
    values.flatMap((value) => [value, value.replace(/^\S+ /, '')]),
  );
}
