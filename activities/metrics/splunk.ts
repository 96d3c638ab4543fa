import { on, once } from 'node:events';
import { WebSocket } from 'ws';

import type { Measurement } from '../../domain/threshold.js';
import { QueryRefused } from './answers.js';
import { accessTo, connect, endpoint, type Access } from './back-end.js';
import { askInTime } from './deadline.js';
import type { MetricProvider, ProviderConfig } from './provider.js';
import { credential } from './secrets.js';
import { measurementOf, messageIn, type Point } from './splunk-messages.js';
import { windowOf } from './window.js';

const timeoutMs = 15_000;

/** No message of an answer that is one number is longer. */
const maxPayload = 10 * 1024 * 1024;

/**
 * Splunk Observability. The query is a SignalFlow program, run over the last ten intervals; the
 * last point of its one series counts.
 * API: https://dev.splunk.com/observability/docs/signalflow/messages
 */
export function splunk(config: ProviderConfig): MetricProvider {
  const token = credential(config, 'sf_token_key');
  const { api, stream } = splunkAddresses(config.address ?? '');
  const example = 'https://api.us1.signalfx.com';
  const ask = connect(
    { ...config, address: api },
    { example, timeoutMs, login: { 'X-SF-Token': token }, secrets: [token] },
  );
  const access = accessTo({ ...config, address: stream }, { example, timeoutMs, secrets: [token] });

  return {
    query: (program, signal) => run(access, { token, program, config }, signal),
    ping(signal) {
      const params = new URLSearchParams({ limit: '1' });
      return ask({ path: 'v2/metric', params, read: () => undefined, signal });
    },
  };
}

/** The API and the stream are two hosts that differ in their first label; either may be given. */
export function splunkAddresses(address: string): { api: string; stream: string } {
  const http = address.replace(/^ws(?=s?:)/, 'http');
  return {
    api: http.replace(/^(https?:\/\/)stream\./, '$1api.'),
    stream: http.replace(/^(https?:\/\/)api\./, '$1stream.'),
  };
}

interface Job {
  readonly token: string;
  readonly program: string;
  readonly config: ProviderConfig;
}

async function run(access: Access, job: Job, signal?: AbortSignal): Promise<Measurement> {
  const { headers, insecureSkipVerify, hide, timeoutMs } = access;
  const url = endpoint(access.base, 'v2/signalflow/connect');
  const what = `${url.origin}${url.pathname}`;
  return askInTime({ what, timeoutMs, hide, signal }, async (over) => {
    const socket = new WebSocket(url.href.replace(/^http/, 'ws'), {
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, String(value)]),
      ),
      rejectUnauthorized: !insecureSkipVerify,
      maxPayload,
    });
    // Ending a connection that is not open yet is an error to whoever still listens.
    socket.on('error', () => undefined);
    try {
      return measurementOf(await pointsOf(socket, job, over));
    } finally {
      socket.terminate();
    }
  });
}

async function pointsOf(
  socket: WebSocket,
  { token, program, config }: Job,
  signal: AbortSignal,
): Promise<readonly Point[]> {
  const messages = on(socket, 'message', { signal, close: ['close'] });
  let farewell = '';
  socket.once('close', (code, reason) => {
    farewell = `${String(code)} ${reason.toString()}`.trim();
  });
  await once(socket, 'open', { signal });
  socket.send(JSON.stringify({ type: 'authenticate', token }));
  const points: Point[] = [];
  for await (const [frame, isBinary] of messages as AsyncIterable<[Buffer, boolean]>) {
    const message = messageIn(frame, isBinary);
    if (message.kind === 'authenticated') socket.send(JSON.stringify(jobOf(program, config)));
    if (message.kind === 'data') points.push(...message.points);
    if (message.kind === 'failed') throw new QueryRefused(message.reason);
    if (message.kind === 'end') return points;
  }
  throw new Error(`the connection was closed early (${farewell})`);
}

/** A computation over what is there already, as fast as it goes. */
function jobOf(program: string, config: ProviderConfig): object {
  const { from: start, to: stop } = windowOf(config);
  const settings = { resolution: 0, maxDelay: 0, immediate: true, timezone: '' };
  return { type: 'execute', channel: 'ch-1', program, start, stop, ...settings };
}
