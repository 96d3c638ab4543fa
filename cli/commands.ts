import type { CanaryName, Ending, Run, Sluice, WaitOptions } from '../api/client.js';
import { SluiceError } from '../api/sluice-error.js';
import type { OrderName } from '../domain/steering.js';
import { exitCodeOf, exitCodes } from './exit-codes.js';
import type { Output } from './output.js';
import { nameOf } from './arguments.js';
import { endingShape, historyShape, runShape, statusShape, type AcceptedShape } from './shapes.js';
import { releasesText, endingText, historyText, planText, statusText, whyText } from './text.js';

/** What a command works with. */
export interface Desk {
  readonly sluice: Sluice;
  readonly output: Output;
  readonly actor: string;
}

/** The flags of `release`. */
export interface ReleaseFlags {
  readonly image: Readonly<Record<string, string>>;
  readonly reason?: string;
  readonly requestId?: string;
  readonly wait?: true;
  readonly timeout?: number;
}

/** The flags of orders. */
export interface OrderFlags {
  readonly reason?: string;
  readonly revision?: string;
  readonly requestId?: string;
  /** Of a decision on a gate. */
  readonly gate?: string;
}

/** The flags of `list`. */
export interface ListFlags {
  readonly namespace?: string;
  readonly all?: true;
}

/** Releases images. Like every command here it prints its answer and returns the exit code. */
export async function release(
  desk: Desk,
  canary: CanaryName,
  { image, reason, requestId, wait: isAwaited, timeout }: ReleaseFlags,
): Promise<number> {
  const { sluice, output, actor } = desk;
  const request = { actor, images: image, ...(reason === undefined ? {} : { reason }) };
  const accepted = await sluice.release(canary, request, sendOptions(requestId));
  const { revision, runId, message } = accepted;
  const text = `release of ${nameOf(canary)} accepted: ${message}`;
  if (isAwaited !== true) {
    output.answer(text, acceptedShape(desk, canary, 'release', accepted));
    return exitCodes.ok;
  }
  output.remark(text);
  return tellEnd(desk, canary, await waitFor(desk, canary, { revision, runId }, timeout));
}

/** Waits for the end of a release; its outcome is the exit code. */
export async function wait(
  desk: Desk,
  canary: CanaryName,
  { revision, timeout }: { readonly revision?: string; readonly timeout?: number },
): Promise<number> {
  const bound = revision === undefined ? {} : { revision };
  return tellEnd(desk, canary, await waitFor(desk, canary, bound, timeout));
}

/** Gives an order to the running release. */
export async function order(
  desk: Desk,
  canary: CanaryName,
  name: OrderName,
  { reason, revision, requestId, gate }: OrderFlags,
): Promise<number> {
  const { sluice, output, actor } = desk;
  const accepted = await sluice.order(
    canary,
    name,
    {
      actor,
      ...(reason === undefined ? {} : { reason }),
      ...(revision === undefined ? {} : { revision }),
      ...(gate === undefined ? {} : { gate }),
    },
    sendOptions(requestId),
  );
  const text = `${nameOf(canary)} revision ${accepted.revision}: ${accepted.message}`;
  output.answer(text, acceptedShape(desk, canary, name, accepted));
  return exitCodes.ok;
}

/** Prints where the newest release stands. */
export async function status({ sluice, output }: Desk, canary: CanaryName): Promise<number> {
  const known = await sluice.why(canary);
  output.answer(statusText(known, Date.now()), statusShape(known));
  return exitCodes.ok;
}

/** Prints what the release waits for and what fails. */
export async function why({ sluice, output }: Desk, canary: CanaryName): Promise<number> {
  const known = await sluice.why(canary);
  output.answer(whyText(known, Date.now()), statusShape(known));
  return exitCodes.ok;
}

/** Prints the steps of the release. */
export async function plan({ sluice, output }: Desk, canary: CanaryName): Promise<number> {
  const steps = await sluice.plan(canary);
  output.answer(planText(steps), { canary: nameOf(canary), steps });
  return exitCodes.ok;
}

/** Prints the newest run of each canary, or all runs; those that are open come first. */
export async function list(
  { sluice, output }: Desk,
  { namespace, all }: ListFlags,
): Promise<number> {
  const runs = await sluice.runs(namespace === undefined ? {} : { namespace });
  const chosen = all === true ? runs : newestPerCanary(runs);
  const releases = [
    ...chosen.filter(({ running }) => running),
    ...chosen.filter(({ running }) => !running),
  ].map((run) => runShape(run, Date.now()));
  const text = releases.length === 0 ? 'nothing was released yet' : releasesText(releases);
  output.answer(text, { releases });
  return exitCodes.ok;
}

/** Prints the runs of a canary and how they ended. */
export async function history(
  { sluice, output }: Desk,
  canary: CanaryName,
  { limit }: { readonly limit: number },
): Promise<number> {
  const listed = await sluice.runs({ ...canary, limit });
  if (listed.length === 0) {
    throw new SluiceError('not-found', `no release of ${nameOf(canary)} is known`);
  }
  const delivered = await sluice.deliveries(canary);
  const runs = await Promise.all(
    listed.map(async (run) => {
      const ending = run.running ? undefined : await sluice.ending(canary, run.runId);
      return historyShape(runShape(run, Date.now(), ending), delivered);
    }),
  );
  output.answer(historyText(runs), { canary: nameOf(canary), runs });
  return exitCodes.ok;
}

/**
 * The newest run of each canary, or rather the newest that was more than a look.
 *
 * @param runs newest first
 */
function newestPerCanary(runs: readonly Run[]): Run[] {
  const newest = new Map<string, Run>();
  for (const run of runs) {
    const name = nameOf(run.canary);
    const found = newest.get(name);
    if (found === undefined || (found.outcome === 'unchanged' && run.outcome !== 'unchanged')) {
      newest.set(name, run);
    }
  }
  return [...newest.values()];
}

async function waitFor(
  { sluice, output }: Desk,
  canary: CanaryName,
  bound: WaitOptions,
  timeoutMs: number | undefined,
): Promise<Ending> {
  output.remark(`waiting for ${bound.revision ?? 'the release'} of ${nameOf(canary)} to end`);
  try {
    return await sluice.wait(canary, timeoutMs === undefined ? bound : { ...bound, timeoutMs });
  } catch (error) {
    if (!(error instanceof SluiceError) || error.kind !== 'timed-out') throw error;
    throw new SluiceError('timed-out', `${error.message}${await reasonToWait(sluice, canary)}`);
  }
}

/** What a release that took too long waits for, if that can be found out. */
async function reasonToWait(sluice: Sluice, canary: CanaryName): Promise<string> {
  try {
    const { why: reason, troubles } = await sluice.why(canary);
    if (troubles.some(({ kind }) => kind === 'no-worker')) return '; no worker answers';
    return reason === undefined ? '' : `; it waits for ${reason.waitingFor}`;
  } catch {
    return '';
  }
}

function tellEnd({ output }: Desk, canary: CanaryName, ending: Ending): number {
  output.answer(`${nameOf(canary)}: ${endingText(ending)}`, endingShape(canary, ending));
  return exitCodeOf(ending.outcome);
}

function acceptedShape(
  { actor }: Desk,
  canary: CanaryName,
  request: string,
  { revision, message, runId }: Pick<AcceptedShape, 'revision' | 'message' | 'runId'>,
): AcceptedShape {
  return { canary: nameOf(canary), request, actor, revision, message, runId };
}

function sendOptions(requestId: string | undefined): { readonly requestId?: string } {
  return requestId === undefined ? {} : { requestId };
}
