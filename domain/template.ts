import { formatNumber } from './number.js';
import {
  parseTemplate,
  TemplateProblem,
  type Command,
  type Node,
  type Operand,
  type Pipeline,
} from './template-syntax.js';

/** The values a metric template can insert. */
export interface TemplateValues {
  readonly name: string;
  readonly namespace: string;
  readonly target: string;
  readonly service: string;
  readonly ingress: string;
  readonly route: string;
  readonly interval: string;
  readonly variables: Readonly<Record<string, string>>;
}

export type Rendered =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly problem: string };

/**
 * Renders a metric template. Values are inserted as they are, without any escaping; an unknown
 * name, a missing variable or a syntax error gives a problem that names it and what is allowed.
 */
export function renderTemplate(text: string, values: TemplateValues): Rendered {
  try {
    return { ok: true, text: renderNodes(parseTemplate(text), values) };
  } catch (error) {
    if (error instanceof TemplateProblem) return { ok: false, problem: error.message };
    throw error;
  }
}

type Value = string | number | boolean | Readonly<Record<string, string>>;

const names = [
  'name',
  'namespace',
  'target',
  'service',
  'ingress',
  'route',
  'interval',
  'variables',
] as const satisfies readonly (keyof TemplateValues)[];

type Call = (args: readonly Value[]) => Value;

const functions: Readonly<Record<string, Call>> = {
  index: ([map = '', ...keys]) => keys.reduce(entryOf, map),
  printf: ([format = '', ...args]) => printf(format, args),
  len: ([value = '']) => sizeOf(value),
  eq: ([left, ...rest]) => rest.some((right) => right === left),
  ne: ([left, right]) => left !== right,
  not: ([value = '']) => !isTrue(value),
  and: (args) => args.find((value) => !isTrue(value)) ?? args.at(-1) ?? '',
  or: (args) => args.find(isTrue) ?? args.at(-1) ?? '',
};

/** The fewest arguments of each function, as in Go. */
const fewest: Readonly<Record<string, number>> = {
  index: 1,
  printf: 1,
  len: 1,
  eq: 2,
  ne: 2,
  not: 1,
  and: 1,
  or: 1,
};

function renderNodes(nodes: readonly Node[], values: TemplateValues): string {
  return nodes.map((node) => renderNode(node, values)).join('');
}

function renderNode(node: Node, values: TemplateValues): string {
  if (node.kind === 'text') return node.text;
  try {
    if (node.kind === 'print') return print(evaluate(node.pipeline, values));
    return renderNodes(
      isTrue(evaluate(node.condition, values)) ? node.then : node.otherwise,
      values,
    );
  } catch (error) {
    throw located(error, node.line);
  }
}

function evaluate(pipeline: Pipeline, values: TemplateValues): Value {
  let passed: Value[] = [];
  for (const command of pipeline) passed = [run(command, passed, values)];
  return passed[0] ?? '';
}

/** Runs one command; `passed` is what the command before it in the pipeline gave, if any. */
function run([first, ...rest]: Command, passed: readonly Value[], values: TemplateValues): Value {
  if (first === undefined) throw new TemplateProblem('a value is missing');
  const call = first.kind === 'name' ? functionOf(first.name) : undefined;
  if (first.kind !== 'name' || call === undefined) {
    if (rest.length + passed.length > 0) {
      throw new TemplateProblem(`${describe(first)} takes no arguments`);
    }
    return valueOf(first, values);
  }
  if (first.fields.length > 0) throw new TemplateProblem(`${first.name} has no fields`);
  const args = [...rest.map((operand) => valueOf(operand, values)), ...passed];
  if (args.length < (fewest[first.name] ?? 0)) {
    throw new TemplateProblem(`${first.name} needs more arguments`);
  }
  return call(args);
}

function valueOf(operand: Operand, values: TemplateValues): Value {
  const value = bareValueOf(operand, values);
  return operand.fields.reduce(
    (map, field) => fieldOf(map, field, describe({ ...operand, fields: [] })),
    value,
  );
}

function bareValueOf(operand: Operand, values: TemplateValues): Value {
  switch (operand.kind) {
    case 'literal':
      return operand.value;
    case 'group':
      return evaluate(operand.pipeline, values);
    case 'name': {
      const known = names.find((name) => name === operand.name);
      if (known !== undefined) return values[known];
      if (functionOf(operand.name) !== undefined) return run([operand], [], values);
      throw new TemplateProblem(
        `${JSON.stringify(operand.name)} is not defined (allowed: ${[...names, ...Object.keys(functions)].join(', ')})`,
      );
    }
  }
}

function functionOf(name: string): Call | undefined {
  return Object.hasOwn(functions, name) ? functions[name] : undefined;
}

function fieldOf(map: Value, field: string, of: string): Value {
  if (typeof map !== 'object') throw new TemplateProblem(`${of} has no field ${field}`);
  const value = Object.hasOwn(map, field) ? map[field] : undefined;
  if (value !== undefined) return value;
  const keys = Object.keys(map).sort().join(', ');
  throw new TemplateProblem(
    `variable ${JSON.stringify(field)} is missing in templateVariables (it has: ${keys || 'nothing'})`,
  );
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
  if (verb === '%d' && typeof value === 'number') return String(Math.trunc(value));
  if (letter === 'f' && typeof value === 'number')
    return value.toFixed(Number(precision?.slice(1) ?? 6));
  throw new TemplateProblem(
    `printf: ${verb} does not print ${print(value)} (known: %s %v %q %d %f)`,
  );
}

function print(value: Value): string {
  if (typeof value === 'number') return formatNumber(value);
  if (typeof value !== 'object') return String(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, entry]) => `${key}:${entry}`).join(' ')}]`;
}

function sizeOf(value: Value): number {
  if (typeof value === 'string') return value.length;
  if (typeof value === 'object') return Object.keys(value).length;
  throw new TemplateProblem('len works on strings and variables only');
}

function isTrue(value: Value): boolean {
  return typeof value === 'object' ? Object.keys(value).length > 0 : Boolean(value);
}

function describe(operand: Operand): string {
  const shown = { literal: 'a literal', group: 'an expression', name: '' }[operand.kind];
  return operand.kind === 'name' ? [operand.name, ...operand.fields].join('.') : shown;
}

function located(error: unknown, line: number): unknown {
  if (!(error instanceof TemplateProblem) || /^line \d+: /.test(error.message)) return error;
  return new TemplateProblem(`line ${String(line)}: ${error.message}`);
}
