import { Context } from '@temporalio/activity';
import { setTimeout as sleep } from 'node:timers/promises';

import { closedGateText } from '../domain/alerts.js';
import type { HookType } from '../domain/canary.js';
import { hooksOf, hookTexts } from '../domain/hooks.js';
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

/**
 * The `awaitGate` activity: asks until every hook before the rollout agrees. Tells of a closed gate
 * once, even if it waits for days and is cut off meanwhile: that it has is remembered in the
 * heartbeat.
 */
export async function awaitGate(
  deps: Deps,
  input: MoveInput<'awaitGate'>,
  remember: (told: true) => void,
): Promise<void> {
  const { canary: ref, everyMs, revision, again, report } = input;
  const { cancellationSignal: signal, info } = Context.current();
  const { runId = '' } = info.workflowExecution ?? {};
  let told = info.heartbeatDetails === true;
  for (;;) {
    signal.throwIfAborted();
    const { canary } = await readCanary(deps, ref);
    told ||= again === true && canary.status.phase === 'Waiting';
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
      const event = closedGateText(canary, closed, revision);
      await tell(deps, { canary: ref, report: { ...report, after: [event] } });
      told = true;
      remember(told);
    }
    await sleep(everyMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}
