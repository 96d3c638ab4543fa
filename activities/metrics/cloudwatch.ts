import {
  CloudWatchClient,
  GetMetricDataCommand,
  type CloudWatchClientConfig,
  type GetMetricDataCommandInput,
  type MetricDataQuery,
} from '@aws-sdk/client-cloudwatch';

import type { Measurement } from '../../domain/threshold.js';
import { isFields, list, measured, noData, object, QueryRefused } from './answers.js';
import { queriesIn } from './cloudwatch-query.js';
import { askInTime } from './deadline.js';
import type { MetricProvider, ProviderConfig } from './provider.js';
import { credential, hiding } from './secrets.js';
import { windowOf } from './window.js';

const defaultTimeoutMs = 10_000;

/** As many pages are read until there is a value. */
const maxPages = 10;

/**
 * Amazon CloudWatch. The query is about the last ten intervals, and of its first result the newest
 * value counts. Without keys in the Secret the worker's own identity asks.
 * API: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
 */
export function cloudwatch(config: ProviderConfig): MetricProvider {
  const settings = settingsOf(config);
  const keys = keysIn(config);
  const asking = {
    what: `CloudWatch in ${String(settings.region)}`,
    timeoutMs: config.timeoutMs ?? defaultTimeoutMs,
    hide: hiding(Object.values(keys ?? {})),
  };

  async function ask<T>(act: (send: Send) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const client =
      keys === undefined
        ? workersClient(settings)
        : new CloudWatchClient({ ...settings, credentials: keys });
    try {
      return await askInTime({ ...asking, signal }, (abortSignal) =>
        act((input) => client.send(new GetMetricDataCommand(input), { abortSignal }).catch(retell)),
      );
    } finally {
      if (keys !== undefined) client.destroy();
    }
  }

  return {
    async query(text, signal) {
      const queries = queriesIn(text);
      const { from, to } = windowOf(config);
      const times = { StartTime: new Date(from), EndTime: new Date(to) };
      return ask((send) => newest(send, queries, times), signal);
    },
    ping: (signal) => ask(isThere, signal),
  };
}

type Times = Pick<GetMetricDataCommandInput, 'StartTime' | 'EndTime'>;

/** Sends one request; throws {@link AwsRefusal} when it is refused. */
type Send = (input: GetMetricDataCommandInput) => Promise<unknown>;

function settingsOf({
  region = '',
  address = '',
  insecureSkipVerify,
}: ProviderConfig): CloudWatchClientConfig {
  if (region === '') throw new Error('the region must be named, such as eu-west-1');
  if (address !== '' && !(/^https?:/.test(address) && URL.canParse(address))) {
    throw new Error('the address must be a URL such as https://monitoring.eu-west-1.amazonaws.com');
  }
  return {
    region,
    ...(address === '' ? {} : { endpoint: address }),
    ...(insecureSkipVerify === true
      ? { requestHandler: { httpsAgent: { rejectUnauthorized: false } } }
      : {}),
  };
}

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** The keys in the Secret, which may also have none. */
function keysIn(config: ProviderConfig): Keys | undefined {
  const { aws_session_token: sessionToken, ...given } = config.credentials ?? {};
  if (!('aws_access_key_id' in given) && !('aws_secret_access_key' in given)) return undefined;
  return {
    accessKeyId: credential(config, 'aws_access_key_id'),
    secretAccessKey: credential(config, 'aws_secret_access_key'),
    ...(sessionToken === undefined ? {} : { sessionToken }),
  };
}

const workersClients = new Map<string, CloudWatchClient>();

/** Clients with the worker's own identity are kept, because looking that up takes requests. */
function workersClient(settings: CloudWatchClientConfig): CloudWatchClient {
  const key = JSON.stringify(settings);
  const client = workersClients.get(key) ?? new CloudWatchClient(settings);
  workersClients.set(key, client);
  return client;
}

/** CloudWatch, or the network before it, has said no. */
class AwsRefusal extends Error {
  override readonly name = 'AwsRefusal';

  constructor(
    message: string,
    readonly status: number | undefined,
    /** AWS' name of what is wrong, such as `AccessDenied`. */
    readonly code: string,
  ) {
    super(status === undefined ? message : `HTTP ${String(status)}: ${code}: ${message}`);
  }
}

function retell(error: unknown): never {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const { $metadata: metadata } = isFields(error) ? error : {};
  const { httpStatusCode: status } = isFields(metadata) ? metadata : {};
  throw new AwsRefusal(message, typeof status === 'number' ? status : undefined, name);
}

async function newest(
  send: Send,
  queries: readonly MetricDataQuery[],
  times: Times,
): Promise<Measurement> {
  const wanted = queries.find(({ ReturnData = true }) => ReturnData)?.Id;
  let NextToken: string | undefined;
  for (let page = 0; page < maxPages; page += 1) {
    const answer = await send({
      ...{ MetricDataQueries: [...queries], ...times, NextToken },
      ScanBy: 'TimestampDescending',
    });
    const measurement = newestIn(answer, wanted);
    const { NextToken: next } = object(answer, 'the answer');
    if (measurement.kind === 'value' || typeof next !== 'string') return measurement;
    NextToken = next;
  }
  throw new Error(`no value on ${String(maxPages)} pages`);
}

/** Reads the first value of the result with this id. */
export function newestIn(answer: unknown, wanted: string | undefined): Measurement {
  const { MetricDataResults } = object(answer, 'the answer');
  const results = list(MetricDataResults, 'MetricDataResults').map((one) =>
    object(one, 'a result'),
  );
  const result = results.find(({ Id }) => Id === wanted);
  if (result === undefined) return noData;
  const { StatusCode, Values, Messages } = result;
  if (StatusCode === 'Forbidden' || StatusCode === 'InternalError') {
    throw new QueryRefused(`${StatusCode} ${JSON.stringify(Messages ?? [])}`);
  }
  const [value] = list(Values ?? [], 'Values');
  return value === undefined ? noData : measured(value);
}

/** What AWS calls it when the identity is wrong, which it also answers with status 400. */
const identityTrouble = /access|auth|client|credential|expired|optin|security|signature|token/i;

/** A query about nothing is refused as such by whoever would answer one about something. */
async function isThere(send: Send): Promise<void> {
  const now = new Date();
  try {
    await send({ MetricDataQueries: [], StartTime: now, EndTime: now });
  } catch (error) {
    const isOnlyEmpty =
      error instanceof AwsRefusal && error.status === 400 && !identityTrouble.test(error.code);
    if (!isOnlyEmpty) throw error;
  }
}
