import { messageOf } from '../worker/log.js';
import { within } from './limits.js';

/** A request to a service that answers in JSON. */
export interface RestRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: FormData;
  readonly signal: AbortSignal;
}

const timeoutMs = 60_000;

/**
 * The JSON object a service answers, whatever the HTTP status: nGrinder and Concord say in it how it
 * went. Throws an error that names method and address, never headers or body, which hold credentials.
 */
export async function askJson(request: RestRequest): Promise<Readonly<Record<string, unknown>>> {
  const { method, url, headers, body, signal } = request;
  const what = `${method} ${url.origin}${url.pathname}`;
  const init = { method, headers, ...(body === undefined ? {} : { body }) };
  const { status, text } = await within(timeoutMs, signal, async (ending) => {
    try {
      const response = await fetch(url, { ...init, signal: ending });
      return { status: response.status, text: await response.text() };
    } catch (error) {
      throw new Error(`${what}: ${messageOf(error)}`, { cause: error });
    }
  });
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below: the parser's message quotes the answer.
  }
  throw new Error(`${what}: HTTP ${status} without an object in JSON`);
}
