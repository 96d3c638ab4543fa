import type { Measurement } from '../../domain/threshold.js';
import {
  list,
  listOf,
  measured,
  measuredText,
  noData,
  object,
  UnexpectedAnswer,
} from './answers.js';
import { basicLogin, connect } from './back-end.js';
import type { MetricProvider, ProviderConfig } from './provider.js';
import { credential } from './secrets.js';

/**
 * Graphite. The query is what the render API takes in its URL, such as `target=a.b&from=-5min`; the
 * last point of the last series that has one counts.
 * API: https://graphite.readthedocs.io/en/latest/render_api.html
 */
export function graphite(config: ProviderConfig): MetricProvider {
  const ask = connect(config, {
    example: 'http://graphite',
    timeoutMs: 5_000,
    ...(config.credentials === undefined
      ? {}
      : basicLogin(credential(config, 'username'), credential(config, 'password'))),
  });
  const query: MetricProvider['query'] = (text, signal) =>
    ask({ path: 'render', params: paramsIn(text), read: readGraphite, signal });

  return {
    query,
    async ping(signal) {
      await query('target=test', signal);
    },
  };
}

/** Templates are written over several lines, which no target and no time means. */
function paramsIn(text: string): URLSearchParams {
  const params = new URLSearchParams();
  for (const [name, value] of new URLSearchParams(text.replaceAll(/\s+/g, ' '))) {
    params.append(name.trim(), value.trim());
  }
  params.set('format', 'json');
  return params;
}

/** Reads what is rendered as JSON. */
export function readGraphite(body: string): Measurement {
  const points = listOf(body).flatMap((series) => {
    const { datapoints } = object(series, 'a series');
    return list(datapoints, 'datapoints');
  });
  return points.map(valueOf).findLast((value) => value !== undefined) ?? noData;
}

/** A point is `[number or null, epoch seconds]`; some servers write numbers in words. */
function valueOf(point: unknown): Measurement | undefined {
  const [value, ...rest] = list(point, 'a point');
  if (value === undefined || rest.length !== 1) {
    throw new UnexpectedAnswer('a point is not a value and a time');
  }
  if (value === null) return undefined;
  return typeof value === 'string' ? measuredText(value) : measured(value);
}
