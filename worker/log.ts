import type { Logger, LogLevel, LogMetadata } from '@temporalio/common';

const levels: readonly LogLevel[] = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'];

/**
 * A logger that writes one JSON object a line: `level`, `ts`, `msg` and the fields of the record.
 * Records below `least` (`debug`, `info`, `warn`, `error`) are dropped.
 */
export function jsonLogger(
  least: string,
  write: (line: string) => void = (line) => process.stdout.write(line),
): Logger {
  const floor = levels.indexOf(least.toUpperCase() as LogLevel);

  function log(level: LogLevel, msg: string, meta: LogMetadata = {}): void {
    if (levels.indexOf(level) < floor) return;
    const head = { level: level.toLowerCase(), ts: new Date().toISOString(), msg };
    write(`${JSON.stringify({ ...head, ...meta, ...head }, plain)}\n`);
  }

  return {
    log,
    trace: (msg, meta) => log('TRACE', msg, meta),
    debug: (msg, meta) => log('DEBUG', msg, meta),
    info: (msg, meta) => log('INFO', msg, meta),
    warn: (msg, meta) => log('WARN', msg, meta),
    error: (msg, meta) => log('ERROR', msg, meta),
  };
}

/** The sentence of anything thrown, with what caused it. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`;
}

/**
 * Errors have no enumerable fields, bigints no JSON form; task tokens are long and say nothing.
 * What an error would make of itself is passed over: an HTTP client's shows the whole request,
 * with its token and the Secret in its body.
 */
function plain(this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
  if (key === 'taskToken') return undefined;
  const { [key]: error } = this;
  if (error instanceof Error) return error.stack ?? error.message;
  return typeof value === 'bigint' ? String(value) : value;
}
