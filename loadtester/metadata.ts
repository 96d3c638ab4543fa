import { parseDuration } from '../domain/duration.js';
import { BadRequest, type Metadata } from './payload.js';

/** Own fields only: `metadata.constructor` must not find what every object has. */
export function optionalText(metadata: Metadata, key: string): string | undefined {
  return Object.hasOwn(metadata, key) ? metadata[key] : undefined;
}

/** A field that has to be there; it may be empty. */
export function requiredText(metadata: Metadata, key: string): string {
  const value = optionalText(metadata, key);
  if (value === undefined) throw new BadRequest(`metadata.${key}: is required`);
  return value;
}

/** A field that has to say something. */
export function filledText(metadata: Metadata, key: string): string {
  const value = requiredText(metadata, key);
  if (value === '') throw new BadRequest(`metadata.${key}: must not be empty`);
  return value;
}

/** As Flagger reads it: what is no yes is a no (https://pkg.go.dev/strconv#ParseBool). */
export function toggle(metadata: Metadata, key: string): boolean {
  return ['1', 't', 'T', 'TRUE', 'true', 'True'].includes(optionalText(metadata, key) ?? '');
}

/** A whole number of at least `least`; `preset` when the field is missing. */
export function wholeNumber(
  metadata: Metadata,
  key: string,
  { least, preset }: { readonly least: number; readonly preset?: number },
): number {
  const text = preset === undefined ? requiredText(metadata, key) : optionalText(metadata, key);
  if (text === undefined) return preset ?? least;
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new BadRequest(`metadata.${key}: has to be a whole number of at least ${least}`);
}

/** Milliseconds of a duration above zero; `presetMs` when the field is missing. */
export function duration(metadata: Metadata, key: string, presetMs: number): number {
  const text = optionalText(metadata, key);
  if (text === undefined) return presetMs;
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0 && ms <= maxTimerMs) return ms;
  throw new BadRequest(`metadata.${key}: has to be a duration such as 1s or 1m30s, up to 24h`);
}

/** An address of a server. User info would show up where addresses do. */
export function serverUrl(metadata: Metadata, key: string): URL {
  const text = requiredText(metadata, key);
  const url = /^https?:\/\//.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && url.username === '' && url.password === '') return url;
  throw new BadRequest(
    `metadata.${key}: has to be an http or https address without user and password`,
  );
}

/** The fields that begin with `prefix`, by what follows it, in the order they were sent. */
export function group(metadata: Metadata, prefix: string): readonly (readonly [string, string])[] {
  return Object.entries(metadata)
    .filter(([key]) => key.startsWith(prefix) && key.length > prefix.length)
    .map(([key, value]) => [key.slice(prefix.length), value]);
}

/** Variables for a program: the fields `env.NAME`. */
export function environment(metadata: Metadata): Readonly<Record<string, string>> {
  const variables = group(metadata, 'env.');
  const wrong = variables.find(([name]) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
  if (wrong !== undefined) {
    throw new BadRequest(`metadata.env.${wrong[0]}: is no name of a variable (letters, digits, _)`);
  }
  const nul = variables.find(([, value]) => value.includes('\0'));
  if (nul !== undefined) throw new BadRequest(`metadata.env.${nul[0]}: must not hold NUL`);
  return Object.fromEntries(variables);
}

/** Node sets no timer further than 24.8 days; no test runs a day. */
const maxTimerMs = 24 * 3_600_000;
