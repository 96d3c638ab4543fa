import type { Client } from '@temporalio/client';
import type { Logger } from '@temporalio/common';
import proto from '@temporalio/proto';

import { searchAttributes } from '../workflows/search-attributes.js';
import { messageOf } from './log.js';

const keyword = proto.temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD;

/**
 * Registers the search attributes that the Temporal namespace does not have. Where the worker may
 * not do that, it says which command an operator has to run, and goes on.
 */
export async function ensureSearchAttributes(
  { connection, options: { namespace } }: Client,
  log: Logger,
): Promise<void> {
  const names = Object.values(searchAttributes).map(({ name }) => name);
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({
      namespace,
    });
    const missing = names.filter((name) => !(name in customAttributes));
    if (missing.length === 0) return;
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map((name) => [name, keyword])),
    });
    log.info('registered search attributes', { namespace, names: missing.join(' ') });
  } catch (error) {
    log.warn('could not register search attributes; if they are missing, run the command', {
      command: commandFor(namespace, names),
      error: messageOf(error),
    });
  }
}

function commandFor(namespace: string, names: readonly string[]): string {
  const options = names.map((name) => `--name ${name} --type Keyword`).join(' ');
  return `temporal operator search-attribute create --namespace ${namespace} ${options}`;
}
