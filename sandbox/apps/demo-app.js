/**
 * The demo application: answers every request with its version, and misbehaves as its environment says:
 * ERROR_RATE (0..1 of requests get a 500, evenly spread), DELAY_MS (added to each), START_DELAY_MS (before it listens), NEVER_READY and CRASH.
 * BUCKETS are the bounds of its histogram in seconds, separated by commas.
 */
import { createServer } from 'node:http';
import { hostname } from 'node:os';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

import { Histogram, register } from 'prom-client';

import { flagFromEnv, numberFromEnv } from './settings.js';

const version = process.env.VERSION || 'unknown';
const pod = hostname();
const port = numberFromEnv('PORT', 8080);
const errorRate = numberFromEnv('ERROR_RATE', 0);
const delayMs = numberFromEnv('DELAY_MS', 0);
const neverReady = flagFromEnv('NEVER_READY');

/** Proxies learn of a terminating pod within this time; until then it serves as before. */
const drainMs = numberFromEnv('DRAIN_MS', 2500);
/** A proxy that sends for longer is still served, but not past this time: the pod's grace period ends at 10 s. */
const longestDrainMs = Math.max(drainMs, 8000);
/** No request for this long means that no proxy sends here any more. */
const quietMs = 500;

const duration = new Histogram({
  name: 'http_request_duration_seconds',
  help: 'Time to answer a request of the application, without probes and scrapes.',
  labelNames: ['method', 'path', 'status'],
  ...(process.env.BUCKETS && { buckets: process.env.BUCKETS.split(',').map(Number) }),
});

let draining = false;
let lastRequestAt = 0;
let served = 0;

if (flagFromEnv('CRASH')) {
  console.error(`version ${version} crashes at start, as CRASH says`);
  process.exit(1);
}
await sleep(numberFromEnv('START_DELAY_MS', 0));

const server = createServer((request, response) => {
  if (draining) response.setHeader('connection', 'close');
  switch (request.url) {
    case '/healthz':
      return reply(response, 200, { status: 'ok' });
    case '/readyz':
      return neverReady
        ? reply(response, 503, { status: 'never ready' })
        : reply(response, 200, { status: 'ready' });
    case '/metrics':
      return replyMetrics(response);
    default:
      return serve(request, response);
  }
});
// A server that closes idle connections can cut a request its proxy is just sending: the proxy closes them, not we.
server.keepAliveTimeout = 0;
server.listen(port, () => console.log(`version ${version} listens on :${server.address().port}`));

process.once('SIGTERM', drainAndExit);
process.once('SIGINT', () => process.exit(0));

async function serve(request, response) {
  lastRequestAt = Date.now();
  const endTimer = duration.startTimer({ method: request.method });
  if (delayMs > 0) await sleep(delayMs);
  const status = isError((served += 1)) ? 500 : 200;
  response.setHeader('x-version', version);
  reply(response, status, { version, pod });
  // Only one path is told apart, so that callers cannot grow the number of series.
  endTimer({ path: request.url === '/' ? '/' : 'other', status });
}

/** Whether the n-th answer is an error: not by chance, so that any few answers in a row have the rate. */
function isError(n) {
  return Math.floor(n * errorRate) > Math.floor((n - 1) * errorRate);
}

function reply(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function replyMetrics(response) {
  response.writeHead(200, { 'content-type': register.contentType });
  response.end(await register.metrics());
}

/** Serves on until proxies have turned away, asks them not to reuse connections, finishes what is in flight, then ends. */
async function drainAndExit() {
  draining = true;
  const startedAt = Date.now();
  await sleep(drainMs);
  while (Date.now() - lastRequestAt < quietMs && Date.now() - startedAt < longestDrainMs) {
    await sleep(50);
  }
  server.close(() => process.exit(0));
  server.closeIdleConnections();
}
