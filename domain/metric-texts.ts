import type { EventText } from './moves.js';
import type { Names } from './names.js';
import type { Question } from './threshold.js';

/**
 * The sentences about metrics that could not be asked for, and about repaired routes. As with all
 * events the words, spelling included, are Flagger's, since people grep for them.
 */
export const metricTexts = {
  queryFailed({ kind, metric }: Question, why: string): string {
    if (kind === 'template') return `Metric query failed for ${metric.name}: ${why}`;
    const subject = kind === 'inline' ? ` for ${metric.name}` : '';
    return `Prometheus query failed${subject}: ${why}`;
  },
  nothingToAsk: 'Metric query failed for no usable metrics template and query were configured',
  noClient: (url: string, why: string) => `Error building Prometheus client for ${url} ${why}`,
  available: normal('all the metrics providers are available!'),
  unavailable: (why: string) => warning(`Error checking metric providers: ${why}`),
  notAvailable: (what: string, why: string) => `${what} not avaiable: ${why}`,
  /** A metric without a value that neither fails the check nor lets it pass. */
  undecided: (reason: string, policy: 'hold' | 'extend') =>
    warning(
      policy === 'hold'
        ? `${reason} (on hold until there is a value)`
        : `${reason} (the analysis is extended)`,
    ),
  weightRestored: ({ canary }: Names, weight: number) =>
    warning(`Routes of ${canary} were changed by someone else, restored canary weight ${weight}`),
  routesRestored: ({ canary }: Names, weight: number) =>
    warning(
      `Routes of ${canary} differed from its manifest, brought back in line at canary weight ${weight}`,
    ),
} as const;

/** What is wrong with a metric template, as the end of a sentence about the metric. */
export const templateTexts = {
  missing: (template: string, why: string) => `template ${template} error: ${why}`,
  secret: (template: string, secret: string, why: string) =>
    `template ${template} secret ${secret} error: ${why}`,
  provider: (template: string, type: string, why: string) =>
    `template ${template} provider ${type} error: ${why}`,
  query: (template: string, why: string) => `template ${template} query render error: ${why}`,
} as const;

function normal(message: string): EventText {
  return { type: 'Normal', message };
}

function warning(message: string): EventText {
  return { type: 'Warning', message };
}
