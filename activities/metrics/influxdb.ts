import { parse } from 'csv-parse/sync';

import type { Measurement } from '../../domain/threshold.js';
import { measuredText, noData, QueryRefused, UnexpectedAnswer } from './answers.js';
import { connect } from './back-end.js';
import type { MetricProvider, ProviderConfig } from './provider.js';
import { credential } from './secrets.js';

/** How results are to be written: as annotated CSV, which says the types of its columns. */
const dialect = { annotations: ['datatype', 'group', 'default'], delimiter: ',', header: true };

/**
 * InfluxDB 2. The query is written in Flux, and the `_value` of the first record counts, whatever
 * type of number it is.
 * API: https://docs.influxdata.com/influxdb/v2/api-guide/api_intro/#query-api
 */
export function influxdb(config: ProviderConfig): MetricProvider {
  const { credentials } = config;
  const token = credentials === undefined ? undefined : credential(config, 'token');
  const params = new URLSearchParams(
    credentials === undefined ? {} : { org: credential(config, 'org') },
  );
  const ask = connect(config, {
    example: 'http://influxdb:8086',
    timeoutMs: 15_000,
    ...(token === undefined
      ? {}
      : { login: { Authorization: `Token ${token}` }, secrets: [token] }),
  });
  const query: MetricProvider['query'] = (text, signal) => {
    const json = { dialect, query: text, type: 'flux' };
    return ask({ path: 'api/v2/query', params, json, read: readInflux, signal });
  };

  return {
    query,
    async ping(signal) {
      const text = 'from(bucket: "default") |> range(start: -2h)';
      const json = { dialect, query: text, type: 'flux' };
      await ask({ path: 'api/v2/query', params, json, read: () => undefined, signal });
    },
  };
}

/**
 * Reads annotated CSV: tables apart by empty lines, each with annotations, a line of column names,
 * and records. An error that comes up while the answer is being written is a table of its own.
 * Format: https://docs.influxdata.com/influxdb/v2/reference/syntax/annotated-csv/
 */
export function readInflux(body: string): Measurement {
  const records = tablesIn(rowsOf(body)).flatMap(recordsOf);
  const failed = records.find((record) => record.has('error'));
  if (failed !== undefined) throw new QueryRefused(failed.get('error')?.value ?? '');
  const [first] = records;
  return first === undefined ? noData : valueIn(first);
}

type Row = readonly string[];

/** A field of a record, and what type its column has. */
interface Field {
  readonly value: string;
  readonly type: string | undefined;
}

function rowsOf(body: string): readonly Row[] {
  try {
    return parse(body, { bom: true, relax_column_count: true });
  } catch {
    throw new UnexpectedAnswer('unreadable answer');
  }
}

function tablesIn(rows: readonly Row[]): readonly (readonly Row[])[] {
  const tables: Row[][] = [[]];
  for (const row of rows) {
    if (row.every((cell) => cell === '')) tables.push([]);
    else tables.at(-1)?.push(row);
  }
  return tables.filter(({ length }) => length > 0);
}

function recordsOf(table: readonly Row[]): readonly ReadonlyMap<string, Field>[] {
  const annotation = (name: string): Row => table.find(([cell]) => cell === `#${name}`) ?? [];
  const [types, defaults] = [annotation('datatype'), annotation('default')];
  const [names, ...records] = table.filter(([cell = '']) => !cell.startsWith('#'));
  if (names === undefined) return [];
  if (names[0] !== '' || names.length < 2) throw new UnexpectedAnswer('unreadable answer');
  return records.map((record) => {
    if (record.length !== names.length) throw new UnexpectedAnswer('a record is of another length');
    const fields = names.map((name, i): [string, Field] => {
      const value = record[i] ?? '';
      return [name, { value: value === '' ? (defaults[i] ?? '') : value, type: types[i] }];
    });
    return new Map(fields);
  });
}

const numberTypes = ['double', 'long', 'unsignedLong'];

function valueIn(record: ReadonlyMap<string, Field>): Measurement {
  const field = record.get('_value');
  if (field === undefined) throw new UnexpectedAnswer('the query gives no column _value');
  const { value, type = 'no type' } = field;
  if (!numberTypes.includes(type)) throw new UnexpectedAnswer(`_value is of ${type}, not a number`);
  return value === '' ? noData : measuredText(value);
}
