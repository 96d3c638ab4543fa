import { defineQuery, defineSignal } from '@temporalio/workflow';

import type { Delivery, DeliveryRecord } from '../domain/deliveries.js';
import type { CanaryRef } from '../domain/release.js';

/** What a run of the `deliveries` workflow starts with; all but the canary is what an earlier run left. */
export interface DeliveriesInput {
  readonly canary: CanaryRef;
  readonly waiting?: readonly Delivery[];
  readonly seen?: readonly string[];
  readonly journal?: readonly DeliveryRecord[];
  /** Lanes whose last delivery was given up. */
  readonly broken?: readonly string[];
  /** How often a delivery is tried; for tests. */
  readonly attempts?: number;
  /** How long an empty outbox stays open, milliseconds; for tests. */
  readonly lingerMs?: number;
  /** History length at which it goes on in a fresh run; for tests. */
  readonly maxEvents?: number;
}

/** Puts something into the outbox; what is in it, or was lately, is left out. */
export const deliverSignal = defineSignal<[readonly Delivery[]]>('deliver');
/** What became of everything so far. */
export const journalQuery = defineQuery<readonly DeliveryRecord[]>('journal');

/** The type of the `deliveries` workflow. */
export type DeliveriesWorkflow = (input: DeliveriesInput) => Promise<readonly DeliveryRecord[]>;
