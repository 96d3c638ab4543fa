/**
 * The load generator: sends requests at a bounded rate (TARGET_URL, HOST_HEADER, RATE in requests/s, CONCURRENCY, TIMEOUT_MS) and
 * tells how they went.
 *
 *   GET  /stats?since=MS&until=MS  counts of the whole seconds in the window (Unix ms); without parameters since the start
 *   GET  /config                   what is sent: { url, host, rate, keepAlive }
 *   POST /config                   changes any of these
 *   GET  /metrics, /healthz
 */
import { createServer } from 'node:http';
import process from 'node:process';
import { json } from 'node:stream/consumers';

import { Counter, register } from 'prom-client';

import { numberFromEnv } from './settings.js';
import { TrafficCounts } from './traffic-counts.js';
import { TrafficSource } from './traffic-source.js';

class BadRequest extends Error {}

const port = numberFromEnv('PORT', 8080);
const counts = new TrafficCounts();
let loggedAt = 0;
const answers = new Counter({
  name: 'load_answers_total',
  help: 'Answers received, by version and HTTP status.',
  labelNames: ['version', 'status'],
});
const failures = new Counter({
  name: 'load_failures_total',
  help: 'Requests without an answer, by reason (connection or timeout).',
  labelNames: ['reason'],
});

const source = new TrafficSource({
  target: checked({
    url: process.env.TARGET_URL || 'http://localhost/',
    host: process.env.HOST_HEADER ?? '',
    rate: numberFromEnv('RATE', 0),
    keepAlive: true,
  }),
  concurrency: numberFromEnv('CONCURRENCY', 64),
  timeoutMs: numberFromEnv('TIMEOUT_MS', 5000),
  events: {
    onAnswer({ version, status }) {
      counts.recordAnswer({ version, status }, Date.now());
      answers.inc({ version, status });
    },
    onFailure(reason, error) {
      counts.recordFailure(reason, Date.now());
      failures.inc({ reason });
      logAtMostOncePerSecond(`${reason}: ${error.message}`);
    },
  },
});

const routes = {
  'GET /healthz': () => ({ status: 'ok' }),
  'GET /config': () => source.target,
  'POST /config': async (request) => {
    const changes = await json(request).catch(() => refuse('the body is not JSON'));
    source.retarget(checked({ ...source.target, ...changes }));
    return source.target;
  },
  'GET /stats': (_request, { searchParams }) => {
    if (!searchParams.has('since') && !searchParams.has('until')) return counts.total();
    const since = milliseconds(searchParams, 'since', 0);
    return counts.between(since, milliseconds(searchParams, 'until', Infinity));
  },
};

const server = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://localhost');
  if (url.pathname === '/metrics') {
    response.writeHead(200, { 'content-type': register.contentType });
    return response.end(await register.metrics());
  }
  const route = routes[`${request.method} ${url.pathname}`];
  if (!route) return reply(response, 404, { error: `no such page: ${url.pathname}` });
  try {
    return reply(response, 200, await route(request, url));
  } catch (error) {
    return reply(response, error instanceof BadRequest ? 400 : 500, { error: error.message });
  }
});
server.listen(port, () => console.log(`load generator listens on :${server.address().port}`));

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    source.stop();
    process.exit(0);
  });
}

function logAtMostOncePerSecond(line) {
  if (Date.now() - loggedAt < 1000) return;
  loggedAt = Date.now();
  console.error(`${new Date().toISOString()} ${line}`);
}

function refuse(message) {
  throw new BadRequest(message);
}

function checked({ url, host, rate, keepAlive, ...unknown }) {
  const names = Object.keys(unknown);
  if (names.length > 0)
    refuse(`unknown settings: ${names.join(', ')}; known are url, host, rate and keepAlive`);
  if (!URL.canParse(url) || new URL(url).protocol !== 'http:')
    refuse(`url must be http://…, got ${url}`);
  if (typeof host !== 'string') refuse(`host must be a string, got ${JSON.stringify(host)}`);
  if (!(typeof rate === 'number' && rate >= 0)) {
    refuse(`rate must be a number of at least 0, got ${JSON.stringify(rate)}`);
  }
  if (typeof keepAlive !== 'boolean') {
    refuse(`keepAlive must be true or false, got ${JSON.stringify(keepAlive)}`);
  }
  return { url, host, rate, keepAlive };
}

function milliseconds(searchParams, name, fallback) {
  const text = searchParams.get(name);
  if (text === null) return fallback;
  const value = Number(text);
  return Number.isFinite(value) ? value : refuse(`${name} must be Unix milliseconds, got ${text}`);
}

function reply(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
