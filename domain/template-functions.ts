import { formatNumber } from './number.js';
import { TemplateProblem } from './template-syntax.js';

/** Whatever a template can compute with. */
export type Value = string | number | boolean | Readonly<Record<string, string>>;

interface TemplateFunction {
  /** The fewest arguments, as in Go. */
  readonly fewest: number;
  readonly call: (args: readonly Value[]) => Value;
}

/**
 * The functions of templates, but for `and` and `or`, which evaluate no more than they need.
 * Semantics: https://pkg.go.dev/text/template#hdr-Functions
 */
export const functions: Readonly<Record<string, TemplateFunction>> = {
  index: { fewest: 1, call: ([map = '', ...keys]) => keys.reduce(entryOf, map) },
  print: { fewest: 0, call: printAll },
  println: { fewest: 0, call: (args) => `${args.map(print).join(' ')}\n` },
  printf: { fewest: 1, call: ([format = '', ...args]) => printf(format, args) },
  urlquery: { fewest: 0, call: (args) => queryEscape(printAll(args)) },
  len: { fewest: 1, call: ([value = '']) => sizeOf(value) },
  eq: {
    fewest: 2,
    call: ([left = '', ...rest]) => rest.some((right) => compare(left, right) === 0),
  },
  ne: { fewest: 2, call: ([left = '', right = '']) => compare(left, right) !== 0 },
  lt: { fewest: 2, call: ([left = '', right = '']) => order(left, right) < 0 },
  le: { fewest: 2, call: ([left = '', right = '']) => order(left, right) <= 0 },
  gt: { fewest: 2, call: ([left = '', right = '']) => order(left, right) > 0 },
  ge: { fewest: 2, call: ([left = '', right = '']) => order(left, right) >= 0 },
  not: { fewest: 1, call: ([value = '']) => !isTrue(value) },
  // Not of Go but of Sprig: for products whose metrics spell names otherwise.
  replace: {
    fewest: 3,
    call: ([from = '', to = '', text = '']) => print(text).replaceAll(print(from), () => print(to)),
  },
};

/** Whether a value counts as true: all but zero and what is empty does. */
export function isTrue(value: Value): boolean {
  return typeof value === 'object' ? Object.keys(value).length > 0 : Boolean(value);
}

/** Prints a value as Go does. */
export function print(value: Value): string {
  if (typeof value === 'number') return formatNumber(value);
  if (typeof value !== 'object') return String(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, entry]) => `${key}:${entry}`).join(' ')}]`;
}

/** Go puts a space between two values of which neither is a string. */
function printAll(args: readonly Value[]): string {
  return args
    .map((value, i) => {
      const previous = args[i - 1];
      const apart =
        previous !== undefined && [previous, value].every((one) => typeof one !== 'string');
      return `${apart ? ' ' : ''}${print(value)}`;
    })
    .join('');
}

/** As a part of a URL's query, spaces as `+`. */
function queryEscape(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}

/** Zero when both are the same; values of different types are not compared. */
function compare(left: Value, right: Value): number {
  if (typeof left !== typeof right || typeof left === 'object') {
    throw new TemplateProblem(`${print(left)} and ${print(right)} cannot be compared`);
  }
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function order(left: Value, right: Value): number {
  if (typeof left === 'boolean') throw new TemplateProblem('truths have no order');
  return compare(left, right);
}

/** Go's `index`: a key the map does not have gives the empty string. */
function entryOf(map: Value, key: Value): Value {
  if (typeof map !== 'object') throw new TemplateProblem('index works on variables only');
  const name = typeof key === 'object' ? '' : String(key);
  return Object.hasOwn(map, name) ? (map[name] ?? '') : '';
}

function printf(format: Value, args: readonly Value[]): string {
  if (typeof format !== 'string') throw new TemplateProblem('printf needs a format string');
  const left = [...args];
  const text = format.replaceAll(
    /%(\.\d{1,2})?([^])?/g,
    (verb, precision?: string, letter?: string) => {
      if (verb === '%%') return '%';
      const value = left.shift();
      if (value === undefined) throw new TemplateProblem(`printf: nothing is given for ${verb}`);
      return formatted(value, verb, precision, letter);
    },
  );
  if (left.length > 0) throw new TemplateProblem('printf: more values than verbs');
  return text;
}

function formatted(value: Value, verb: string, precision?: string, letter?: string): string {
  if (precision === undefined && (letter === 's' || letter === 'v')) return print(value);
  if (verb === '%q' && typeof value === 'string') return JSON.stringify(value);
  const number = typeof value === 'number' ? formattedNumber(value, verb, precision) : undefined;
  if (number !== undefined) return number;
  throw new TemplateProblem(
    `printf: ${verb} does not print ${print(value)} (known: %s %v %q %d %f)`,
  );
}

function formattedNumber(value: number, verb: string, precision = '.6'): string | undefined {
  if (verb === '%d' && Number.isInteger(value)) return String(value);
  return verb.endsWith('f') ? value.toFixed(Number(precision.slice(1))) : undefined;
}

/** Go counts the bytes of a string. */
function sizeOf(value: Value): number {
  if (typeof value === 'string') return queryEscape(value).replaceAll(/%../g, '.').length;
  if (typeof value === 'object') return Object.keys(value).length;
  throw new TemplateProblem('len works on strings and variables only');
}
