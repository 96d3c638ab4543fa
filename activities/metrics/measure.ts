import type { Canary, Metric } from '../../domain/canary.js';
import { metricTexts } from '../../domain/metric-texts.js';
import { observerOf } from '../../domain/providers.js';
import type { Rendered } from '../../domain/template.js';
import type { Measurement, Question } from '../../domain/threshold.js';
import type { Deps } from '../deps.js';
import { observers } from '../observers/index.js';
import { prometheus } from './prometheus.js';
import type { MetricProvider } from './provider.js';
import { messageOf, openTemplate, renderQuery, TemplateTrouble } from './templates.js';

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
    ...metrics.flatMap((metric) => [
      ...(metric.name === 'request-success-rate'
        ? [{ canary, metric, kind: 'success-rate' } as const]
        : []),
      ...(metric.name === 'request-duration'
        ? [{ canary, metric, kind: 'duration' } as const]
        : []),
      ...(hasQuery(metric) ? [{ canary, metric, kind: 'inline' } as const] : []),
    ]),
    ...metrics
      .filter((metric) => metric.template !== undefined || !isAskedBefore(metric))
      .map((metric) => ({ canary, metric, kind: 'template' }) as const),
  ];
}

/** Whether a metric is one of the two every provider has an observer for. */
export function isBuiltIn({ name }: Metric): boolean {
  return name === 'request-success-rate' || name === 'request-duration';
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
  const rendered = renderQuery(text, question.canary, question.metric);
  if (!rendered.ok) {
    throw new Unmeasured(
      metricTexts.queryFailed(question, `query render error: ${rendered.problem}`),
    );
  }
  const provider = metricsServerOf(deps, question.canary);
  return run(question, () => provider.query(rendered.text, signal), signal);
}

async function askTemplate(
  { kube }: Deps,
  question: Question,
  signal?: AbortSignal,
): Promise<Measurement> {
  const { canary, metric } = question;
  if (metric.template === undefined) throw new Unmeasured(metricTexts.nothingToAsk);
  const { title, query, provider } = await opened(() =>
    openTemplate(kube, metric.template, signal),
  );
  const rendered: Rendered = renderQuery(query, canary, metric);
  if (!rendered.ok) throw new Unmeasured(`Metric ${templateTexts.query(title, rendered.problem)}`);
  return run(question, () => provider.query(rendered.text, signal), signal);
}
