import type { Canary } from './canary.js';
import { copyName, type Config } from './configs.js';
import { pick } from './entries.js';
import { included } from './inherited.js';
import type { ObjectMeta, OwnerReference } from './objects.js';
import { ownerReferenceTo } from './primary.js';

/** The copy of a config that the primary's pods read, as it is first created. */
export function newCopy(canary: Canary, config: Config, prefixes: readonly string[]): Config {
  return {
    ...contentOf(config),
    metadata: {
      name: copyName(config.metadata.name),
      namespace: canary.namespace,
      labels: included(config.metadata.labels, prefixes),
      ownerReferences: [ownerReferenceTo(canary)],
    },
  };
}

/**
 * The copy there is, with the content and labels it has to have. A config may be shared: the
 * canaries that use it own its copy together, and the one that wrote last controls it.
 */
export function updatedCopy(live: Config, desired: Config): Config {
  const [owner] = desired.metadata.ownerReferences ?? [];
  const others = (live.metadata.ownerReferences ?? [])
    .filter(({ uid }) => uid !== owner?.uid)
    .map((other) => ({ ...other, controller: false }));
  const { labels: _, ...metadata } = live.metadata;
  const { labels = {} } = desired.metadata;
  return {
    ...contentOf(desired),
    metadata: {
      ...metadata,
      // The API server leaves out what is empty.
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
      ownerReferences: [...(owner === undefined ? [] : [owner]), ...others],
    },
  };
}

/** A copy with the content of another config. */
export function withContent({ metadata }: Config, config: Config): Config {
  return { ...contentOf(config), metadata };
}

/** Whether the API server refuses to make the one of the other: it has to be deleted and created. */
export function isFixed(live: Config, desired: Config): boolean {
  return live.immutable === true || live.type !== desired.type;
}

/** An object without what the API server has added to it, so that it can be created again. */
export function asNew({ metadata, ...content }: Config): Config {
  const fields = pick<unknown>(
    { ...metadata },
    'name',
    'namespace',
    'labels',
    'annotations',
    'ownerReferences',
  );
  return { ...content, metadata: { name: metadata.name, ...fields } };
}

/** Whether a Canary owns it; what others made under the name of a copy is theirs. */
export function isCopy({ ownerReferences = [] }: ObjectMeta): boolean {
  return ownerReferences.some(isCanary);
}

/** On what a copy held before a promotion: the uid of the Canary that may go back to it. */
export const keptLabel = 'sluice.dev/kept-for';

/** The content that a promotion replaces in a copy, kept for the way back. */
export function keptContent(canary: Canary, copy: Config): Config {
  return {
    ...contentOf(copy),
    metadata: {
      name: `${copy.metadata.name}${keptSuffix}`,
      namespace: canary.namespace,
      labels: { [keptLabel]: canary.uid },
      ownerReferences: [ownerReferenceTo(canary)],
    },
  };
}

/** The copy that some content was kept for, where it is gone altogether. */
export function restoredCopy(canary: Canary, kept: Config): Config {
  return {
    ...contentOf(kept),
    metadata: {
      name: kept.metadata.name.slice(0, -keptSuffix.length),
      namespace: canary.namespace,
      ownerReferences: [ownerReferenceTo(canary)],
    },
  };
}

const keptSuffix = '-previous';

/** Never `immutable`: the next promotion has to write another content. */
function contentOf({ apiVersion, kind, data, binaryData, type }: Config): Omit<Config, 'metadata'> {
  return {
    apiVersion,
    kind,
    ...(data === undefined ? {} : { data }),
    ...(binaryData === undefined ? {} : { binaryData }),
    ...(type === undefined ? {} : { type }),
  };
}

function isCanary({ apiVersion, kind }: OwnerReference): boolean {
  return kind === 'Canary' && apiVersion.startsWith('flagger.app/');
}
