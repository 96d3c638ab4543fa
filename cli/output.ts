/** A stream the command writes to. */
export interface Stream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** The streams of a process, or a test's stand-ins for them. */
export interface Streams {
  readonly stdout: Stream;
  readonly stderr: Stream;
}

/** Where a command puts what it found: for people as text, or for programs as JSON. */
export interface Output {
  readonly format: 'text' | 'json';
  /** Prints the one answer of a command, in the wanted form. */
  answer(text: string, json: unknown): void;
  /** Prints a remark for people, beside the answer. */
  remark(text: string): void;
  /** The terminal to redraw on, when there is one. */
  readonly terminal: Stream | undefined;
}

/** The output in a format; JSON is indented unless it comes line by line. */
export function outputTo(
  { stdout, stderr }: Streams,
  format: Output['format'],
  isStream = false,
): Output {
  const isJson = format === 'json';
  return {
    format,
    terminal: !isJson && stdout.isTTY === true ? stdout : undefined,
    answer(text, json) {
      const printed = isJson ? JSON.stringify(json, null, isStream ? 0 : 2) : text;
      stdout.write(`${printed}\n`);
    },
    remark(text) {
      if (!isJson) stderr.write(`${text}\n`);
    },
  };
}
