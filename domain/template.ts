import { functions, isTrue, print, type Value } from './template-functions.js';
import {
  parseTemplate,
  TemplateProblem,
  type Block,
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
  const scope = { values, variables: new Map(), budget: { left: maxLength } };
  try {
    return { ok: true, text: renderNodes(parseTemplate(text), scope) };
  } catch (error) {
    if (error instanceof TemplateProblem) return { ok: false, problem: error.message };
    throw error;
  }
}

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

/** Evaluated with no more of their arguments than they need. */
const lazy = ['and', 'or'];
const allowed = [...names, ...Object.keys(functions), ...lazy].join(', ');

/** What is known at a place in a template. */
interface Scope {
  readonly values: TemplateValues;
  /** What `.` stands for within `range` and `with`. */
  readonly dot?: Value;
  /** In boxes, which an assignment within a block changes for those around it. */
  readonly variables: Map<string, { value: Value }>;
  readonly budget: { left: number };
}

/** The longest text, and the longest value of a function, in characters: nested ranges multiply. */
const maxLength = 250_000;
const maxValueLength = 10_000;

function within(scope: Scope, dot = scope.dot): Scope {
  const variables = new Map(scope.variables);
  return { ...scope, variables, ...(dot === undefined ? {} : { dot }) };
}

function renderNodes(nodes: readonly Node[], scope: Scope): string {
  return nodes.map((node) => renderNode(node, scope)).join('');
}

function renderNode(node: Node, scope: Scope): string {
  if (node.kind === 'text') return spent(node.text, scope);
  try {
    return node.kind === 'print' ? renderPrint(node.pipeline, scope) : renderBlock(node, scope);
  } catch (error) {
    throw located(error, node.line);
  }
}

function renderPrint(pipeline: Pipeline, scope: Scope): string {
  const value = evaluate(pipeline, scope);
  return spent(pipeline.names.length > 0 ? '' : print(value), scope);
}

function spent(text: string, { budget }: Scope): string {
  budget.left -= 1 + text.length;
  if (budget.left < 0) throw new TemplateProblem('the text becomes too long');
  return text;
}

function renderBlock({ kind, pipeline, then, otherwise }: Block, outer: Scope): string {
  const scope = within(outer);
  if (kind === 'range') return renderRange({ pipeline, then, otherwise }, scope);
  const value = evaluate(pipeline, scope);
  if (!isTrue(value)) return renderNodes(otherwise, scope);
  return renderNodes(then, kind === 'with' ? within(scope, value) : scope);
}

/** Goes through the variables, in the order of their keys. */
function renderRange(
  { pipeline, then, otherwise }: Pick<Block, 'pipeline' | 'then' | 'otherwise'>,
  scope: Scope,
): string {
  const map = evaluate({ ...pipeline, names: [] }, scope);
  if (typeof map !== 'object') throw new TemplateProblem('range works on variables only');
  const entries = Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return renderNodes(otherwise, scope);
  const rounds = entries.map(([key, value]) => {
    const round = within(scope, value);
    const taken = pipeline.names.length > 1 ? [key, value] : [value];
    pipeline.names.forEach((name, i) => take(name, taken[i] ?? '', pipeline.declares, round));
    return spent('', round) + renderNodes(then, round);
  });
  return rounds.join('');
}

function take(name: string, value: Value, declares: boolean, { variables }: Scope): void {
  const box = variables.get(name);
  if (declares) variables.set(name, { value });
  else if (box === undefined) throw new TemplateProblem(`${name} is not defined`);
  else box.value = value;
}

function evaluate({ commands, names: taking, declares }: Pipeline, scope: Scope): Value {
  let passed: Value[] = [];
  for (const command of commands) passed = [run(command, passed, scope)];
  const [value = ''] = passed;
  for (const name of taking) take(name, value, declares, scope);
  return value;
}

/** Runs one command; `passed` is what the command before it in the pipeline gave, if any. */
function run([first, ...rest]: Command, passed: readonly Value[], scope: Scope): Value {
  if (first === undefined) throw new TemplateProblem('a value is missing');
  if (first.kind !== 'name' || !isFunction(first.name)) {
    if (rest.length + passed.length > 0) {
      throw new TemplateProblem(`${describe(first)} takes no arguments`);
    }
    return valueOf(first, scope);
  }
  const { name, fields } = first;
  if (fields.length > 0) throw new TemplateProblem(`${name} has no fields`);
  const given = [
    ...rest.map((operand) => () => valueOf(operand, scope)),
    ...passed.map((value) => () => value),
  ];
  return lazy.includes(name)
    ? firstThat(name === 'or', given)
    : called(
        name,
        given.map((get) => get()),
      );
}

/** The first value that decides, or the last. */
function firstThat(decides: boolean, given: readonly (() => Value)[]): Value {
  let value: Value | undefined;
  for (const get of given) {
    value = get();
    if (isTrue(value) === decides) break;
  }
  if (value === undefined)
    throw new TemplateProblem(`${decides ? 'or' : 'and'} needs more arguments`);
  return value;
}

function called(name: string, args: readonly Value[]): Value {
  const { fewest = 0, call } = functions[name] ?? {};
  if (call === undefined || args.length < fewest) {
    throw new TemplateProblem(`${name} needs more arguments`);
  }
  const value = call(args.map(bounded));
  return bounded(value);
}

function bounded(value: Value): Value {
  if (typeof value === 'string' && value.length > maxValueLength) {
    throw new TemplateProblem('a value becomes too long');
  }
  return value;
}

function valueOf(operand: Operand, scope: Scope): Value {
  const value = bareValueOf(operand, scope);
  return operand.fields.reduce(
    (map, field) => fieldOf(map, field, describe({ ...operand, fields: [] })),
    value,
  );
}

function bareValueOf(operand: Operand, scope: Scope): Value {
  switch (operand.kind) {
    case 'literal':
      return operand.value;
    case 'group':
      return evaluate(operand.pipeline, scope);
    case 'dot':
      return dotOf(operand, scope);
    case 'variable':
      return variableOf(operand.name, scope);
    case 'name': {
      const known = names.find((name) => name === operand.name);
      if (known !== undefined) return scope.values[known];
      if (isFunction(operand.name)) return run([operand], [], scope);
      throw new TemplateProblem(
        `${JSON.stringify(operand.name)} is not defined (allowed: ${allowed})`,
      );
    }
  }
}

function isFunction(name: string): boolean {
  return lazy.includes(name) || Object.hasOwn(functions, name);
}

/** Outside of `range` and `with` there is no data: values go by their names. */
function dotOf({ fields: [field = ''] }: Operand, { dot }: Scope): Value {
  if (dot !== undefined) return dot;
  const instead = field === '' ? 'write the name of a value' : `write variables.${field}`;
  throw new TemplateProblem(`.${field} has nothing to read from; ${instead}`);
}

function variableOf(name: string, { variables }: Scope): Value {
  const box = variables.get(name);
  if (box === undefined) throw new TemplateProblem(`${name} is not defined`);
  return box.value;
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

function describe(operand: Operand): string {
  switch (operand.kind) {
    case 'literal':
      return 'a literal';
    case 'group':
      return 'an expression';
    case 'dot':
      return 'the value of .';
    case 'name':
    case 'variable':
      return [operand.name, ...operand.fields].join('.');
  }
}

function located(error: unknown, line: number): unknown {
  if (!(error instanceof TemplateProblem) || /^line \d+: /.test(error.message)) return error;
  return new TemplateProblem(`line ${String(line)}: ${error.message}`);
}
