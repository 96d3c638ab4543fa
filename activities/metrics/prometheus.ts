import type { Measurement } from '../../domain/threshold.js';
import { httpGet } from '../http.js';
import type { MetricProvider, ProviderConfig } from './provider.js';

const timeoutMs = 5_000;

/** As much of a refusal as is shown. */
const maxShownCharacters = 500;

/**
 * Prometheus and what speaks its query API. Of several series the last one counts; a range is
 * refused.
 * API: https://prometheus.io/docs/prometheus/latest/querying/api/
 */
export function prometheus(config: ProviderConfig): MetricProvider {
  const url = endpointOf(config.address);
  const login = loginOf(config, url);
  const headers = headersOf(config, login);
  const { insecureSkipVerify = false } = config;

  async function query(text: string, signal?: AbortSignal): Promise<Measurement> {
    const asked = new URL(url);
    asked.username = '';
    asked.password = '';
    asked.searchParams.set('query', text.replaceAll(/\s+/g, ' '));
    const answer = await httpGet({ url: asked, headers, timeoutMs, insecureSkipVerify, signal });
    const shown = excerpt(answer.body, login?.secrets ?? []);
    if (answer.status >= 400) throw new Error(`HTTP ${answer.status}: ${shown}`);
    return measurementIn(answer.body, shown);
  }

  return {
    query,
    async ping(signal) {
      const answer = await query('vector(1)', signal);
      if (answer.kind !== 'value' || answer.value !== 1) {
        throw new Error('vector(1) was not answered with 1');
      }
    },
  };
}

function endpointOf(address: string | undefined): URL {
  if (address === undefined || !/^https?:/.test(address) || !URL.canParse(address)) {
    throw new Error('the address must be a URL such as http://prometheus:9090');
  }
  const url = new URL(address);
  url.pathname = `${url.pathname}/api/v1/query`.replaceAll(/\/{2,}/g, '/');
  url.search = '';
  url.hash = '';
  return url;
}

interface Login {
  readonly authorization: string;
  /** What must not be shown, should the server answer with what it was sent. */
  readonly secrets: readonly string[];
}

/** A token wins over a user, and the Secret over the address. */
function loginOf({ credentials }: ProviderConfig, address: URL): Login | undefined {
  if (credentials === undefined) {
    return basic(decodeURIComponent(address.username), decodeURIComponent(address.password));
  }
  const { token, username, password } = credentials;
  if (token !== undefined && token !== '') {
    return { authorization: `Bearer ${token}`, secrets: [token] };
  }
  if (username === undefined) throw new Error('neither token nor username found');
  if (password === undefined) throw new Error('password not found');
  return basic(username, password);
}

function basic(username: string, password: string): Login | undefined {
  if (username === '' || password === '') return undefined;
  const encoded = Buffer.from(`${username}:${password}`).toString('base64');
  return { authorization: `Basic ${encoded}`, secrets: [encoded, password] };
}

function headersOf(
  { headers = {} }: ProviderConfig,
  login: Login | undefined,
): Readonly<Record<string, string | readonly string[]>> {
  if (login === undefined) return headers;
  const others = Object.entries(headers).filter(([name]) => !/^authorization$/i.test(name));
  return { ...Object.fromEntries(others), Authorization: login.authorization };
}

function excerpt(body: string, secrets: readonly string[]): string {
  const hidden = secrets.reduce((text, secret) => text.replaceAll(secret, '***'), body);
  return hidden.replaceAll(/\s+/g, ' ').trim().slice(0, maxShownCharacters);
}

function measurementIn(body: string, shown: string): Measurement {
  const samples = resultOf(body, shown).map(sampleOf);
  const value = samples.findLast((sample) => sample !== undefined);
  return value === undefined || !Number.isFinite(value)
    ? { kind: 'no-data' }
    : { kind: 'value', value };
}

interface Series {
  /** `[epoch seconds, number in words]`. */
  readonly value?: readonly unknown[];
  readonly values?: unknown;
}

function resultOf(body: string, shown: string): readonly Series[] {
  const { status, error, data } = parsed(body, shown);
  if (status === 'error') throw new Error(`query refused: ${String(error)}`);
  if (!Array.isArray(data?.result) || !data.result.every(isSeries)) {
    throw new Error(`the answer is no instant vector: ${shown}`);
  }
  return data.result;
}

function parsed(body: string, shown: string): Answer {
  try {
    const answer: unknown = JSON.parse(body);
    if (typeof answer === 'object' && answer !== null) return answer;
  } catch {
    // Told below, together with JSON that is no object.
  }
  throw new Error(`unreadable answer: ${shown === '' ? 'it is empty' : shown}`);
}

interface Answer {
  readonly status?: unknown;
  readonly error?: unknown;
  readonly data?: { readonly result?: unknown };
}

function isSeries(element: unknown): element is Series {
  return typeof element === 'object' && element !== null && !Array.isArray(element);
}

/** Native histograms come without a value: they count as nothing measured. */
function sampleOf({ value, values }: Series): number | undefined {
  if (values !== undefined) throw new Error('multiple values returned');
  const text = Array.isArray(value) ? (value[1] as unknown) : undefined;
  if (typeof text !== 'string') return undefined;
  if (/^[+-]?Inf$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  const number = /^nan$/i.test(text) ? NaN : Number(text);
  if (text.trim() === '' || (Number.isNaN(number) && !/^nan$/i.test(text))) {
    throw new Error(`${JSON.stringify(text)} is not a number`);
  }
  return number;
}
