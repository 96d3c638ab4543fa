import type { Analysis, Gate, Metric, SessionAffinity, Webhook } from '../canary.js';
import { parseDuration } from '../duration.js';
import { defined } from '../entries.js';
import type { Draft } from './draft.js';
import { strategyOf } from './strategy.js';
import type { WireAnalysis, WireGate, WireMetric, WireWebhook } from './wire.js';

/** The analysis of a manifest that has no problems. */
export function analysisOf(draft: Draft, namespace: string, minIntervalMs: number): Analysis {
  const { analysis: wire, provider } = draft;
  const { stepWeightPromotion, primaryReadyThreshold, canaryReadyThreshold, onFailure } = wire;
  const { mirrorWeight = 0 } = wire;
  const {
    interval = '',
    threshold = 1,
    match = [],
    metrics = [],
    webhooks = [],
    gates = [],
  } = wire;
  return {
    ...defaults,
    ...defined({ stepWeightPromotion, primaryReadyThreshold, canaryReadyThreshold, onFailure }),
    ...defined({ sessionAffinity: affinityOf(wire) }),
    ...(mirrorWeight > 0 ? { mirrorWeight } : {}),
    intervalMs: Math.max(parseDuration(interval) ?? 60_000, minIntervalMs),
    threshold: Math.max(1, threshold),
    strategy: strategyOf(draft),
    match: provider === 'kubernetes' ? [] : match,
    metrics: metrics.map((metric) => metricOf(metric, namespace)),
    webhooks: webhooks.map(webhookOf),
    gates: gates.map(gateOf),
  };
}

const defaults = {
  stepWeightPromotion: 0,
  primaryReadyThreshold: 100,
  canaryReadyThreshold: 100,
  onFailure: 'rollback',
} as const;

/** A day, in seconds. */
const defaultMaxAge = 86_400;

function affinityOf({ sessionAffinity: wire }: WireAnalysis): SessionAffinity | undefined {
  if (wire === undefined) return undefined;
  const { cookieName = '', primaryCookieName = '', maxAge = 0, ...rest } = wire;
  return {
    httpOnly: false,
    partitioned: false,
    secure: false,
    ...rest,
    cookieName,
    maxAge: maxAge === 0 ? defaultMaxAge : maxAge,
    ...(primaryCookieName === '' ? {} : { primaryCookieName }),
  };
}

function metricOf(wire: WireMetric, namespace: string): Metric {
  const { templateRef, thresholdRange, templateVariables, ...rest } = wire;
  return {
    interval: '1m',
    threshold: 0,
    onNoData: 'fail',
    onProviderError: 'fail',
    ...rest,
    name: currentNameOf(wire),
    variables: templateVariables ?? {},
    ...defined({ range: thresholdRange }),
    ...(templateRef === undefined ? {} : { template: { namespace, ...templateRef } }),
  };
}

/** The names of the built-in metrics in the first manifests. */
const currentNames: Readonly<Record<string, string>> = {
  istio_requests_total: 'request-success-rate',
  istio_request_duration_seconds_bucket: 'request-duration',
};

/**
 * The old name of a built-in metric is replaced once and for all, in queries as in events: what
 * reads names downstream, people's alerts included, then knows one name for one thing. A metric
 * with a query of its own keeps the name it was given.
 */
function currentNameOf({ name, query, templateRef }: WireMetric): string {
  const isBuiltIn = query === undefined && templateRef === undefined;
  return isBuiltIn ? (currentNames[name] ?? name) : name;
}

/** One webhook; without a type it is called with the metrics of each check. */
export function webhookOf(wire: WireWebhook): Webhook {
  const { type = '', name, url, timeout = '', metadata = {} } = wire;
  return {
    type: type === '' ? 'rollout' : type,
    name,
    url,
    timeout: timeout.length < 2 ? '10s' : timeout,
    retries: Math.max(0, Math.trunc(wire.retries ?? 0)),
    muteAlert: wire.muteAlert === true,
    disableTls: wire.disableTLS === true,
    metadata,
  };
}

function gateOf({ name, before, approvers = [], timeout, onTimeout = 'reject' }: WireGate): Gate {
  const timeoutMs = timeout === undefined ? undefined : parseDuration(timeout);
  return { name, before, approvers, onTimeout, ...defined({ timeoutMs }) };
}
