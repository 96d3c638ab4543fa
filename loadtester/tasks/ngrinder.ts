import { setTimeout as sleep } from 'node:timers/promises';

import { messageOf } from '../../worker/log.js';
import { duration, requiredText, serverUrl, toggle, wholeNumber } from '../metadata.js';
import { BadRequest } from '../payload.js';
import { askJson } from '../rest.js';
import { canaryOf, type Outcome, type ReadTask } from './task.js';

/** Statuses of a test that will not change any more, besides FINISHED. */
const broken = ['STOP_BY_ERROR', 'CANCELED', 'UNKNOWN'];
const defaultPollMs = 1_000;
/** How long starting and stopping a test may take. */
const answerMs = 10_000;

interface Test {
  readonly server: URL;
  readonly clone: number;
  readonly authorization: string;
  readonly pollMs: number;
}

/**
 * `ngrinder`: runs a copy of a performance test that an nGrinder server has.
 * REST API: https://github.com/naver/ngrinder/wiki/REST-API-PerfTest
 */
export const readNgrinder: ReadTask = (order) => {
  const { metadata } = order;
  const server = serverUrl(metadata, 'server');
  const clone = wholeNumber(metadata, 'clone', { least: 0 });
  const username = requiredText(metadata, 'username');
  const encoded = requiredText(metadata, 'passwd');
  const password = decoded(encoded);
  const pollMs = duration(metadata, 'pollInterval', defaultPollMs);
  const credentials = Buffer.from(`${username}:${password}`).toString('base64');
  const authorization = `Basic ${credentials}`;
  return {
    mode: 'background',
    identity: JSON.stringify([canaryOf(order), 'ngrinder', clone]),
    label: 'ngrinder',
    returnOutput: false,
    logOutput: toggle(metadata, 'logCmdOutput'),
    secrets: [encoded, password, credentials],
    perform: (signal) => runTest({ server, clone, authorization, pollMs }, signal),
  };
};

/** Node ignores what is no base64; the server would answer that the password is wrong. */
function decoded(base64: string): string {
  if (/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(base64)) {
    return Buffer.from(base64, 'base64').toString();
  }
  throw new BadRequest('metadata.passwd: has to be base64');
}

async function runTest(test: Test, signal: AbortSignal): Promise<Outcome> {
  let id: number;
  try {
    id = await start(test);
  } catch (error) {
    return failed(messageOf(error));
  }
  for (;;) {
    await sleep(test.pollMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return stop(test, id);
    const status = await statusOf(test, id, signal);
    if (status === 'FINISHED') return { ok: true, output: `test ${id} finished` };
    if (status !== undefined && broken.includes(status)) return failed(`test ${id}: ${status}`);
  }
}

/** Is not given up at the time-out: a test whose id nobody learns cannot be stopped. */
async function start(test: Test): Promise<number> {
  const path = `perftest/api/${test.clone}/clone_and_start`;
  const { id, success } = await ask(test, 'POST', path, AbortSignal.timeout(answerMs));
  if (success === false) throw new Error(`nGrinder did not start a copy of test ${test.clone}`);
  if (typeof id === 'number') return id;
  throw new Error(`nGrinder did not say which test is the copy of ${test.clone}`);
}

/** Undefined when nobody answers, which may pass. */
async function statusOf(test: Test, id: number, signal: AbortSignal): Promise<string | undefined> {
  try {
    const answer = await ask(test, 'GET', `perftest/api/${id}/status`, signal);
    if (answer['success'] === false) return 'UNKNOWN';
    const { status } = answer as { status?: { status_id?: string }[] };
    return status?.[0]?.status_id;
  } catch {
    return undefined;
  }
}

async function stop(test: Test, id: number): Promise<Outcome> {
  try {
    await ask(test, 'PUT', `perftest/api/${id}?action=stop`, AbortSignal.timeout(answerMs));
    return failed(`test ${id} did not finish in time and was stopped`);
  } catch (error) {
    return failed(
      `test ${id} did not finish in time, nor could it be stopped: ${messageOf(error)}`,
    );
  }
}

function ask(
  { server, authorization }: Test,
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  return askJson({ method, url: new URL(path, server), headers: { authorization }, signal });
}

function failed(cause: string): Outcome {
  return { ok: false, output: '', cause };
}
