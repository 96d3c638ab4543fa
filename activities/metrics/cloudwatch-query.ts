import type { MetricDataQuery } from '@aws-sdk/client-cloudwatch';

type Shape = 'string' | 'boolean' | 'integer' | readonly [Fields] | Fields;
interface Fields {
  readonly [name: string]: Shape;
}

/** API: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataQuery.html */
const metricDataQuery: Fields = {
  Id: 'string',
  Expression: 'string',
  Label: 'string',
  AccountId: 'string',
  Period: 'integer',
  ReturnData: 'boolean',
  MetricStat: {
    Metric: {
      Namespace: 'string',
      MetricName: 'string',
      Dimensions: [{ Name: 'string', Value: 'string' }],
    },
    Period: 'integer',
    Stat: 'string',
    Unit: 'string',
  },
};

/**
 * Reads a query, a list of `MetricDataQueries` in JSON. Capitals in the names of fields do not
 * count, and fields of other names are left out. Throws an error that names the field.
 */
export function queriesIn(text: string): readonly MetricDataQuery[] {
  const value = jsonIn(text);
  if (!Array.isArray(value) || value.length === 0) {
    throw new Error('the query must be a list of MetricDataQueries in JSON');
  }
  return conforming(value, [metricDataQuery], 'query') as MetricDataQuery[];
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function conforming(value: unknown, shape: Shape, path: string): unknown {
  if (typeof shape === 'string') return primitive(value, shape, path);
  if (isList(shape)) {
    if (!Array.isArray(value)) throw new Error(`${path} must be a list`);
    return value.map((item, i) => conforming(item, shape[0], `${path}[${String(i)}]`));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`${path} must be an object`);
  }
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, part]) => {
      const name = Object.keys(shape).find((one) => one.toLowerCase() === key.toLowerCase());
      const partShape = name === undefined ? undefined : shape[name];
      if (name === undefined || partShape === undefined || part === null) return [];
      return [[name, conforming(part, partShape, `${path}.${name}`)]];
    }),
  );
}

function isList(shape: Exclude<Shape, string>): shape is readonly [Fields] {
  return Array.isArray(shape);
}

function primitive(value: unknown, type: Extract<Shape, string>, path: string): unknown {
  const fits = type === 'integer' ? Number.isInteger(value) : typeof value === type;
  if (fits) return value;
  throw new Error(`${path} must be ${type === 'integer' ? 'an' : 'a'} ${type}`);
}
