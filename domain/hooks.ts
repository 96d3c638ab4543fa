import type { Canary, CanaryStatus, HookType, Phase, Webhook } from './canary.js';
import { parseDuration } from './duration.js';
import type { EventText } from './moves.js';
import type { Names } from './names.js';

/** A webhook and its number in the manifest's list, which tells it from one of the same name. */
export interface NumberedHook {
  readonly hook: Webhook;
  readonly index: number;
}

/** The webhooks of one type, in the order of the manifest. */
export function hooksOf({ analysis }: Canary, type: HookType): readonly NumberedHook[] {
  return analysis.webhooks
    .map((hook, index) => ({ hook, index }))
    .filter(({ hook }) => hook.type === type);
}

/** The JSON body of a call. */
export interface HookPayload {
  readonly name: string;
  readonly namespace: string;
  readonly phase: Phase;
  /** Differs between the revisions and tracked configs of a canary's releases. */
  readonly checksum: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The body of a call; metadata is left out when the hook has none. */
export function payloadOf(
  { name, namespace }: Pick<Canary, 'name' | 'namespace'>,
  { metadata }: Pick<Webhook, 'metadata'>,
  { phase, checksum }: Pick<HookPayload, 'phase' | 'checksum'>,
): HookPayload {
  const body = { name, namespace, phase, checksum };
  return Object.keys(metadata).length === 0 ? body : { ...body, metadata };
}

/** The metadata of a call that tells of an event: the hook's own must not hide what happened. */
export function eventMetadata(
  { metadata }: Pick<Webhook, 'metadata'>,
  { type, message }: EventText,
  at: number,
): Readonly<Record<string, string>> {
  return { ...metadata, eventMessage: message, eventType: type, timestamp: String(at) };
}

/** What the checksum of a payload is made from: equal text for equal content. */
export function checksumSource({ trackedConfigs, lastAppliedSpec = '' }: CanaryStatus): string {
  const configs =
    trackedConfigs === undefined
      ? null
      : Object.entries(trackedConfigs).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([configs, lastAppliedSpec]);
}

/** The phase told with an event: the one it came about in, except where the event is the change. */
export function phaseTold({ message }: EventText, phase: Phase): Phase {
  return changes.find(([beginning]) => message.startsWith(beginning))?.[1] ?? phase;
}

const changes: readonly (readonly [beginning: string, phase: Phase])[] = [
  ['New revision detected! Scaling up', 'Progressing'],
  ['Canary failed!', 'Failed'],
  ['Promotion completed!', 'Succeeded'],
  ['Initialization done!', 'Initialized'],
];

/** Timers cannot be set much further. */
const maxTimeoutMs = 24 * 3_600_000;

/** How long one attempt may take, in milliseconds; undefined when the manifest's text says nothing. */
export function timeoutOf({ timeout }: Pick<Webhook, 'timeout'>): number | undefined {
  const ms = parseDuration(timeout);
  return ms === undefined || ms <= 0 ? undefined : Math.min(Math.ceil(ms), maxTimeoutMs);
}

/** Whether an answer says that the same request may be answered otherwise later. */
export function mayPass(status: number): boolean {
  return status === 429 || (status >= 500 && status !== 501);
}

/** What kept a call from being answered and will not pass: certificates, addresses, redirects. */
const lastingCodes =
  /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)|TOO_MANY_REDIRECTS|BAD_REQUEST|INVALID_URL|EPROTO/;

/** Whether a connection that failed this way fails again. */
export function isLasting(code: string): boolean {
  return lastingCodes.test(code);
}

/** Who answers is not trusted to put an analysis off for hours. */
const maxRetryAfterMs = 300_000;
const maxBackOffMs = 30_000;

/**
 * The pause before another attempt, in milliseconds: what the server asks for, else twice as long
 * each time.
 *
 * @param failures attempts so far
 * @param retryAfter the header of that name: seconds or a date
 */
export function pauseAfter(failures: number, retryAfter: string | undefined, now: number): number {
  const asked = retryAfter === undefined ? NaN : askedMs(retryAfter, now);
  if (!Number.isNaN(asked)) return Math.min(Math.max(0, asked), maxRetryAfterMs);
  return Math.min(maxBackOffMs, 1_000 * 2 ** (failures - 1));
}

function askedMs(retryAfter: string, now: number): number {
  return /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1_000 : Date.parse(retryAfter) - now;
}

/** The sentences about webhooks. The words are Flagger's, since people grep for them. */
export const hookTexts = {
  passed: (type: HookType, hook: string): EventText => ({
    // Signalling a rollback is nothing to be glad of.
    type: type === 'rollback' ? 'Warning' : 'Normal',
    message: `${capitalised(type)} check ${hook} passed`,
  }),
  failed({ canary }: Names, type: HookType, hook: string, why: string): string {
    const what = type === 'rollout' ? 'external' : type;
    return `Halt ${canary} advancement ${what} check ${hook} failed ${why}`;
  },
  closed: ({ canary }: Names, type: HookType, hook: string): EventText => ({
    type: 'Warning',
    message: `Halt ${canary} advancement waiting for ${awaited[type] ?? 'approval'} ${hook}`,
  }),
  noRollback: (hook: string): EventText => ({
    type: 'Normal',
    message: `Rollback hook ${hook} not signaling a rollback`,
  }),
  notConcluded: (hook: string, why: string): EventText => ({
    type: 'Warning',
    message: `Post-rollout hook ${hook} failed ${why}`,
  }),
  givingUp: (address: string, attempts: number) =>
    `POST ${address} giving up after ${attempts} attempt(s)`,
  badTimeout: (timeout: string) => `timeout "${timeout}" is no duration above 0 such as 10s`,
  badAddress: 'its url is no http or https URL',
} as const;

const awaited: Readonly<Partial<Record<HookType, string>>> = {
  'confirm-traffic-increase': 'traffic increase approval',
  'confirm-promotion': 'promotion approval',
};

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
