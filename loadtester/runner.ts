import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Logger } from '@temporalio/common';

import { messageOf } from '../worker/log.js';
import { within } from './limits.js';
import { masked } from './secrets.js';
import type { Outcome, Task, TaskType } from './tasks/task.js';
import type { Telemetry } from './telemetry.js';

/** A task, and what it is told apart by in logs and metrics. */
export interface Work {
  readonly type: TaskType;
  readonly canary: string;
  readonly task: Task;
}

/** Runs tasks. Nothing that a caller has sent is logged, except names and types. */
export interface Runner {
  /** Runs a task in the background, unless its twin does already. */
  start(work: Work): void;
  /** The outcome of a task, or of its twin that runs already if the task can be joined. */
  run(work: Work): Promise<Outcome>;
  /** Ends what runs, with its processes. */
  stop(): Promise<void>;
}

export interface RunnerOptions {
  readonly telemetry: Telemetry;
  readonly log: Logger;
  /** The limit for every task. */
  readonly timeoutMs: number;
}

/** How long a twin is kept off at least: commands that are over at once come in storms too. */
const leastMs = 100;

/** A runner of this process. */
export function createRunner({ telemetry, log, timeoutMs }: RunnerOptions): Runner {
  const running = new Map<string, Promise<Outcome>>();
  const all = new Set<Promise<Outcome>>();
  const stopping = new AbortController();

  async function perform({ type, canary, task }: Work): Promise<Outcome> {
    const fields = { type, canary, task: hashOf(task.identity) };
    const limitMs = Math.min(task.timeoutMs ?? timeoutMs, timeoutMs);
    const begun = performance.now();
    telemetry.started(type);
    log.info('task started', fields);
    const outcome = await within(limitMs, stopping.signal, task.perform)
      .catch((error: unknown) => ({ ok: false, output: '', cause: messageOf(error) }) as const)
      .then((one) => withoutSecrets(one, task.secrets));
    const seconds = (performance.now() - begun) / 1_000;
    telemetry.ended(type, outcome.ok, seconds);
    const said = { ...fields, seconds, ...(task.logOutput ? { output: outcome.output } : {}) };
    if (outcome.ok) log.info('task done', said);
    else log.warn('task failed', { ...said, cause: outcome.cause });
    return outcome;
  }

  function begin(work: Work): Promise<Outcome> {
    const outcome = perform(work);
    all.add(outcome);
    void outcome.finally(() => all.delete(outcome));
    return outcome;
  }

  /** The run of this identity under way, or a new one. */
  function joined(work: Work): Promise<Outcome> {
    const { type, canary, task } = work;
    const twin = running.get(task.identity);
    if (twin !== undefined) {
      telemetry.twin(type);
      log.debug('its twin runs already', { type, canary, task: hashOf(task.identity) });
      return twin;
    }
    const outcome = begin(work);
    running.set(task.identity, outcome);
    const kept = task.mode === 'background' ? sleep(leastMs, undefined, { ref: false }) : undefined;
    void Promise.all([outcome, kept]).finally(() => running.delete(task.identity));
    return outcome;
  }

  return {
    start: (work) => void joined(work),
    run: (work) => (work.task.mode === 'blocking' ? begin(work) : joined(work)),
    async stop() {
      stopping.abort(new Error('the load tester is stopping'));
      await Promise.all(all);
    },
  };
}

/** Names a task in logs without saying what it is. */
function hashOf(identity: string): string {
  return createHash('sha256').update(identity).digest('hex').slice(0, 8);
}

function withoutSecrets(outcome: Outcome, secrets: readonly string[]): Outcome {
  const output = masked(outcome.output, secrets);
  if (outcome.ok) return { ...outcome, output };
  return { ...outcome, output, cause: masked(outcome.cause, secrets) };
}
