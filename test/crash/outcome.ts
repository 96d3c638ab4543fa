import type { CanaryStatus } from '../../domain/canary.js';
import type { Deployment } from '../../domain/objects.js';
import type { App } from '../conformance/app.js';
import { weightsOf } from '../conformance/history.js';
import { plain, type Alert } from './effects.js';
import { dependsOnPods, options } from './scenarios.js';

/** What a release came to, in words that are the same for every app that is released alike. */
export interface Outcome {
  /** Events, changes of the status and of the routes, in the order the API server stored them. */
  readonly timeline: readonly string[];
  readonly status: Readonly<Record<string, unknown>>;
  readonly routes: unknown;
  readonly target: unknown;
  readonly primary: unknown;
  /** How many logical calls each of the other webhooks had. */
  readonly calls: Readonly<Record<string, number>>;
  /** What the webhook of type `event` was told, by first calls. */
  readonly told: readonly string[];
  /** What people were told in the chat, by first messages. */
  readonly alerts: readonly string[];
}

/** Resolves when the webhook of an app knows all of its events, and people the last alert. */
export async function untilTold(app: App, lastAlert: string, limitMs: number): Promise<void> {
  const isTold = async (): Promise<boolean> => {
    const events = (await app.events()).filter((text) => !dependsOnPods(text));
    return toldOf(app).length >= events.length;
  };
  await app.until('the telling of all events', isTold, limitMs);
  const { name, namespace } = app.canary;
  const isAlerted = (): Promise<boolean> =>
    Promise.resolve(plain(alertsOf(app).at(-1) ?? '', { app: name, namespace }) === lastAlert);
  await app.until(`the alert ${lastAlert}`, isAlerted, limitMs);
}

/** Gathers what became of an app, once all has been told of it. */
export async function outcomeOf(
  app: App,
  of: {
    readonly lastAlert: string;
    readonly timeline: App['timeline'];
    readonly limitMs: number;
  },
): Promise<Outcome> {
  await untilTold(app, of.lastAlert, of.limitMs);
  const { name, namespace } = app.canary;
  const proxy = await app.find('projectcontour.io/v1', 'HTTPProxy', name);
  const outcome: Outcome = {
    timeline: await of.timeline(),
    status: plainStatus(await app.status()),
    routes: proxy && weightsOf(proxy),
    target: plainWorkload(await app.workload('target')),
    primary: plainWorkload(await app.workload('primary')),
    calls: Object.fromEntries(
      options.hooks
        .filter(({ type }) => type !== 'event')
        .map((hook) => [hook.name, countCalls(app, hook)]),
    ),
    told: toldOf(app),
    alerts: alertsOf(app),
  };
  return JSON.parse(plain(JSON.stringify(outcome), { app: name, namespace })) as Outcome;
}

/** A gate that is asked until it is open is asked another question, under another key, each time. */
function countCalls(app: App, { name, type }: (typeof options.hooks)[number]): number {
  const { length } = logicalCalls(app, name);
  return type === 'confirm-rollout' ? Math.min(1, length) : length;
}

/**
 * The calls of a webhook without their repetitions. Throws when calls of one `Idempotency-Key` say
 * different things, or when one has none.
 */
function logicalCalls(app: App, hook: string): readonly string[] {
  const saidBy = new Map<string, string>();
  for (const { headers, body } of app.calls(hook)) {
    const key = headers['idempotency-key'];
    if (typeof key !== 'string') throw new Error(`${hook} was called without an Idempotency-Key`);
    const said = JSON.stringify(body);
    const before = saidBy.get(key) ?? said;
    if (before !== said) throw new Error(`${hook} was told ${before} and ${said} under one key`);
    saidBy.set(key, said);
  }
  return [...saidBy.values()];
}

function toldOf(app: App): string[] {
  return logicalCalls(app, 'listen')
    .map((body) => (JSON.parse(body) as { metadata: Record<string, string> }).metadata)
    .map(({ eventType = '', eventMessage = '' }) => `${eventType} ${eventMessage}`)
    .filter((text) => !dependsOnPods(text));
}

function alertsOf(app: App): string[] {
  return logicalCalls(app, 'chat')
    .map((body) => JSON.parse(body) as Alert)
    .map(({ severity, message }) => `${severity} ${message}`);
}

/** The numbers of the status; of the hashes only whether they are the same. */
function plainStatus(status: CanaryStatus): Outcome['status'] {
  const { phase, canaryWeight, iterations, failedChecks, conditions = [] } = status;
  const { lastAppliedSpec, lastPromotedSpec } = status;
  return {
    ...{ phase, canaryWeight, iterations, failedChecks },
    appliedIsPromoted: lastAppliedSpec === lastPromotedSpec,
    conditions: conditions.map(({ type, status: holds, reason }) => ({ type, holds, reason })),
  };
}

function plainWorkload({ spec: { replicas, template } }: Deployment): unknown {
  return { replicas, images: template.spec?.containers?.map(({ image }) => image) };
}
