import { Context } from '@temporalio/activity';
import { setTimeout as sleep } from 'node:timers/promises';

import type { HookType } from '../domain/canary.js';
import { hooksOf, hookTexts } from '../domain/hooks.js';
import { namesOf } from '../domain/names.js';
import type { KubeObject } from '../domain/objects.js';
import type { CanaryRef, ClosedGate } from '../domain/release.js';
import { readCanary } from './canaries.js';
import type { MoveInput } from './contract.js';
import type { Deps } from './deps.js';
import { recordEvents, tell } from './reporting.js';
import { askHook, type Occasion } from './webhooks.js';

/** A look at the gates of one type. */
export interface GateRound extends Occasion {
  readonly ref: CanaryRef;
  /** The manifest for events to be about, where it is at hand. */
  readonly on?: KubeObject;
  /** Under which each gate that opens is told of once; the calls themselves have a key of their own. */
  readonly reportKey: string;
}

/**
 * Asks the hooks of one type in order, and tells of each that agrees. The first that does not ends
 * it, and is the answer; undefined when all are open.
 */
export async function askGates(
  deps: Deps,
  type: HookType,
  round: GateRound,
): Promise<ClosedGate | undefined> {
  const { canary, key, signal, ref, reportKey, on } = round;
  for (const { hook, index } of hooksOf(canary, type)) {
    signal.throwIfAborted();
    const answer = await askHook(hook, { ...round, key: `${key}/${index}` });
    if (!answer.ok) return { type, hook: hook.name };
    const events = [hookTexts.passed(type, hook.name)];
    await recordEvents(deps, ref, { key: `${reportKey}/open/${index}`, events, on });
  }
  return undefined;
}

/** The `awaitGate` activity: asks until every hook before the rollout agrees. */
export async function awaitGate(deps: Deps, input: MoveInput<'awaitGate'>): Promise<void> {
  const { canary: ref, everyMs, report } = input;
  const signal = Context.current().cancellationSignal;
  const { runId = '' } = Context.current().info.workflowExecution ?? {};
  for (let told = false; ; told = true) {
    signal.throwIfAborted();
    const canary = await readCanary(deps, ref);
    const closed = await askGates(deps, 'confirm-rollout', {
      ref,
      canary,
      phase: canary.status.phase ?? '',
      // Each time is another question: who remembers answers by this key may answer otherwise.
      key: `${runId}/${report.key}/${Date.now()}`,
      reportKey: report.key,
      signal,
    });
    if (closed === undefined) return;
    if (!told) {
      const event = hookTexts.closed(namesOf(canary), closed.type, closed.hook);
      await tell(deps, ref, { ...report, after: [event] });
    }
    await sleep(everyMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}
