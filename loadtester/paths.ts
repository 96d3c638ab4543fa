import type { Registry } from 'prom-client';

import { messageOf } from '../worker/log.js';
import { keyOf, type Gates, type Switch } from './gates/gates.js';
import { parsePayload, type Payload } from './payload.js';
import type { Runner } from './runner.js';
import type { Answer, Handler, Paths } from './server.js';
import { readerOf, typeOf } from './tasks/index.js';
import { canaryOf, type Order, type Outcome, type Surroundings, type Task } from './tasks/task.js';

export interface PathsOptions {
  readonly gates: Gates;
  readonly runner: Runner;
  readonly registry: Registry;
  readonly around: Surroundings;
  /** Whether canaries of a namespace are served. */
  readonly serves: (namespace: string) => boolean;
}

const ok: Answer = { status: 200, text: 'OK' };
const approved: Answer = { status: 200, text: 'Approved' };
const forbidden: Answer = { status: 403, text: 'Forbidden' };
const accepted: Answer = { status: 202 };

/** Flagger's paths, with its answers: https://docs.flagger.app/usage/webhooks */
export function pathsOf({ gates, runner, registry, around, serves }: PathsOptions): Paths {
  const withOrder =
    (answer: (order: Order) => Promise<Answer> | Answer): Handler =>
    async ({ body, key }) => {
      const payload: Payload = parsePayload(await body());
      return serves(payload.namespace) ? answer({ ...payload, key }) : forbidden;
    };

  const switchPaths = (what: Switch): Readonly<Record<string, Handler>> => ({
    [`/${what}/check`]: withOrder((order) =>
      orUnreachable(async () => ((await gates.isOpen(keyOf(what, order))) ? approved : forbidden)),
    ),
    [`/${what}/open`]: withOrder((order) =>
      orUnreachable(async () => {
        await gates.open(keyOf(what, order));
        return accepted;
      }),
    ),
    [`/${what}/close`]: withOrder((order) =>
      orUnreachable(async () => {
        await gates.close(keyOf(what, order));
        return accepted;
      }),
    ),
  });

  async function runTask(order: Order): Promise<Answer> {
    const { metadata } = order;
    if (Object.keys(metadata).length === 0) {
      return { status: 400, text: 'metadata not found in payload' };
    }
    const type = typeOf(metadata);
    const task = readerOf(type)(order, around);
    const work = { type, canary: canaryOf(order), task };
    if (task.mode !== 'background') return answerOf(task, await runner.run(work));
    runner.start(work);
    return accepted;
  }

  return {
    paths: {
      '/healthz': () => Promise.resolve(ok),
      '/metrics': async () => ({
        status: 200,
        text: await registry.metrics(),
        contentType: registry.contentType,
      }),
      '/gate/approve': () => Promise.resolve(ok),
      '/gate/halt': () => Promise.resolve(forbidden),
      ...switchPaths('gate'),
      ...switchPaths('rollback'),
    },
    rest: withOrder(runTask),
  };
}

/** Whoever asks may ask again: the API server comes back. */
async function orUnreachable(act: () => Promise<Answer>): Promise<Answer> {
  try {
    return await act();
  } catch (error) {
    return { status: 503, text: `the gates are out of reach: ${messageOf(error)}` };
  }
}

function answerOf({ label, returnOutput }: Task, outcome: Outcome): Answer {
  const { output, told } = outcome;
  const after = told === undefined ? {} : { told };
  if (outcome.ok) return { status: 200, text: returnOutput ? output : '', ...after };
  const text = `command ${label} failed: ${output}: ${outcome.cause}`;
  return { status: 500, text, ...after };
}
