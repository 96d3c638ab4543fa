import { Context, log } from '@temporalio/activity';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { failingAlert } from '../domain/alerts.js';
import type { CanaryRef } from '../domain/release.js';
import { check } from './analysis.js';
import { readCanary } from './canaries.js';
import { conclude } from './conclusion.js';
import type { Activities, Courier } from './contract.js';
import { deliver } from './deliveries.js';
import type { Deps } from './deps.js';
import { awaitGate } from './gates.js';
import { initialise, prepare } from './initialisation.js';
import { awaitPods } from './pods.js';
import { finish, promote } from './promotion.js';
import { recordEvents, tell } from './reporting.js';
import { reconcile, revert } from './reconciliation.js';
import { recover, rollBack } from './rollback.js';
import { putBack, route, scaleUp } from './stepping.js';
import { survey } from './survey.js';
import { workloadOf } from './workloads/index.js';

/** How often a running activity says that it is alive, in milliseconds. */
const heartbeatMs = 1_000;

/** How long telling of an error may hold up the error itself, in milliseconds. */
const tellingMs = 3_000;

/** All activities, ready for a Temporal worker. */
export function createActivities(deps: Deps): Activities & Courier {
  const watched = <I extends Input, R>(work: Work<I, R>) => alive(telling(deps, work));
  return {
    survey: watched((input) => survey(deps, input)),
    awaitPods: watched((input) => awaitPods(deps, input)),
    awaitGate: watched((input, remember) => awaitGate(deps, input, remember)),
    prepare: watched((input) => prepare(deps, input)),
    initialise: watched((input) => initialise(deps, input)),
    reconcile: watched((input) => reconcile(deps, input)),
    recover: watched((input) => recover(deps, input)),
    scaleUp: watched((input) => scaleUp(deps, input)),
    route: watched((input) => route(deps, input)),
    check: watched((input, remember) => check(deps, input, remember)),
    promote: watched((input) => promote(deps, input)),
    finish: watched((input) => finish(deps, input)),
    rollBack: watched((input) => rollBack(deps, input)),
    putBack: watched((input) => putBack(deps, input)),
    conclude: watched((input, remember) => conclude(deps, input, remember)),
    revert: watched((input) => revert(deps, input)),
    tell: watched((input) => tell(deps, input)),
    setImages: watched(async ({ canary, images }) => {
      const workload = workloadOf(deps, (await readCanary(deps, canary)).canary);
      return { revision: await workload.setImages(images) };
    }),
    // An event about it would have to be delivered in turn.
    deliver: alive((input) => deliver(deps, input)),
  };
}

interface Input {
  readonly canary: CanaryRef;
}

/**
 * What an activity does. Whatever it asks to have remembered its next attempt finds in the heartbeat
 * details, should this one be cut off.
 */
type Work<I, R> = (input: I, remember: (details: unknown) => void) => Promise<R>;

/** Heartbeats while the work lasts, so that a killed worker is noticed soon. */
function alive<I extends Input, R>(work: Work<I, R>): (input: I) => Promise<R> {
  return async (input) => {
    const context = Context.current();
    let details: unknown = context.info.heartbeatDetails;
    const pulse = setInterval(() => {
      context.heartbeat(details);
    }, heartbeatMs);
    try {
      return await work(input, (news) => {
        details = news;
        context.heartbeat(details);
      });
    } finally {
      clearInterval(pulse);
    }
  };
}

/** Tells of an error on the Canary before Temporal repeats the attempt, where people look for it. */
function telling<I extends Input, R>(deps: Deps, work: Work<I, R>): Work<I, R> {
  return async (input, remember) => {
    try {
      return await work(input, remember);
    } catch (error) {
      // Whoever cancels knows; there is nothing wrong to be told.
      if (!Context.current().cancellationSignal.aborted) {
        await Promise.race([
          tellError(deps, input.canary, error),
          sleep(tellingMs, undefined, { ref: false }),
        ]);
      }
      throw error;
    }
  };
}

/** One Warning for one text, however often the activity is repeated. */
async function tellError(deps: Deps, canary: CanaryRef, error: unknown): Promise<void> {
  const message = error instanceof Error ? error.message : String(error);
  const { activityId, activityType, attempt } = Context.current().info;
  const digest = createHash('sha256').update(message).digest('hex');
  const alert = failingAlert(activityType, attempt, message);
  try {
    const events = [{ type: 'Warning', message, ...(alert && { alert }) }] as const;
    await recordEvents(deps, canary, { key: `error/${activityId}/${digest}`, events });
  } catch (cause) {
    log.warn('event of a failing activity not written', { error: message, cause });
  }
}
