import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { ParseArgsConfig } from 'node:util';

import { parseForward } from './forwards.js';
import type { Forward } from './forwards.js';
import { OPTIONAL_PARTS, PARTS } from './parts.js';
import type { Part } from './parts.js';

/** What the command line asks for. */
export type Options = {
  readonly name: string;
  readonly parts: readonly Part[];
  readonly images: readonly string[];
  readonly forwards: readonly Forward[];
  /** A command to run inside instead of staying up. */
  readonly exec?: string;
  /** Runs the command in the sandbox that is up, instead of starting one. */
  readonly join: boolean;
};

/** A mistake on the command line; the message says what is allowed. */
export class UsageError extends Error {}

/** What `--help` prints. */
export const usage = `usage: npm run sandbox -- [options]

Starts a cluster of real parts in namespaces of its own and stays until Ctrl-C.

  --exec 'CMD'      runs CMD (by sh) inside, then ends; the exit code is CMD's
  --name NAME       several sandboxes can run side by side (default: default)
  --join            with --exec: runs CMD in the sandbox NAME that is up already
  --without PART    leaves a part out: ${PARTS.join(', ')}
  --with PART       adds a part that is built when first asked for: ${OPTIONAL_PARTS.join(', ')}
  --only PART       just this part; control-plane alone is none of them
                    (each of the three is repeatable and takes several parts as A,B)
  --images FILE     more entries for the image map (repeatable)
  --forward NAME=SERVICE.NAMESPACE:PORT
                    another service to reach from the host (repeatable)
`;

const allParts = [...PARTS, ...OPTIONAL_PARTS] as const;

/** Reads the command line; undefined means that help is wanted; throws UsageError. */
export function parseOptions(args: readonly string[]): Options | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(values.name)) {
    throw new UsageError(`--name ${values.name}: use up to 40 of a-z, 0-9 and -`);
  }
  if (values.join && values.exec === undefined) throw new UsageError('--join needs --exec');
  for (const file of values.images) {
    if (!existsSync(file)) throw new UsageError(`--images ${file}: no such file`);
  }
  return {
    name: values.name,
    parts: chosenParts(values),
    images: values.images,
    forwards: values.forward.map(forward),
    ...(values.exec !== undefined && { exec: values.exec }),
    join: values.join,
  };
}

const flags = {
  exec: { type: 'string' },
  name: { type: 'string', default: 'default' },
  join: { type: 'boolean', default: false },
  without: { type: 'string', multiple: true, default: [] },
  with: { type: 'string', multiple: true, default: [] },
  only: { type: 'string', multiple: true, default: [] },
  images: { type: 'string', multiple: true, default: [] },
  forward: { type: 'string', multiple: true, default: [] },
  help: { type: 'boolean', short: 'h', default: false },
} as const satisfies ParseArgsConfig['options'];

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: { ...flags } }).values;
  } catch (error) {
    const mistake = error instanceof Error ? error.message : String(error);
    const allowed = Object.keys(flags).map((name) => `--${name}`);
    throw new UsageError(`${mistake}; allowed are ${allowed.join(', ')}`);
  }
}

type PartFlag = 'without' | 'with' | 'only';

/** What may be said with each flag. */
const allowedParts: Readonly<Record<PartFlag, readonly string[]>> = {
  without: PARTS,
  with: OPTIONAL_PARTS,
  only: ['control-plane', ...allParts],
};

function chosenParts(values: Readonly<Record<PartFlag, readonly string[]>>): readonly Part[] {
  const only = partsOf('only', values);
  const without = partsOf('without', values);
  const wanted: readonly string[] = [
    ...(only.length > 0 ? only : PARTS),
    ...partsOf('with', values),
  ];
  return allParts.filter((part) => wanted.includes(part) && !without.includes(part));
}

function partsOf(
  flag: PartFlag,
  { [flag]: values }: Readonly<Record<PartFlag, readonly string[]>>,
): readonly string[] {
  const parts = values.flatMap((value) => value.split(','));
  for (const part of parts) {
    if (!allowedParts[flag].includes(part)) {
      throw new UsageError(`--${flag} ${part}: must be one of ${allowedParts[flag].join(', ')}`);
    }
  }
  return parts;
}

function forward(text: string): Forward {
  const parsed = parseForward(text);
  if (parsed === undefined) {
    throw new UsageError(`--forward ${text}: must be NAME=SERVICE.NAMESPACE:PORT`);
  }
  return parsed;
}
