import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Canary, CanaryStatus, Phase, Webhook } from '../domain/canary.js';
import {
  checksumSource,
  hookTexts,
  isLasting,
  mayPass,
  pauseAfter,
  payloadOf,
  timeoutOf,
  type HookPayload,
} from '../domain/hooks.js';
import { httpPost, NoAnswer, type HttpPosted } from './http.js';

/** One logical call, however many attempts it takes. */
export interface HookCall {
  readonly hook: Pick<Webhook, 'url' | 'timeout' | 'retries' | 'disableTls'>;
  readonly payload: HookPayload;
  /** Sent as `Idempotency-Key` with every attempt: who acts on calls can tell repeated ones. */
  readonly key: string;
  readonly signal: AbortSignal;
}

/** What became of a call. */
export type HookAnswer =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /** For people: what was answered, or that nobody did. */
      readonly error: string;
      /** For histories: says nothing of the address or of what was answered. */
      readonly fault: string;
    };

/** As much of an answer as is shown. */
const maxShownCharacters = 500;

/**
 * Calls a webhook: any 2xx is a yes. Repeats what may pass as often as the hook allows, with growing
 * pauses or those the server asks for. Throws only the signal's reason, when the call is given up.
 */
export async function callWebhook({ hook, payload, key, signal }: HookCall): Promise<HookAnswer> {
  const timeoutMs = timeoutOf(hook);
  if (timeoutMs === undefined) return refused(hookTexts.badTimeout(hook.timeout));
  if (!/^https?:/.test(hook.url) || !URL.canParse(hook.url)) return refused(hookTexts.badAddress);
  const request = {
    url: new URL(hook.url),
    headers: { 'Idempotency-Key': key },
    json: payload,
    timeoutMs,
    insecureSkipVerify: hook.disableTls,
    signal,
  };
  for (let attempts = 1; ; attempts += 1) {
    const tried = await httpPost(request).catch(unansweredOrThrow);
    const mayBeRepeated =
      tried instanceof NoAnswer ? !isLasting(tried.code) : mayPass(tried.status);
    if (!mayBeRepeated || attempts > hook.retries) return answerOf(request.url, tried, attempts);
    const pauseMs = pauseAfter(attempts, retryAfterOf(tried), Date.now());
    await sleep(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** What a hook is called about. */
export interface Occasion {
  readonly canary: Canary;
  readonly phase: Phase;
  readonly key: string;
  readonly signal: AbortSignal;
}

/** Calls a webhook of a Canary about the Canary as it is. */
export async function askHook(
  hook: Webhook,
  { canary, phase, key, signal }: Occasion,
): Promise<HookAnswer> {
  const checksum = checksumOf(canary.status);
  return callWebhook({ hook, payload: payloadOf(canary, hook, { phase, checksum }), key, signal });
}

/** Tells the releases of a canary from each other, by their revision and tracked configs. */
export function checksumOf(status: CanaryStatus): string {
  return createHash('sha256').update(checksumSource(status)).digest('hex').slice(0, 16);
}

function unansweredOrThrow(error: unknown): NoAnswer {
  if (error instanceof NoAnswer) return error;
  throw error;
}

function refused(why: string): HookAnswer {
  return { ok: false, error: why, fault: why };
}

/** Servers that are overloaded or down for a while may say for how long. */
function retryAfterOf(tried: HttpPosted | NoAnswer): string | undefined {
  if (tried instanceof NoAnswer || (tried.status !== 429 && tried.status !== 503)) return undefined;
  return tried.retryAfter;
}

function answerOf(url: URL, tried: HttpPosted | NoAnswer, attempts: number): HookAnswer {
  // User info and query may hold credentials.
  const givingUp = hookTexts.givingUp(`${url.origin}${url.pathname}`, attempts);
  if (tried instanceof NoAnswer) {
    return { ok: false, error: `${givingUp}: ${tried.message}`, fault: tried.code };
  }
  const { status, body } = tried;
  if (status >= 200 && status < 300) return { ok: true };
  const fault = `HTTP ${status}`;
  const shown = body.replaceAll(/\s+/g, ' ').trim().slice(0, maxShownCharacters);
  if (!mayPass(status)) return { ok: false, error: shown === '' ? fault : shown, fault };
  const what = shown === '' ? fault : `${fault} ${shown}`;
  return { ok: false, error: `${givingUp}: ${what}`, fault };
}
