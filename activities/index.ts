import { Context, log } from '@temporalio/activity';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { CanaryRef } from '../domain/release.js';
import { createCheck } from './analysis.js';
import { readCanary } from './canaries.js';
import type { Activities } from './contract.js';
import type { Deps } from './deps.js';
import { initialise, prepare } from './initialisation.js';
import { awaitPods } from './pods.js';
import { finish, promote } from './promotion.js';
import { recordEvents, tell } from './reporting.js';
import { rollBack } from './rollback.js';
import { route, scaleUp } from './stepping.js';
import { survey } from './survey.js';
import { workloadOf } from './workloads/index.js';

/** How often a running activity says that it is alive, in milliseconds. */
const heartbeatMs = 1_000;

/** How long telling of an error may hold up the error itself, in milliseconds. */
const tellingMs = 3_000;

/** All activities, ready for a Temporal worker. */
export function createActivities(deps: Deps): Activities {
  const check = createCheck(deps);
  const watched = <I extends Input, R>(work: (input: I) => Promise<R>) => watchedOver(deps, work);
  return {
    survey: watched((input) => survey(deps, input)),
    awaitPods: watched((input) => awaitPods(deps, input)),
    prepare: watched((input) => prepare(deps, input)),
    initialise: watched((input) => initialise(deps, input)),
    scaleUp: watched((input) => scaleUp(deps, input)),
    route: watched((input) => route(deps, input)),
    check: watched(check),
    promote: watched((input) => promote(deps, input)),
    finish: watched((input) => finish(deps, input)),
    rollBack: watched((input) => rollBack(deps, input)),
    tell: watched(({ canary, report }) => tell(deps, canary, report)),
    setImages: watched(async ({ canary, images }) => {
      const workload = workloadOf(deps, await readCanary(deps, canary));
      return { revision: await workload.setImages(images) };
    }),
  };
}

interface Input {
  readonly canary: CanaryRef;
}

/**
 * Heartbeats while the work lasts, so that a killed worker is noticed soon; and tells of an error
 * on the Canary before Temporal repeats the attempt, where people look for it.
 */
function watchedOver<I extends Input, R>(
  deps: Deps,
  work: (input: I) => Promise<R>,
): (input: I) => Promise<R> {
  return async (input) => {
    const context = Context.current();
    const pulse = setInterval(() => {
      context.heartbeat();
    }, heartbeatMs);
    try {
      return await work(input);
    } catch (error) {
      // Whoever cancels knows; there is nothing wrong to be told.
      if (!context.cancellationSignal.aborted) {
        await Promise.race([
          tellError(deps, input.canary, error),
          sleep(tellingMs, undefined, { ref: false }),
        ]);
      }
      throw error;
    } finally {
      clearInterval(pulse);
    }
  };
}

/** One Warning for one text, however often the activity is repeated. */
async function tellError(deps: Deps, canary: CanaryRef, error: unknown): Promise<void> {
  const message = error instanceof Error ? error.message : String(error);
  const { activityId } = Context.current().info;
  const digest = createHash('sha256').update(message).digest('hex');
  try {
    const events = [{ type: 'Warning', message }] as const;
    await recordEvents(deps, canary, { key: `error/${activityId}/${digest}`, events });
  } catch (cause) {
    log.warn('event of a failing activity not written', { error: message, cause });
  }
}
