import { InvalidArgumentError } from 'commander';

import type { CanaryName } from '../api/client.js';
import { parseDuration } from '../domain/duration.js';

const label = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?';
const canaryPattern = new RegExp(`^(?:(${label})/)?(${label}(?:\\.${label})*)$`);
const containerPattern = new RegExp(`^${label}$`);

/** Reads `NS/NAME`, or `NAME` in the namespace `default`. */
export function parseCanary(text: string): CanaryName {
  const [, namespace = 'default', name] = canaryPattern.exec(text) ?? [];
  if (name !== undefined) return { namespace, name };
  throw new InvalidArgumentError('It is NS/NAME or NAME, in lower-case letters, digits and "-".');
}

/** Prints what {@link parseCanary} reads. */
export function nameOf({ namespace, name }: CanaryName): string {
  return `${namespace}/${name}`;
}

/** Reads one `CONTAINER=IMAGE` and adds it to those before. */
export function addImage(
  text: string,
  images: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const [, container = '', image = ''] = /^([^=]*)=(\S+)$/.exec(text) ?? [];
  if (!containerPattern.test(container) || image === '') {
    throw new InvalidArgumentError('It is CONTAINER=IMAGE, such as app=registry/app:1.2.');
  }
  if (images[container] !== undefined) {
    throw new InvalidArgumentError(`Container ${container} is given twice.`);
  }
  return { ...images, [container]: image };
}

/** Reads a length of time; milliseconds. */
export function parseTimeout(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new InvalidArgumentError('It is a duration such as 90s, 30m or 1h30m.');
}

/** Reads a revision; it goes into Temporal's list filters, so it is taken literally or not at all. */
export function parseRevision(text: string): string {
  if (/^[^\s'"\\]+$/.test(text)) return text;
  throw new InvalidArgumentError('It is a revision as status and history print it.');
}

/** Reads the name of a namespace or a cluster. */
export function parseName(text: string): string {
  if (canaryPattern.test(text) && !text.includes('/')) return text;
  throw new InvalidArgumentError('It consists of lower-case letters, digits, "-" and ".".');
}

/** Reads a whole number from 1. */
export function parseCount(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is a whole number from 1.');
}

/** Whether the words ask for JSON; for errors in words the parser did not get through. */
export function wantsJson(argv: readonly string[]): boolean {
  return argv.some(
    (word, index) =>
      /^(-o=?json|--output=json)$/.test(word) ||
      (word === 'json' && /^(-o|--output)$/.test(argv[index - 1] ?? '')),
  );
}
