import type { Client } from '@temporalio/client';
import type { ClientConnectConfig } from '@temporalio/envconfig';

import type { DeliveryRecord } from '../domain/deliveries.js';
import type { PlannedStep } from '../domain/explain.js';
import type { ReleaseRequest, ReleaseState } from '../domain/release.js';
import type { OrderName } from '../domain/steering.js';
import { connect, soon, type CanaryName } from './connection.js';
import { deliveriesOf } from './deliveries.js';
import { endingOf, type Ending } from './endings.js';
import { follow, type WaitOptions } from './following.js';
import { planOf, stateOf, statusOf, type Status } from './questions.js';
import {
  giveOrder,
  requestRelease,
  type Accepted,
  type OrderRequest,
  type SendOptions,
} from './requests.js';
import { runsOf, type Run, type RunFilter } from './runs.js';

export { isFailure, type Ending, type RunOutcome } from './endings.js';
export { SluiceError, type FaultKind } from './sluice-error.js';
export type { Trouble } from './troubles.js';
export type {
  Accepted,
  CanaryName,
  DeliveryRecord,
  OrderRequest,
  Run,
  RunFilter,
  SendOptions,
  Status,
  WaitOptions,
};

/**
 * The releases of one cluster, for CI and other programs; the `sluice` command is built on it alone.
 * Everything that fails throws a `SluiceError`, whose message is one sentence for people.
 */
export interface Sluice {
  /** Sets images of the target and starts or joins its release. */
  release(canary: CanaryName, request: ReleaseRequest, options?: SendOptions): Promise<Accepted>;
  /** Gives a person's order to the running release. */
  order(
    canary: CanaryName,
    name: OrderName,
    request: OrderRequest,
    options?: SendOptions,
  ): Promise<Accepted>;
  /** Starts the analysis again, or releases again what the last release did not bring through. */
  retry(canary: CanaryName, request: OrderRequest, options?: SendOptions): Promise<Accepted>;
  /** Waits for the end of one revision's release, whatever restarts meanwhile. */
  wait(canary: CanaryName, options?: WaitOptions): Promise<Ending>;
  /** Everything the newest run remembers; undefined in its first moments. */
  state(canary: CanaryName): Promise<ReleaseState | undefined>;
  /** Where the newest run stands, what it waits for, and what fails. */
  why(canary: CanaryName): Promise<Status>;
  /** The steps of the newest run, done and to do. */
  plan(canary: CanaryName): Promise<readonly PlannedStep[]>;
  /** Runs by search attributes, newest first. */
  runs(filter?: RunFilter): Promise<Run[]>;
  /** How a closed run ended. */
  ending(canary: CanaryName, runId: string): Promise<Ending>;
  /** What was told to event webhooks about a canary, and what became of it; oldest first. */
  deliveries(canary: CanaryName): Promise<DeliveryRecord[]>;
  close(): Promise<void>;
}

/** Where the releases are. */
export interface SluiceOptions {
  /** Name of the cluster in workflow ids and task queues; `default` by default. */
  readonly cluster?: string;
  /** How to reach Temporal; by default its standard environment variables and configuration file. */
  readonly temporal?: ClientConnectConfig;
}

/** Connects to Temporal and gives access to the releases of a cluster. */
export async function connectSluice({
  cluster = 'default',
  temporal,
}: SluiceOptions = {}): Promise<Sluice> {
  return sluiceOf(await connect(temporal), cluster);
}

/** The same over a Temporal client that exists already. */
export function sluiceOf(client: Client, cluster: string): Sluice {
  const reach = { client, cluster };
  return {
    release: (canary, request, options) => requestRelease(reach, canary, request, options),
    order: (canary, name, request, options) => giveOrder(reach, canary, name, request, options),
    retry: (canary, request, options) => giveOrder(reach, canary, 'retry', request, options),
    wait: (canary, options = {}) => follow(reach, canary, options),
    state: (canary) => stateOf(reach, canary),
    why: (canary) => statusOf(reach, canary),
    plan: (canary) => planOf(reach, canary),
    runs: (filter = {}) => runsOf(reach, filter),
    ending: (canary, runId) => soon(client, () => endingOf(reach, canary, runId)),
    deliveries: (canary) => deliveriesOf(reach, canary),
    close: () => client.connection.close(),
  };
}
