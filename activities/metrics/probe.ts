import { Context } from '@temporalio/activity';

import type { Canary } from '../../domain/canary.js';
import { metricTexts } from '../../domain/metric-texts.js';
import type { EventText } from '../../domain/moves.js';
import type { Deps } from '../deps.js';
import { isBuiltIn, metricsServerOf } from './measure.js';
import type { MetricProvider } from './provider.js';
import { messageOf, openTemplate, TemplateTrouble } from './templates.js';

/**
 * Asks every metric provider of a Canary whether it is there, for the event that tells so while
 * the canary is initialised. Undefined when the analysis is skipped anyway.
 */
export async function probeProviders(deps: Deps, canary: Canary): Promise<EventText | undefined> {
  if (canary.skipAnalysis) return undefined;
  const signal = Context.current().cancellationSignal;
  try {
    await pingAll(deps, canary, signal);
    return metricTexts.available;
  } catch (error) {
    signal.throwIfAborted();
    const lead = error instanceof TemplateTrouble ? 'metric ' : '';
    return metricTexts.unavailable(`${lead}${messageOf(error)}`);
  }
}

async function pingAll(deps: Deps, canary: Canary, signal: AbortSignal): Promise<void> {
  for (const metric of canary.analysis.metrics) {
    if (isBuiltIn(metric)) {
      const provider = metricsServerOf(deps, canary);
      await ping(provider, 'prometheus', signal);
    } else if (metric.template !== undefined) {
      const { kube } = deps;
      const { template, interval } = metric;
      const { provider, type, title } = await openTemplate(kube, template, interval, signal);
      await ping(provider, `${type} in metric template ${title}`, signal);
    }
  }
}

async function ping(provider: MetricProvider, what: string, signal: AbortSignal): Promise<void> {
  try {
    await provider.ping(signal);
  } catch (error) {
    throw new Error(metricTexts.notAvailable(what, messageOf(error)), { cause: error });
  }
}
