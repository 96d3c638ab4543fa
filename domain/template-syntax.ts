/** A piece of a parsed template. */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipeline: Pipeline; readonly line: number }
  | Block;

/** What `if`, `range` and `with` do with the nodes up to their `else` or `end`. */
export interface Block {
  readonly kind: 'if' | 'range' | 'with';
  readonly pipeline: Pipeline;
  readonly line: number;
  readonly then: readonly Node[];
  readonly otherwise: readonly Node[];
}

/** Commands joined by `|`: each passes its value on as the last argument of the next. */
export interface Pipeline {
  readonly commands: readonly Command[];
  /** The variables, such as `$x`, that take the value. */
  readonly names: readonly string[];
  /** Whether they are new, with `:=`, or keep their place, with `=`. */
  readonly declares: boolean;
}

/** An operand alone, or a function and its arguments. */
export type Command = readonly Operand[];

export type Operand = { readonly fields: readonly string[] } & (
  | { readonly kind: 'literal'; readonly value: string | number | boolean }
  | { readonly kind: 'name' | 'variable'; readonly name: string }
  | { readonly kind: 'dot' }
  | { readonly kind: 'group'; readonly pipeline: Pipeline }
);

/** What is wrong with a template, in words for the one who wrote it. */
export class TemplateProblem extends Error {
  override readonly name = 'TemplateProblem';
}

/** Nesting is bounded so that no text, however odd, can exhaust the stack. */
const maxDepth = 50;

const tokens =
  /\s+|(?<symbol>:=|[|(),=])|(?<quoted>"(?:[^"\\\n]|\\.)*")|`(?<raw>[^`]*)`|(?<number>[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])|(?<word>[A-Za-z_]\w*)|(?<variable>\$\w*)|(?<field>\.[A-Za-z_]\w*)|(?<dot>\.)(?!\d)/y;

interface Token {
  readonly kind: 'symbol' | 'literal' | 'word' | 'variable' | 'field' | 'dot';
  readonly text: string;
  readonly value: string | number | boolean;
  /** Whether it follows the token before without a space, as a field must. */
  readonly joined: boolean;
}

type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly tokens: readonly Token[]; readonly line: number };

/**
 * Parses the part of Go's text/template that metric templates use: actions with pipelines and
 * variables, `if`, `range`, `with`, `else` and `end`, comments and trim markers. Throws {@link TemplateProblem}.
 * Grammar: https://pkg.go.dev/text/template
 */
export function parseTemplate(text: string): readonly Node[] {
  const pieces = split(text);
  const { nodes, next } = parseNodes(pieces, 0, 0);
  const stray = pieces[next];
  if (stray?.kind === 'action') throw problem(stray.line, `unexpected {{${wordOf(stray)}}}`);
  return nodes;
}

/** Cuts the text into literal text and actions, with the trimming done and comments gone. */
function split(text: string): Piece[] {
  const pieces: Piece[] = [];
  let trimNext = false;
  let at = 0;
  let line = 1;
  while (at <= text.length) {
    const open = text.indexOf('{{', at);
    const literal = text.slice(at, open < 0 ? text.length : open);
    const trimLast = open >= 0 && /^-\s/.test(text.slice(open + 2, open + 4));
    const start = trimNext ? literal.trimStart() : literal;
    pieces.push({ kind: 'text', text: trimLast ? start.trimEnd() : start });
    if (open < 0) break;
    line += newlinesIn(literal);
    const action = readAction(text, open + (trimLast ? 3 : 2), line);
    if (action.tokens !== undefined) pieces.push({ kind: 'action', tokens: action.tokens, line });
    line += newlinesIn(text.slice(open, action.end));
    trimNext = action.trims;
    at = action.end;
  }
  return pieces;
}

function newlinesIn(text: string): number {
  return text.split('\n').length - 1;
}

interface Action {
  /** Absent for a comment. */
  readonly tokens: readonly Token[] | undefined;
  readonly end: number;
  readonly trims: boolean;
}

function readAction(text: string, start: number, line: number): Action {
  const comment = /\s*\/\*[^]*?\*\//y;
  comment.lastIndex = start;
  if (comment.test(text)) return endOfComment(text, comment.lastIndex, line);
  const read: Token[] = [];
  let at = start;
  let spaced = true;
  for (;;) {
    const trims = spaced && text.startsWith('-}}', at);
    if (trims || text.startsWith('}}', at))
      return { tokens: read, end: at + (trims ? 3 : 2), trims };
    tokens.lastIndex = at;
    const match = tokens.exec(text);
    if (match === null) throw unreadable(text, at, line);
    const token = tokenOf(match, !spaced, line);
    if (token !== undefined) read.push(token);
    spaced = token === undefined;
    at = tokens.lastIndex;
  }
}

function endOfComment(text: string, at: number, line: number): Action {
  const end = /(\s-)?\}\}/y;
  end.lastIndex = at;
  const found = end.exec(text);
  if (found === null) throw problem(line, 'a comment must end right before }}');
  return { tokens: undefined, end: end.lastIndex, trims: found[1] !== undefined };
}

function tokenOf(match: RegExpExecArray, joined: boolean, line: number): Token | undefined {
  const { symbol, quoted, raw, number, word, variable, field, dot } = match.groups ?? {};
  const token = (kind: Token['kind'], text: string, value: Token['value'] = text): Token => ({
    kind,
    text,
    value,
    joined,
  });
  if (symbol !== undefined) return token('symbol', symbol);
  if (quoted !== undefined) return token('literal', quoted, unquote(quoted, line));
  if (raw !== undefined) return token('literal', raw);
  if (number !== undefined) return token('literal', number, Number(number));
  if (field !== undefined) return token('field', field.slice(1));
  if (variable !== undefined) return token('variable', variable);
  if (dot !== undefined) return token('dot', dot);
  if (word === 'true' || word === 'false') return token('literal', word, word === 'true');
  return word === undefined ? undefined : token('word', word);
}

function unquote(quoted: string, line: number): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    throw problem(line, `unreadable string ${quoted}`);
  }
}

function unreadable(text: string, at: number, line: number): TemplateProblem {
  if (at >= text.length) return problem(line, 'unclosed action, }} is missing');
  return problem(line, `unexpected ${JSON.stringify(text.charAt(at))} in an action`);
}

interface Parsed {
  readonly nodes: readonly Node[];
  /** The index of the piece that ended the list: an `else` or `end`, or the end of all. */
  readonly next: number;
}

function parseNodes(pieces: readonly Piece[], from: number, depth: number): Parsed {
  const nodes: Node[] = [];
  let at = from;
  for (let piece = pieces[at]; piece !== undefined; piece = pieces[at]) {
    if (piece.kind === 'text') {
      if (piece.text !== '') nodes.push(piece);
      at += 1;
    } else if (isWord(piece, 'else') || isWord(piece, 'end')) {
      break;
    } else {
      const { node, next } = parseAction(pieces, at, depth);
      nodes.push(node);
      at = next;
    }
  }
  return { nodes, next: at };
}

const blocks: readonly string[] = ['if', 'range', 'with'] satisfies Block['kind'][];
const refused = ['define', 'block', 'template', 'break', 'continue'];

function parseAction(
  pieces: readonly Piece[],
  at: number,
  depth: number,
): { node: Node; next: number } {
  const { tokens: all, line } = pieces[at] as Piece & { kind: 'action' };
  const [first, ...rest] = all;
  if (first?.kind === 'word' && blocks.includes(first.text)) {
    return parseBlock(first.text as Block['kind'], pieces, at, rest, depth);
  }
  if (first?.kind === 'word' && refused.includes(first.text)) {
    throw problem(
      line,
      `{{${first.text}}} is not supported (supported: if, range, with, else, end)`,
    );
  }
  return { node: { kind: 'print', pipeline: parsePipeline(all, line), line }, next: at + 1 };
}

function parseBlock(
  kind: Block['kind'],
  pieces: readonly Piece[],
  at: number,
  header: readonly Token[],
  depth: number,
): { node: Block; next: number } {
  const line = lineOf(pieces[at]);
  if (depth >= maxDepth) throw problem(line, 'nested too deeply');
  const { nodes: then, next } = parseNodes(pieces, at + 1, depth + 1);
  const pipeline = parsePipeline(header, line, kind === 'range' ? 2 : 1);
  const opened = { kind, pipeline, line } as const;
  const closing = pieces[next];
  if (closing?.kind !== 'action') throw problem(line, `{{${kind}}} without {{end}}`);
  if (isWord(closing, 'end')) {
    refuseMore(closing);
    return { node: { ...opened, then, otherwise: [] }, next: next + 1 };
  }
  if (goesOn(closing, kind)) {
    const chained = parseBlock(kind, pieces, next, closing.tokens.slice(2), depth + 1);
    return { node: { ...opened, then, otherwise: [chained.node] }, next: chained.next };
  }
  refuseMore(closing);
  const { nodes: otherwise, next: last } = parseNodes(pieces, next + 1, depth + 1);
  const end = pieces[last];
  if (end?.kind !== 'action' || !isWord(end, 'end')) {
    throw problem(line, `{{${kind}}} without {{end}}`);
  }
  refuseMore(end);
  return { node: { ...opened, then, otherwise }, next: last + 1 };
}

/** An `if` goes on with `else if` and a `with` with `else with`; a `range` does not. */
function goesOn({ tokens: [, second] }: Piece & { kind: 'action' }, kind: Block['kind']): boolean {
  return kind !== 'range' && second?.kind === 'word' && second.text === kind;
}

function refuseMore(piece: Piece & { kind: 'action' }): void {
  const [, more] = piece.tokens;
  if (more !== undefined) {
    throw problem(piece.line, `unexpected ${more.text} in {{${wordOf(piece)}}}`);
  }
}

function parsePipeline(read: readonly Token[], line: number, mostNames = 1): Pipeline {
  const { names, declares, next: from } = parseNames(read, line);
  if (names.length > mostNames) throw problem(line, 'too many variables');
  if (names.includes('$')) throw problem(line, '$ cannot be set');
  const { commands, next } = parseCommands(read, from, line, 0);
  if (next < read.length) throw problem(line, 'unexpected )');
  return { commands, names, declares };
}

/** Parses what a value is given to: `$x :=`, `$x =` or, in a range, `$key, $value :=`; or nothing. */
function parseNames(
  read: readonly Token[],
  line: number,
): Pick<Pipeline, 'names' | 'declares'> & { next: number } {
  const names: string[] = [];
  for (let at = 0; read[at]?.kind === 'variable'; at += 2) {
    names.push(read[at]?.text ?? '');
    const sign = read[at + 1];
    const declares = isSymbol(sign, ':=');
    if (declares || isSymbol(sign, '=')) return { names, declares, next: at + 2 };
    if (!isSymbol(sign, ',')) break;
  }
  if (names.length > 1) throw problem(line, 'unexpected ,');
  return { names: [], declares: false, next: 0 };
}

function isSymbol(token: Token | undefined, text: string): boolean {
  return token?.kind === 'symbol' && token.text === text;
}

function parseCommands(
  read: readonly Token[],
  from: number,
  line: number,
  depth: number,
): { commands: readonly Command[]; next: number } {
  if (depth > maxDepth) throw problem(line, 'nested too deeply');
  const commands: Operand[][] = [[]];
  let at = from;
  for (let token = read[at]; token !== undefined && !isSymbol(token, ')'); token = read[at]) {
    at += 1;
    const command = commands.at(-1) ?? [];
    if (token.kind !== 'symbol') {
      addOperand(command, token, line);
    } else if (token.text === '|') {
      commands.push([]);
    } else if (token.text === '(') {
      const inner = parseCommands(read, at, line, depth + 1);
      if (inner.next >= read.length) throw problem(line, 'unclosed (');
      at = inner.next + 1;
      const pipeline = { commands: inner.commands, names: [], declares: false };
      command.push({ kind: 'group', pipeline, fields: [] });
    } else {
      throw problem(line, `unexpected ${token.text}`);
    }
  }
  if (commands.some(({ length }) => length === 0)) throw problem(line, 'a value is missing');
  return { commands, next: at };
}

function addOperand(command: Operand[], { kind, text, value, joined }: Token, line: number): void {
  switch (kind) {
    case 'literal':
      command.push({ kind, value, fields: [] });
      break;
    case 'variable':
      command.push({ kind, name: text, fields: [] });
      break;
    case 'dot':
      command.push({ kind, fields: [] });
      break;
    case 'field':
      addField(command, text, joined, line);
      break;
    default:
      command.push({ kind: 'name', name: text, fields: [] });
  }
}

/** A field right behind an operand is one of its fields, else one of what the dot stands for. */
function addField(command: Operand[], field: string, joined: boolean, line: number): void {
  const last = joined ? command.pop() : undefined;
  if (last?.kind === 'literal') throw problem(line, `a literal has no field ${field}`);
  const operand = last ?? ({ kind: 'dot', fields: [] } as const);
  command.push({ ...operand, fields: [...operand.fields, field] });
}

function isWord(piece: Piece & { kind: 'action' }, word: string): boolean {
  const [first] = piece.tokens;
  return first?.kind === 'word' && first.text === word;
}

function wordOf({ tokens: [first] }: Piece & { kind: 'action' }): string {
  return first?.text ?? '';
}

function lineOf(piece: Piece | undefined): number {
  return piece?.kind === 'action' ? piece.line : 1;
}

function problem(line: number, text: string): TemplateProblem {
  return new TemplateProblem(`line ${String(line)}: ${text}`);
}
