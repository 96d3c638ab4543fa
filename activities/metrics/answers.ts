import type { Measurement } from '../../domain/threshold.js';

/** An answer that is not what the API documents; whoever asked adds an excerpt of it. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer';
}

/** The back end's own words for why it does not answer a query. */
export class QueryRefused extends Error {
  override readonly name = 'QueryRefused';

  constructor(why: string) {
    super(`query refused: ${why}`);
  }
}

/** That there is nothing to measure. */
export const noData: Measurement = { kind: 'no-data' };

/** The object that a body holds in JSON. Throws {@link UnexpectedAnswer}. */
export function objectOf(body: string): Fields {
  const value = jsonOf(body);
  if (!isFields(value)) throw new UnexpectedAnswer('unreadable answer');
  return value;
}

/** The list that a body holds in JSON. Throws {@link UnexpectedAnswer}. */
export function listOf(body: string): readonly unknown[] {
  const value = jsonOf(body);
  if (!Array.isArray(value)) throw new UnexpectedAnswer('unreadable answer');
  return value;
}

/** The fields of an object of which nothing is known yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** Asserts that a part of an answer is an object. Throws {@link UnexpectedAnswer}. */
export function object(value: unknown, what: string): Fields {
  if (!isFields(value)) throw new UnexpectedAnswer(`${what} is not an object`);
  return value;
}

/** Asserts that a part of an answer is a list. Throws {@link UnexpectedAnswer}. */
export function list(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new UnexpectedAnswer(`${what} is not a list`);
  return value;
}

/**
 * Takes a part of an answer for the measured number: null, NaN and the infinities are nothing to
 * measure, and whatever else is no number is refused. Throws {@link UnexpectedAnswer}.
 */
export function measured(value: unknown): Measurement {
  if (value === null) return noData;
  if (typeof value !== 'number') {
    const shown = value === undefined ? 'nothing' : JSON.stringify(value);
    throw new UnexpectedAnswer(`${shown} is not a number`);
  }
  return Number.isFinite(value) ? { kind: 'value', value } : noData;
}

/** As {@link measured}, of a number that is written in words. */
export function measuredText(text: string): Measurement {
  if (/^[+-]?(nan|inf(inity)?)$/i.test(text)) return noData;
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return measured(Number(text));
  throw new UnexpectedAnswer(`${JSON.stringify(text)} is not a number`);
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new UnexpectedAnswer('unreadable answer');
  }
}

/** Whether a value is an object, and no list. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
