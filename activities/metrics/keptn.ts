import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { KubeObject } from '../../domain/objects.js';
import type { Measurement } from '../../domain/threshold.js';
import { refOf, type Kube } from '../kube.js';
import { isFields, measuredText, noData, object, UnexpectedAnswer } from './answers.js';
import { askInTime, type Asking } from './deadline.js';
import { inquiryIn, type Inquiry } from './keptn-query.js';
import type { MetricProvider, ProviderConfig } from './provider.js';

const apiVersion = 'metrics.keptn.sh/v1beta1';
const metricTimeoutMs = 5_000;
const analysisTimeoutMs = 10_000;
const pollMs = 1_000;
const removalTimeoutMs = 5_000;

/**
 * Keptn, by its objects in the API server: the value of a KeptnMetric, or the verdict of an
 * Analysis, which is made for the query and removed after it, as 1 or 0.
 * API: https://keptn.sh/stable/docs/reference/api-reference/metrics/v1beta1/
 */
export function keptn({ kube, timeoutMs }: ProviderConfig): MetricProvider {
  if (kube === undefined) throw new Error('it needs the Kubernetes API');
  const asking = (what: string, usualMs: number, signal?: AbortSignal): Asking => ({
    ...{ what, timeoutMs: timeoutMs ?? usualMs, signal },
    // Nothing but the worker's own login is sent, which no answer of the API server holds.
    hide: (text) => text,
  });

  return {
    async query(text, signal) {
      const inquiry = inquiryIn(text);
      const { kind, namespace, name } = inquiry;
      const what = `${kind} ${namespace}/${name}`;
      if (kind === 'Analysis') {
        return analyse(kube, inquiry, asking(what, analysisTimeoutMs, signal));
      }
      return askInTime(asking(what, metricTimeoutMs, signal), async (either) =>
        valueIn(await kube.find({ apiVersion, kind, namespace, name }, either)),
      );
    },
    ping: (signal) =>
      askInTime(asking(apiVersion, metricTimeoutMs, signal), async (either) => {
        const answer = await kube.get(`/apis/${apiVersion}`, { signal: either });
        if (!isFields(answer) || answer['kind'] !== 'APIResourceList') {
          throw new UnexpectedAnswer('the answer is no list of kinds');
        }
      }),
  };
}

/** Reads a KeptnMetric; one that nothing was measured for yet has no value. */
export function valueIn(answer: unknown): Measurement {
  if (answer === undefined) throw new Error('not found');
  const { kind, status = {} } = object(answer, 'the answer');
  if (kind !== 'KeptnMetric') throw new UnexpectedAnswer('the answer is no KeptnMetric');
  const { value = '', errMsg = '' } = object(status, 'status');
  if (errMsg !== '') throw new Error(`Keptn could not measure it: ${JSON.stringify(errMsg)}`);
  if (value === '') return noData;
  if (typeof value !== 'string') throw new UnexpectedAnswer('status.value is not in words');
  return measuredText(value);
}

async function analyse(kube: Kube, inquiry: Inquiry, asking: Asking): Promise<Measurement> {
  const analysis = analysisOf(inquiry);
  const remove = (): Promise<void> =>
    askInTime(
      {
        ...asking,
        what: `removal of ${asking.what}`,
        timeoutMs: removalTimeoutMs,
        signal: undefined,
      },
      (signal) => kube.remove(refOf(analysis), signal),
    );
  try {
    const verdict = await askInTime(asking, async (signal) => {
      await kube.create(analysis, signal);
      return completed(kube, analysis, signal);
    });
    await remove();
    return verdict;
  } catch (error) {
    // It may be there even if nobody said so. What went wrong first is what is told.
    await remove().catch(() => undefined);
    throw error;
  }
}

function analysisOf({ namespace, name, timeframe, args }: Inquiry): KubeObject & { spec: object } {
  const suffix = randomBytes(3).toString('hex');
  return {
    apiVersion,
    kind: 'Analysis',
    metadata: { namespace, name: `${name}-${suffix}` },
    spec: { analysisDefinition: { name }, timeframe: { recent: timeframe }, args },
  };
}

async function completed(
  kube: Kube,
  analysis: KubeObject,
  signal: AbortSignal,
): Promise<Measurement> {
  for (;;) {
    const verdict = verdictIn(await kube.find(refOf(analysis), signal));
    if (verdict !== undefined) return verdict;
    await sleep(pollMs, undefined, { signal });
  }
}

/** Reads an Analysis: 1 when it passed, 0 when not, undefined while it is under way. */
export function verdictIn(answer: unknown): Measurement | undefined {
  if (answer === undefined) throw new Error('somebody has removed it');
  const { kind, status = {} } = object(answer, 'the answer');
  if (kind !== 'Analysis') throw new UnexpectedAnswer('the answer is no Analysis');
  // Keptn leaves out what is false.
  const { state, pass = false } = object(status, 'status');
  if (state !== 'Completed') return undefined;
  if (typeof pass !== 'boolean')
    throw new UnexpectedAnswer('status.pass is neither true nor false');
  return { kind: 'value', value: pass ? 1 : 0 };
}
