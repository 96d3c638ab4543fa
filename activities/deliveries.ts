import { Context } from '@temporalio/activity';

import type { CanaryStatus, Webhook } from '../domain/canary.js';
import type { Delivery, EventDelivery } from '../domain/deliveries.js';
import { eventHookNamed, eventHooksOf, ownEventHook } from '../domain/event-hooks.js';
import { eventMetadata, payloadOf, phaseTold } from '../domain/hooks.js';
import type { EventText } from '../domain/moves.js';
import type { KubeObject } from '../domain/objects.js';
import type { CanaryRef } from '../domain/release.js';
import { alertDeliveries, deliverAlert, type Dropped } from './alerts.js';
import { objectRefOf } from './canaries.js';
import type { Delivered, DeliveryInput } from './contract.js';
import type { Deps } from './deps.js';
import { callWebhook, checksumOf } from './webhooks.js';

/** An event under a key that is the same for whoever tells it again. */
export interface KeyedEvent {
  readonly key: string;
  readonly event: EventText;
}

/**
 * Hands events on a Canary over to whoever wants to hear of them: the event webhooks of its
 * manifest or, if it has none, the one of the worker's configuration; and the alerts that go with
 * them to those who want these.
 */
export async function handOver(
  { outbox, settings }: Pick<Deps, 'outbox' | 'settings'>,
  canary: CanaryRef,
  manifest: KubeObject,
  events: readonly KeyedEvent[],
): Promise<void> {
  if (outbox === undefined) return;
  const hooks = eventHooksOf(manifest);
  const names: readonly Pick<EventDelivery, 'hook'>[] =
    hooks.length > 0
      ? hooks.map(({ hook: { name }, index }) => ({ hook: { name, index } }))
      : settings.eventWebhook === ''
        ? []
        : [{}];
  const deliveries = events.flatMap<Delivery>(({ key, event }) => {
    const { alert, ...bare } = event;
    return [
      ...names.map((name, number) => ({
        ...deliveryOf(manifest, { key, event: bare }, number),
        ...name,
      })),
      ...(alert === undefined ? [] : alertDeliveries(settings, canary, manifest, { key, alert })),
    ];
  });
  if (deliveries.length > 0) await outbox.add(canary, deliveries);
}

function deliveryOf(
  manifest: KubeObject,
  { key, event }: KeyedEvent,
  number: number,
): EventDelivery {
  const status: CanaryStatus = manifest.status ?? {};
  return {
    kind: 'event-hook',
    key: `${key}/${number}`,
    event,
    phase: phaseTold(event, status.phase ?? ''),
    checksum: checksumOf(status),
    at: Date.now(),
  };
}

/**
 * The `deliver` activity: one attempt. An endpoint that says no is a thrown error, for Temporal to
 * repeat; its text ends up in the history, so it names neither the address nor the answer.
 */
export async function deliver(deps: Deps, { canary, delivery }: DeliveryInput): Promise<Delivered> {
  const { attempt: attempts } = Context.current().info;
  const dropped =
    delivery.kind === 'alert'
      ? await deliverAlert(deps, canary, delivery)
      : await deliverEvent(deps, canary, delivery);
  return dropped === undefined
    ? { outcome: 'delivered', attempts }
    : { outcome: 'dropped', attempts, ...dropped };
}

async function deliverEvent(
  deps: Deps,
  canary: CanaryRef,
  delivery: EventDelivery,
): Promise<Dropped> {
  const hook = await hookOf(deps, canary, delivery);
  if (hook === undefined) return {};
  const { event, at, key } = delivery;
  const metadata = eventMetadata(hook, event, at);
  const answer = await callWebhook({
    hook,
    payload: payloadOf(canary, { metadata }, delivery),
    key,
    signal: Context.current().cancellationSignal,
  });
  if (!answer.ok) throw new Error(answer.fault);
  return undefined;
}

async function hookOf(
  { kube, settings }: Deps,
  canary: CanaryRef,
  { hook }: EventDelivery,
): Promise<Webhook | undefined> {
  if (hook === undefined) {
    return settings.eventWebhook === '' ? undefined : ownEventHook(settings.eventWebhook);
  }
  const manifest = await kube.find(objectRefOf(canary));
  return manifest && eventHookNamed(manifest, hook)?.hook;
}
