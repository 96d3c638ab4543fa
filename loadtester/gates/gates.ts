import { createHash } from 'node:crypto';

/** A question somebody may have answered for a canary: may it go on, must it be rolled back. */
export type Switch = 'gate' | 'rollback';

/** Whose switch is meant; both may be empty, as in Flagger. */
export interface CanaryName {
  readonly namespace: string;
  readonly name: string;
}

/**
 * Where open gates and rollback switches are kept. Everything else is closed, so that a lost or
 * unreadable store never lets a release through: every method rejects when the store is out of reach.
 */
export interface Gates {
  isOpen(key: string): Promise<boolean>;
  /** Opening what is open changes nothing. */
  open(key: string): Promise<void>;
  close(key: string): Promise<void>;
}

/** Keys of a ConfigMap may not be longer, nor names of files. */
const maxKeyLength = 253;

/**
 * The name of a switch in a store, such as `gate__test__podinfo`: letters, digits, `-`, `_` and `.`
 * only, so that it can be the key of a ConfigMap and the name of a file. No two switches have the
 * same: any other character is `_` and its bytes in hex, and what gets too long becomes its hash.
 */
export function keyOf(what: Switch, { namespace, name }: CanaryName): string {
  const key = [what, namespace, name].map(escaped).join('__');
  if (key.length <= maxKeyLength) return key;
  return `${what}_sha256_${createHash('sha256').update(key).digest('hex')}`;
}

function escaped(part: string): string {
  return part.replaceAll(/[^A-Za-z0-9.-]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `_${byte.toString(16).padStart(2, '0')}`).join(''),
  );
}
