import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { KubeError } from '../../activities/kube.js';
import { formatDuration } from '../../domain/duration.js';
import type { Container, KubeObject } from '../../domain/objects.js';
import { messageOf } from '../../worker/log.js';
import type { Cluster, NamespacedName } from '../cluster.js';
import { duration, environment, filledText, optionalText, toggle } from '../metadata.js';
import { BadRequest } from '../payload.js';
import { jobFrom, templateKinds, templateOf, type Job, type TemplateRef } from './job-template.js';
import { canaryOf, identityOf, type Outcome, type ReadTask } from './task.js';

const pollMs = 500;
const defaultKey = 'job.yaml';
/** Lines of each container; also what is shown must fit into an event at the end. */
const tailLines = 1_000;

interface Pod extends KubeObject {
  readonly spec: { readonly containers: readonly Container[] };
}

/** A Job to be run, wherever its template is. */
interface Run {
  readonly cluster: Cluster;
  readonly template: TemplateRef;
  readonly job: NamespacedName;
  readonly canary: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/**
 * `job`: runs a Kubernetes Job in the canary's namespace and waits for it; the output is the log of
 * its containers. The template is `job/NAME`, `cronjob/NAME` or `configmap/NAME` (there, `key`).
 *
 * The Job's name comes from the call, so that another attempt at it, by another replica or after a
 * restart, finds the Job and waits for the same one. It is deleted when somebody was told its
 * outcome or when its time is over; what nobody waits for any more, the cluster ends and deletes.
 */
export const readJob: ReadTask = (order, around) => {
  const { metadata, namespace } = order;
  const template = readTemplate(
    filledText(metadata, 'template'),
    optionalText(metadata, 'key') ?? defaultKey,
  );
  const env = environment(metadata);
  const timeoutMs = Math.min(duration(metadata, 'timeout', around.timeoutMs), around.timeoutMs);
  const identity = identityOf(order, 'job');
  const job = { namespace, name: nameOf(template.name, identity) };
  return {
    mode: 'joined',
    identity,
    label: `job ${job.name}.${namespace}`,
    returnOutput: toggle(metadata, 'returnCmdOutput'),
    logOutput: toggle(metadata, 'logCmdOutput'),
    secrets: Object.values(env),
    timeoutMs,
    async perform(signal) {
      try {
        const canary = canaryOf(order);
        return await run(
          { cluster: around.cluster(), template, job, canary, env, timeoutMs },
          signal,
        );
      } catch (error) {
        return { ok: false, output: '', cause: messageOf(error) };
      }
    },
  };
};

function readTemplate(text: string, key: string): TemplateRef {
  const [, kind = '', name = ''] = /^([a-z]+)\/([a-z0-9][-a-z0-9.]*)$/.exec(text) ?? [];
  const known = templateKinds.find((one) => one === kind);
  if (known !== undefined) return { kind: known, name, key };
  const allowed = templateKinds.map((one) => `${one}/NAME`).join(', ');
  throw new BadRequest(`metadata.template: has to be one of ${allowed}`);
}

/** Names of Jobs become labels of their pods, which may have 63 characters. */
function nameOf(template: string, identity: string): string {
  const hash = createHash('sha256').update(identity).digest('hex').slice(0, 10);
  return `${template.slice(0, 52).replace(/[-.]+$/, '')}-${hash}`;
}

async function run(how: Run, signal: AbortSignal): Promise<Outcome> {
  const { cluster, job, timeoutMs } = how;
  await begin(how, signal);
  const ended = await untilEnded(how, signal);
  const output = await logsOf(cluster, job);
  if (ended !== undefined) {
    const { failed, reason } = ended;
    const told = (): Promise<void> => cluster.removeJob(job);
    return failed ? { ok: false, output, cause: reason, told } : { ok: true, output, told };
  }
  if (!isTimeout(signal)) return { ok: false, output, cause: 'the load tester is stopping' };
  await cluster.removeJob(job);
  return { ok: false, output, cause: `not finished within ${formatDuration(timeoutMs)}` };
}

/** Makes the Job, unless an earlier attempt has. */
async function begin(how: Run, signal: AbortSignal): Promise<void> {
  const { cluster, template, job } = how;
  const spec = await templateOf(cluster, template, job.namespace);
  for (;;) {
    try {
      await cluster.kube.create(jobFrom(spec, how));
      return;
    } catch (error) {
      if (!(error instanceof KubeError && error.reason === 'AlreadyExists')) throw error;
      const found = await find(how, signal);
      if (found !== undefined && found.metadata.deletionTimestamp === undefined) return;
      await sleep(pollMs, undefined, { signal });
    }
  }
}

/** How the Job ended; undefined when it has not before `signal`. */
async function untilEnded(
  how: Run,
  signal: AbortSignal,
): Promise<{ readonly failed: boolean; readonly reason: string } | undefined> {
  while (!signal.aborted) {
    const found = await find(how, signal).catch(unlessLasting);
    if (found === undefined) throw new Error('it was deleted before it ended');
    if (found !== 'unknown') {
      const end = found.status?.conditions?.find(
        ({ type, status }) => status === 'True' && (type === 'Complete' || type === 'Failed'),
      );
      if (end !== undefined) {
        const { type, reason, message } = end;
        const said = [reason, message].filter((part) => part !== undefined && part !== '');
        return { failed: type === 'Failed', reason: said.join(': ') };
      }
    }
    await sleep(pollMs, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

/** An API server that is away comes back; the Job goes on meanwhile. */
function unlessLasting(error: unknown): 'unknown' {
  if (error instanceof KubeError && error.status < 500 && error.status !== 429) throw error;
  return 'unknown';
}

function find({ cluster, job }: Run, signal: AbortSignal): Promise<Job | undefined> {
  return cluster.kube.find<Job>({ apiVersion: 'batch/v1', kind: 'Job', ...job }, signal);
}

/** What the containers of all its pods have written; that there is none must not hide the outcome. */
async function logsOf(cluster: Cluster, { namespace, name }: NamespacedName): Promise<string> {
  const labelSelector = `job-name=${name}`;
  try {
    const pods = await cluster.kube.list<Pod>({
      ...{ apiVersion: 'v1', kind: 'Pod', namespace, labelSelector },
    });
    const logs: string[] = [];
    for (const { metadata, spec } of pods) {
      for (const { name: container } of spec.containers) {
        const from = { namespace, name: metadata.name, container };
        logs.push(await cluster.logOf(from, tailLines).catch(() => ''));
      }
    }
    return logs.join('');
  } catch (error) {
    return `no logs: ${messageOf(error)}`;
  }
}

function isTimeout(signal: AbortSignal): boolean {
  return (signal.reason as Error | undefined)?.name === 'TimeoutError';
}
