import { access, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { messageOf } from '../../worker/log.js';
import { within } from '../limits.js';
import { group, requiredText, serverUrl, toggle, wholeNumber } from '../metadata.js';
import { BadRequest, type Metadata } from '../payload.js';
import { askJson } from '../rest.js';
import { masked } from '../secrets.js';
import { canaryOf, type Order, type Outcome, type ReadTask } from './task.js';

interface Process {
  readonly server: URL;
  readonly apiKeyPath: string;
  /** In the order they are sent. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly pollMs: number;
  /** For all of it. */
  readonly limitMs: number;
}

/** Statuses of a process that will not change any more, besides FINISHED. */
const broken = ['FAILED', 'CANCELLED', 'TIMED_OUT'];

/**
 * `concord`: starts a process on a Concord server and waits for its end.
 * REST API: https://concord.walmartlabs.com/docs/api/process.html
 *
 * Metadata that is not understood is a failure of the task, as in Flagger, not a bad request.
 */
export const readConcord: ReadTask = (order, { timeoutMs }) => ({
  mode: 'blocking',
  identity: JSON.stringify([canaryOf(order), 'concord']),
  label: 'concord',
  returnOutput: toggle(order.metadata, 'returnCmdOutput'),
  logOutput: toggle(order.metadata, 'logCmdOutput'),
  secrets: group(order.metadata, 'arguments.').map(([, value]) => value),
  perform: (signal) => perform(order, timeoutMs, signal),
});

async function perform({ metadata }: Order, limit: number, signal: AbortSignal): Promise<Outcome> {
  let process: Process;
  let key: string;
  try {
    process = await readProcess(metadata, limit);
    key = (await readFile(process.apiKeyPath, 'utf8')).trim();
  } catch (error) {
    return failed(error instanceof BadRequest ? error.message : keyUnreadable);
  }
  return within(process.limitMs, signal, async (ending) => {
    try {
      return await runProcess(process, key, ending);
    } catch (error) {
      return failed(masked(ending.aborted ? 'it did not finish in time' : messageOf(error), [key]));
    }
  });
}

const keyUnreadable = 'metadata.apiKeyPath: has to be a file with the key that can be read';

/** In the order Flagger looks at them, so that the same mistake is told first. */
async function readProcess(metadata: Metadata, limit: number): Promise<Process> {
  const server = serverUrl(metadata, 'server');
  const fields: [string, string][] = [
    ['org', requiredText(metadata, 'org')],
    ['project', requiredText(metadata, 'project')],
    ['repo', requiredText(metadata, 'repo')],
    ['entryPoint', requiredText(metadata, 'entrypoint')],
  ];
  const apiKeyPath = requiredText(metadata, 'apiKeyPath');
  await access(apiKeyPath).catch(() => {
    throw new BadRequest(keyUnreadable);
  });
  fields.push(['arguments.endpoint', requiredText(metadata, 'endpoint')]);
  const pollMs = wholeNumber(metadata, 'pollInterval', { least: 1, preset: 5 }) * 1_000;
  const preset = Math.ceil(limit / 1_000);
  const limitMs = wholeNumber(metadata, 'pollTimeout', { least: 1, preset }) * 1_000;
  for (const [name, value] of group(metadata, 'arguments.')) {
    if (name === 'endpoint') {
      throw new BadRequest('metadata.arguments.endpoint: use metadata.endpoint instead');
    }
    fields.push([`arguments.${name}`, value]);
  }
  return { server, apiKeyPath, fields, pollMs, limitMs: Math.min(limitMs, limit) };
}

async function runProcess(
  { server, fields, pollMs }: Process,
  authorization: string,
  signal: AbortSignal,
): Promise<Outcome> {
  const body = new FormData();
  for (const [name, value] of fields) body.append(name, value);
  const headers = { authorization };
  const url = new URL('/api/v1/process', server);
  const { instanceId } = await askJson({ method: 'POST', url, headers, body, signal });
  if (typeof instanceId !== 'string')
    throw new Error('Concord did not say which process it started');
  const own = new URL(`/api/v1/process/${encodeURIComponent(instanceId)}`, server);
  for (;;) {
    const { status } = await askJson({ method: 'GET', url: own, headers, signal });
    if (status === 'FINISHED') return { ok: true, output: `process ${instanceId} finished` };
    if (broken.includes(String(status))) return failed(`process ${instanceId}: ${String(status)}`);
    await sleep(pollMs, undefined, { signal });
  }
}

function failed(cause: string): Outcome {
  return { ok: false, output: '', cause };
}
