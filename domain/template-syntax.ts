/** A piece of a parsed template. */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipeline: Pipeline; readonly line: number }
  | {
      readonly kind: 'if';
      readonly condition: Pipeline;
      readonly line: number;
      readonly then: readonly Node[];
      readonly otherwise: readonly Node[];
    };

/** Commands joined by `|`: each passes its value on as the last argument of the next. */
export type Pipeline = readonly Command[];

/** An operand alone, or a function and its arguments. */
export type Command = readonly Operand[];

export type Operand = { readonly fields: readonly string[] } & (
  | { readonly kind: 'literal'; readonly value: string | number | boolean }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'group'; readonly pipeline: Pipeline }
);

/** What is wrong with a template, in words for the one who wrote it. */
export class TemplateProblem extends Error {
  override readonly name = 'TemplateProblem';
}

/** Nesting is bounded so that no text, however odd, can exhaust the stack. */
const maxDepth = 50;

const tokens =
  /\s+|(?<symbol>[|()])|(?<quoted>"(?:[^"\\\n]|\\.)*")|`(?<raw>[^`]*)`|(?<number>[+-]?\d+(?:\.\d+)?)(?![\w.])|(?<word>[A-Za-z_]\w*)|(?<field>\.[A-Za-z_]\w*)/y;

interface Token {
  readonly kind: 'symbol' | 'literal' | 'word' | 'field';
  readonly text: string;
  readonly value: string | number | boolean;
  /** Whether it follows the token before without a space, as a field must. */
  readonly joined: boolean;
}

type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly tokens: readonly Token[]; readonly line: number };

/**
 * Parses the part of Go's text/template that metric templates use: actions with pipelines, `if` /
 * `else` / `end`, comments and trim markers. Throws {@link TemplateProblem}.
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
  const { symbol, quoted, raw, number, word, field } = match.groups ?? {};
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
    } else if (isWord(piece, 'if')) {
      const { node, next } = parseIf(pieces, at, piece.tokens.slice(1), depth);
      nodes.push(node);
      at = next;
    } else {
      refuseOtherBlocks(piece);
      nodes.push({ kind: 'print', pipeline: parsePipeline(piece), line: piece.line });
      at += 1;
    }
  }
  return { nodes, next: at };
}

const otherBlocks = ['range', 'with', 'define', 'block', 'template', 'break', 'continue'];

function refuseOtherBlocks({ tokens: [first], line }: Piece & { kind: 'action' }): void {
  if (first?.kind !== 'word' || !otherBlocks.includes(first.text)) return;
  throw problem(line, `{{${first.text}}} is not supported (supported: if, else, end)`);
}

function parseIf(
  pieces: readonly Piece[],
  at: number,
  condition: readonly Token[],
  depth: number,
): { node: Node; next: number } {
  const line = lineOf(pieces[at]);
  if (depth >= maxDepth) throw problem(line, 'nested too deeply');
  const { nodes: then, next } = parseNodes(pieces, at + 1, depth + 1);
  const opened = {
    kind: 'if',
    condition: parsePipeline({ tokens: condition, line }),
    line,
  } as const;
  const closing = pieces[next];
  if (closing?.kind !== 'action') throw problem(line, '{{if}} without {{end}}');
  if (isWord(closing, 'end')) return { node: { ...opened, then, otherwise: [] }, next: next + 1 };
  if (isNextWord(closing, 'if')) {
    const chained = parseIf(pieces, next, closing.tokens.slice(2), depth + 1);
    return { node: { ...opened, then, otherwise: [chained.node] }, next: chained.next };
  }
  const { nodes: otherwise, next: last } = parseNodes(pieces, next + 1, depth + 1);
  const end = pieces[last];
  if (end?.kind !== 'action' || !isWord(end, 'end')) throw problem(line, '{{if}} without {{end}}');
  return { node: { ...opened, then, otherwise }, next: last + 1 };
}

function parsePipeline({
  tokens,
  line,
}: Pick<Piece & { kind: 'action' }, 'tokens' | 'line'>): Pipeline {
  const { pipeline, next } = parseCommands(tokens, 0, line, 0);
  if (next < tokens.length) throw problem(line, 'unexpected )');
  return pipeline;
}

function parseCommands(
  read: readonly Token[],
  from: number,
  line: number,
  depth: number,
): { pipeline: Pipeline; next: number } {
  if (depth > maxDepth) throw problem(line, 'nested too deeply');
  const commands: Operand[][] = [[]];
  let at = from;
  for (let token = read[at]; token !== undefined && token.text !== ')'; token = read[at]) {
    at += 1;
    const command = commands.at(-1) ?? [];
    if (token.kind === 'symbol' && token.text === '|') {
      commands.push([]);
    } else if (token.kind === 'symbol') {
      const { pipeline, next } = parseCommands(read, at, line, depth + 1);
      if (next >= read.length) throw problem(line, 'unclosed (');
      at = next + 1;
      command.push({ kind: 'group', pipeline, fields: [] });
    } else if (token.kind === 'field') {
      addField(command, token, line);
    } else {
      command.push(
        token.kind === 'literal'
          ? { kind: 'literal', value: token.value, fields: [] }
          : { kind: 'name', name: token.text, fields: [] },
      );
    }
  }
  if (commands.some(({ length }) => length === 0)) throw problem(line, 'a value is missing');
  return { pipeline: commands, next: at };
}

function addField(command: Operand[], { text, joined }: Token, line: number): void {
  const operand = command.pop();
  if (operand === undefined || operand.kind === 'literal' || !joined) {
    throw problem(line, `.${text} has nothing to read from; write variables.${text}`);
  }
  command.push({ ...operand, fields: [...operand.fields, text] });
}

function isWord(piece: Piece & { kind: 'action' }, word: string): boolean {
  const [first] = piece.tokens;
  return first?.kind === 'word' && first.text === word;
}

function isNextWord({ tokens: [, second] }: Piece & { kind: 'action' }, word: string): boolean {
  return second?.kind === 'word' && second.text === word;
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
