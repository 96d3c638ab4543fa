import type { Canary, Metric } from '../../domain/canary.js';
import { latestRevisionOf } from '../../domain/knative.js';
import { metricTexts, templateTexts } from '../../domain/metric-texts.js';
import type { KnativeService } from '../../domain/objects.js';
import { observerOf } from '../../domain/providers.js';
import { workloadRefs } from '../../domain/targets.js';
import type { Rendered } from '../../domain/template.js';
import type { Measurement, MetricKind, Question } from '../../domain/threshold.js';
import type { Deps } from '../deps.js';
import type { Kube } from '../kube.js';
import { observers } from '../observers/index.js';
import { prometheus } from './prometheus.js';
import type { MetricProvider } from './provider.js';
import {
  messageOf,
  openTemplate,
  renderQuery,
  TemplateTrouble,
  type OpenTemplate,
} from './templates.js';

/** A metric could not be asked for; the message is the sentence of the event. */
export class Unmeasured extends Error {
  override readonly name = 'Unmeasured';
}

/**
 * The questions of a check in the order they are asked: built-in metrics and inline queries first,
 * then templates. One entry can ask up to three times.
 */
export function questionsOf(canary: Canary): readonly Question[] {
  const { metrics } = canary.analysis;
  return [
    ...metrics.flatMap((metric) => kindsOf(metric).map((kind) => ({ canary, metric, kind }))),
    ...metrics
      .filter((metric) => metric.template !== undefined || kindsOf(metric).length === 0)
      .map((metric) => ({ canary, metric, kind: 'template' }) as const),
  ];
}

const builtIns: Readonly<Record<string, MetricKind>> = {
  'request-success-rate': 'success-rate',
  'request-duration': 'duration',
};

/** Whether a metric is one of the two every provider has an observer for. */
export function isBuiltIn({ name }: Metric): boolean {
  return Object.hasOwn(builtIns, name);
}

/** Asks one question. Throws {@link Unmeasured} for whatever kept it from being answered. */
export async function measure(
  deps: Deps,
  question: Question,
  signal?: AbortSignal,
): Promise<Measurement> {
  const { canary, metric, kind } = question;
  switch (kind) {
    case 'success-rate':
      return ask(deps, question, observers[observerOf[canary.provider]].successRate, signal);
    case 'duration':
      return ask(deps, question, observers[observerOf[canary.provider]].duration, signal);
    case 'inline':
      return ask(deps, question, metric.query ?? '', signal);
    case 'template':
      return askTemplate(deps, question, signal);
  }
}

/** The Prometheus of the built-in and inline queries. Throws {@link Unmeasured}. */
export function metricsServerOf({ settings }: Deps, { metricsServer }: Canary): MetricProvider {
  const address = metricsServer ?? settings.metricsServer;
  try {
    return prometheus({ address });
  } catch (error) {
    throw new Unmeasured(metricTexts.noClient(withoutLogin(address), messageOf(error)), {
      cause: error,
    });
  }
}

async function ask(
  deps: Deps,
  question: Question,
  text: string,
  signal?: AbortSignal,
): Promise<Measurement> {
  const rendered = await renderedFor(deps, question, text);
  if (rendered.ok) {
    return query(metricsServerOf(deps, question.canary), question, rendered.text, signal);
  }
  const why = `query render error: ${rendered.problem}`;
  throw new Unmeasured(metricTexts.queryFailed(question, why));
}

async function askTemplate(
  deps: Deps,
  question: Question,
  signal?: AbortSignal,
): Promise<Measurement> {
  const { metric } = question;
  if (metric.template === undefined) throw new Unmeasured(metricTexts.nothingToAsk);
  const template = await opened(deps.kube, metric.template, metric.interval, signal);
  const rendered = await renderedFor(deps, question, template.query);
  if (rendered.ok) return query(template.provider, question, rendered.text, signal);
  throw new Unmeasured(`Metric ${templateTexts.query(template.title, rendered.problem)}`);
}

async function renderedFor(
  deps: Deps,
  { canary, metric }: Question,
  text: string,
): Promise<Rendered> {
  return renderQuery(text, canary, metric, await knativeRevision(deps, canary));
}

/** The revision under analysis, if the target is a Service of Knative, whose metrics go by it. */
async function knativeRevision(
  { kube, workloads }: Deps,
  canary: Canary,
): Promise<string | undefined> {
  if (canary.target.kind !== 'KnativeService') return undefined;
  const ref = workloadRefs(canary).canary;
  const service = workloads.get(ref) ?? (await kube.find(ref));
  return service && latestRevisionOf(service as KnativeService);
}

async function opened(
  kube: Kube,
  ref: NonNullable<Metric['template']>,
  interval: string,
  signal?: AbortSignal,
): Promise<OpenTemplate> {
  try {
    return await openTemplate(kube, ref, interval, signal);
  } catch (error) {
    if (!(error instanceof TemplateTrouble)) throw error;
    throw new Unmeasured(`Metric ${error.message}`, { cause: error });
  }
}

/** An outage is a failed question, but that the check itself was called off is not. */
async function query(
  provider: MetricProvider,
  question: Question,
  text: string,
  signal?: AbortSignal,
): Promise<Measurement> {
  try {
    return await provider.query(text, signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw new Unmeasured(metricTexts.queryFailed(question, messageOf(error)), { cause: error });
  }
}

/** How a metric is asked for without a template. */
function kindsOf({ name, query = '' }: Metric): MetricKind[] {
  const builtIn = Object.hasOwn(builtIns, name) ? builtIns[name] : undefined;
  return [
    ...(builtIn === undefined ? [] : [builtIn]),
    ...(query === '' ? [] : (['inline'] as const)),
  ];
}

function withoutLogin(address: string): string {
  return address.replace(/^(\w+:\/\/)?.*@/, '$1');
}
