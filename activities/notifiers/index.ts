import { ApplicationFailure } from '@temporalio/activity';

import { pauseAfter } from '../../domain/hooks.js';
import { httpPost, NoAnswer, type HttpPosted } from '../http.js';
import { discord } from './discord.js';
import { gchat } from './gchat.js';
import { msteams } from './msteams.js';
import type { Message, Notifier, NotifierConfig } from './notifier.js';
import { rocket } from './rocket.js';
import { slack } from './slack.js';
import { webhook } from './webhook.js';

/** The notifiers of this build by the name in `AlertProvider.spec.type`. */
export const notifiers = {
  slack,
  msteams,
  discord,
  rocket,
  gchat,
  webhook,
} as const satisfies Record<string, Notifier>;

export type NotifierType = keyof typeof notifiers;

/** Whether there is a notifier of that name. */
export function isNotifierType(type: string): type is NotifierType {
  return Object.hasOwn(notifiers, type);
}

/** How to send one message. */
export interface Sending {
  readonly type: NotifierType;
  readonly config: NotifierConfig;
  readonly proxy?: URL;
  /** Sent as `Idempotency-Key`: who acts on messages can tell repeated ones. */
  readonly key: string;
  readonly signal: AbortSignal;
}

/** How long an answer may take, in milliseconds. */
const timeoutMs = 5_000;

/**
 * Sends one message; any 2xx is a success. Throws what went wrong, which names neither the address
 * nor the answer, and for how long to wait if the service says so; or the signal's reason. Redirects
 * are not followed: the message is for whoever has been named.
 */
export async function send(
  message: Message,
  { type, config, proxy, key, signal }: Sending,
): Promise<void> {
  const notifier: Notifier = notifiers[type];
  const { url, headers, json } = notifier.request(message, config);
  const answer = await httpPost({
    ...{ url, json, timeoutMs, signal },
    headers: { 'Idempotency-Key': key, ...headers },
    followRedirects: false,
    ...(proxy === undefined ? {} : { proxy }),
  }).catch(codeOrThrow);
  const { status, body } = answer;
  if (status < 200 || status >= 300) throw refused(answer);
  const refusal = notifier.refusal?.(body);
  if (refusal !== undefined) throw new Error(refusal);
}

/** The message of the error itself may hold the address of the server, as may its name. */
function codeOrThrow(error: unknown): never {
  throw error instanceof NoAnswer ? new Error(error.code) : error;
}

function refused({ status, retryAfter }: HttpPosted): Error {
  const message = `HTTP ${status}`;
  const isOverloaded = status === 429 || status === 503;
  if (retryAfter === undefined || !isOverloaded) return new Error(message);
  const nextRetryDelay = pauseAfter(1, retryAfter, Date.now());
  return ApplicationFailure.create({ message, type: 'Overloaded', nextRetryDelay });
}
