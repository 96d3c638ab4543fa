import type { ProviderName } from './alert-entries.js';
import type { Alert } from './alerts.js';
import type { Phase } from './canary.js';
import type { EventText } from './moves.js';
import type { CanaryRef } from './release.js';

/**
 * Something to be delivered to people's endpoints, behind the back of the release. It names whom it
 * is for; addresses and Secrets are read when it is delivered, and so enter no history.
 */
export type Delivery = EventDelivery | AlertDelivery;

/** An event, for a webhook of type `event`. */
export interface EventDelivery {
  readonly kind: 'event-hook';
  /** Equal for whatever is handed over twice. Begins with the run the event belongs to. */
  readonly key: string;
  /** The webhook; absent for the one of the worker's own configuration. */
  readonly hook?: HookName;
  readonly event: EventText;
  /** The Canary as it was then. */
  readonly phase: Phase;
  readonly checksum: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** A message to people, for a chat service or the like. */
export interface AlertDelivery {
  readonly kind: 'alert';
  /** As of an event. */
  readonly key: string;
  /** Whom it goes to; absent for the one of the worker's own configuration. */
  readonly provider?: ProviderName;
  readonly alert: Alert;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** A webhook by its name, and its number in the manifest among those that may share it. */
export interface HookName {
  readonly name: string;
  readonly index: number;
}

/** What became of a delivery. */
export interface DeliveryRecord {
  readonly key: string;
  /** The webhook, or the AlertProvider. */
  readonly hook: string;
  /** The text of the event or alert, or its beginning. */
  readonly event: string;
  readonly outcome: DeliveryOutcome;
  readonly attempts: number;
  /** When that was known, epoch milliseconds. */
  readonly at: number;
  /** Why it was not delivered. */
  readonly fault?: string;
}

export type DeliveryOutcome =
  | 'delivered'
  /** Every attempt failed. */
  | 'given-up'
  /** There is nobody any more to deliver to. */
  | 'dropped';

/** The names the worker's own event webhook and chat service go by in journals. */
export const ownHook = 'event-webhook';
export const ownAlerts = 'alerts';

/** The workflow id of what is delivered about one canary. */
export function deliveriesId({ cluster, namespace, name }: CanaryRef): string {
  return `deliveries/${cluster}/${namespace}/${name}`;
}

/** Deliveries of one lane are made in order; lanes do not wait for each other. */
export function laneOf(delivery: Delivery): string {
  const { kind } = delivery;
  if (kind === 'alert') {
    const { provider } = delivery;
    return provider === undefined ? kind : `${kind}/${provider.namespace}/${provider.name}`;
  }
  const { hook } = delivery;
  return hook === undefined ? kind : `${kind}/${hook.index}/${hook.name}`;
}

const maxShownCharacters = 200;

/** The journal's entry for a delivery. */
export function recordOf(
  delivery: Delivery,
  result: Pick<DeliveryRecord, 'outcome' | 'attempts' | 'at' | 'fault'>,
): DeliveryRecord {
  const { message } = delivery.kind === 'alert' ? delivery.alert : delivery.event;
  const event = message.slice(0, maxShownCharacters);
  return { key: delivery.key, hook: receiverOf(delivery), event, ...result };
}

function receiverOf(delivery: Delivery): string {
  if (delivery.kind === 'event-hook') return delivery.hook?.name ?? ownHook;
  const { provider } = delivery;
  return provider === undefined
    ? ownAlerts
    : `alert provider ${provider.name}.${provider.namespace}`;
}

/** Whether a delivery belongs to a run of a release. */
export function isOfRun({ key }: Pick<DeliveryRecord, 'key'>, runId: string): boolean {
  return key.startsWith(`${runId}/`);
}
