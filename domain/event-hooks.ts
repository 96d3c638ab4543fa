import type { Webhook } from './canary.js';
import type { HookName } from './deliveries.js';
import type { NumberedHook } from './hooks.js';
import { webhookOf } from './manifest/analysis.js';
import type { WireSpec, WireWebhook } from './manifest/wire.js';
import type { KubeObject } from './objects.js';

/**
 * The webhooks of a manifest that are told of events. Read leniently and apart from the rest of the
 * manifest, because events also tell of what is wrong with it.
 */
export function eventHooksOf({ spec }: KubeObject): readonly NumberedHook[] {
  const { analysis, canaryAnalysis } = (spec ?? {}) as Partial<WireSpec>;
  const { webhooks = [] } = analysis ?? canaryAnalysis ?? {};
  return webhooks.flatMap((wire, index) =>
    wire.type === 'event' ? [{ hook: eventHookOf(wire), index }] : [],
  );
}

/** The webhook of that name; of several the one that still has its place in the list. */
export function eventHookNamed(
  manifest: KubeObject,
  { name, index }: HookName,
): NumberedHook | undefined {
  const named = eventHooksOf(manifest).filter(({ hook }) => hook.name === name);
  return named.find((hook) => hook.index === index) ?? named[0];
}

/** The webhook of the worker's own configuration. */
export function ownEventHook(url: string): Webhook {
  return eventHookOf({ name: '', url });
}

/** Deliveries are repeated by the workflow that makes them. */
function eventHookOf(wire: WireWebhook): Webhook {
  return { ...webhookOf({ ...wire, type: 'event' }), retries: 0 };
}
