import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';

import type { PlannedStep, Why } from '../domain/explain.js';
import type { Carried } from '../domain/begin.js';
import type {
  CanaryRef,
  Order,
  Outcome,
  ReleaseRequest,
  ReleaseState,
  Trigger,
} from '../domain/release.js';
import type { OrderName } from '../domain/steering.js';

/** What a run of the release workflow is started with. */
export interface ReleaseInput {
  readonly canary: CanaryRef;
  readonly trigger: Trigger;
  readonly carried?: Carried;
  /** History length at which the release goes on in a fresh run; for tests. */
  readonly maxEvents?: number;
}

/** How a run ended well; a release that did not end well fails the run instead. */
export interface ReleaseResult {
  readonly outcome: Outcome;
  readonly revision: string;
}

/** The answer to an order: what it was accepted for. */
export interface Receipt {
  readonly revision: string;
  readonly message: string;
}

/** What the watch saw: the target's revision and the manifest's generation now. */
export interface Change {
  readonly revision: string;
  /** Absent when only the target was looked at. */
  readonly generation?: number;
}

/** Told by the watch: look again. Costs nothing when it brings no news. */
export const changedSignal = defineSignal<[Change]>('changed');

/** Patches images into the target and releases them; from CI, by update-with-start. */
export const releaseUpdate = defineUpdate<Receipt, [ReleaseRequest]>('release');

/** The orders of people, as updates: validated and answered. */
export const orderUpdates = {
  promote: defineUpdate<Receipt, [Order]>('promote'),
  rollback: defineUpdate<Receipt, [Order]>('rollback'),
  pause: defineUpdate<Receipt, [Order]>('pause'),
  resume: defineUpdate<Receipt, [Order]>('resume'),
  retry: defineUpdate<Receipt, [Order]>('retry'),
  approve: defineUpdate<Receipt, [Order]>('approve'),
  reject: defineUpdate<Receipt, [Order]>('reject'),
} as const satisfies Record<OrderName, unknown>;

/** The same orders as signals, for plain Temporal clients; one that is refused is only logged. */
export const orderSignals = {
  promote: defineSignal<[Order]>('promote'),
  rollback: defineSignal<[Order]>('rollback'),
  pause: defineSignal<[Order]>('pause'),
  resume: defineSignal<[Order]>('resume'),
  retry: defineSignal<[Order]>('retry'),
  approve: defineSignal<[Order]>('approve'),
  reject: defineSignal<[Order]>('reject'),
} as const satisfies Record<OrderName, unknown>;

/** Everything the release remembers; undefined before its first look at the cluster. */
export const stateQuery = defineQuery<ReleaseState | undefined>('state');
/** The one thing the release waits for. */
export const whyQuery = defineQuery<Why | undefined>('why');
/** The steps of the release, done and to do. */
export const planQuery = defineQuery<readonly PlannedStep[]>('plan');
