import type { KubeObject } from '../../domain/objects.js';

/** A change somebody makes to an object. */
export type Edit = (object: KubeObject) => KubeObject;

/** Sets the field at a path such as `spec.routes.*.priority`, where `*` is every entry of a list. */
export function set(path: string, value: unknown): Edit {
  return (object) => changed(object, path.split('.'), value) as KubeObject;
}

function changed(part: unknown, [field, ...rest]: readonly string[], value: unknown): unknown {
  if (field === undefined) return value;
  if (field === '*') return (part as readonly unknown[]).map((each) => changed(each, rest, value));
  const fields = (part ?? {}) as Readonly<Record<string, unknown>>;
  return { ...fields, [field]: changed(fields[field], rest, value) };
}

/** Gives it a label. */
export const label: Edit = set('metadata.labels.theirs', 'yes');
