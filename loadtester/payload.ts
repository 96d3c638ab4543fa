/** The body of a canary's webhook, as Flagger sends it. */
export interface Payload {
  readonly name: string;
  readonly namespace: string;
  readonly phase: string;
  readonly checksum: string;
  readonly metadata: Metadata;
}

/** What a webhook's manifest says about the task. */
export type Metadata = Readonly<Record<string, string>>;

/** A request that cannot be understood; the message names the field and what is allowed. */
export class BadRequest extends Error {
  override readonly name = 'BadRequest';
}

/**
 * Reads a body: texts that are missing are empty, unknown fields are ignored. Throws
 * {@link BadRequest}, which shows nothing of the body, since metadata may hold secrets.
 */
export function parsePayload(body: string): Payload {
  const fields = parseObject(body);
  return {
    name: textOf(fields, 'name'),
    namespace: textOf(fields, 'namespace'),
    phase: textOf(fields, 'phase'),
    checksum: textOf(fields, 'checksum'),
    metadata: metadataOf(fields['metadata'] ?? {}),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function parseObject(body: string): Fields {
  const expected = 'it has to be an object in JSON with name, namespace, phase, checksum, metadata';
  if (body.trim() === '') throw new BadRequest(`the body is empty: ${expected}`);
  try {
    const value: unknown = JSON.parse(body);
    if (isObject(value)) return value;
  } catch {
    // The parser's message quotes the body.
  }
  throw new BadRequest(`the body is not understood: ${expected}`);
}

function textOf(fields: Fields, name: string): string {
  const value = fields[name] ?? '';
  if (typeof value !== 'string') throw new BadRequest(`${name}: has to be a text`);
  return value;
}

function metadataOf(value: unknown): Metadata {
  if (!isObject(value)) throw new BadRequest('metadata: has to be an object of texts');
  const wrong = Object.entries(value).find(([, one]) => typeof one !== 'string');
  if (wrong !== undefined) throw new BadRequest(`metadata.${wrong[0]}: has to be a text`);
  return value as Metadata;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
