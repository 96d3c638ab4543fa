import { createHash } from 'node:crypto';

import type { PodTemplate } from '../domain/objects.js';

/**
 * Names a version of a workload: 10 hex digits that are equal for equal pod templates and equal
 * contents of the configs they refer to, whatever the order of their keys.
 *
 * @param configs the checksums of the configs that count, by name
 */
export function revisionOf(
  template: PodTemplate,
  configs: Readonly<Record<string, string>> = {},
): string {
  const own = digestOf(template);
  return Object.keys(configs).length === 0 ? own : digestOf({ template: own, configs });
}

/** Ten hex digits that are equal for equal content. */
export function digestOf(content: object): string {
  return createHash('sha256').update(canonicalJson(content)).digest('hex').slice(0, 10);
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (isObject(part) ? sorted(part) : part));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sorted(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  // Older API servers write null where newer ones write nothing.
  const keys = Object.keys(object)
    .filter((key) => object[key] !== null)
    .sort();
  return Object.fromEntries(keys.map((key) => [key, object[key]]));
}
