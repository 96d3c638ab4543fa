import { ApplicationFailure, log } from '@temporalio/activity';
import { createHash } from 'node:crypto';

import type { Canary } from '../domain/canary.js';
import {
  asNew,
  isCopy,
  isFixed,
  keptContent,
  keptLabel,
  newCopy,
  restoredCopy,
  updatedCopy,
  withContent,
} from '../domain/config-copies.js';
import {
  checksumText,
  configKey,
  configRefsOf,
  copyName,
  isTracked,
  withCopies,
  type Config,
  type ConfigRef,
} from '../domain/configs.js';
import type { ObjectRef, PodTemplate } from '../domain/objects.js';
import { invalidSpec } from './canaries.js';
import { changeObject } from './changes.js';
import type { ConfigChecksums, Deps } from './deps.js';
import { KubeError, refOf, type Kube } from './kube.js';

/**
 * The ConfigMaps and Secrets a pod template refers to, with the contents they had at one moment.
 * The contents stay in here: nothing but their checksums is ever told.
 */
export interface Configs {
  readonly checksums: Checksums;
  /** The template as the primary has it, referring to the copies. */
  forPrimary(template: PodTemplate): PodTemplate;
  /** Writes the contents that were read into copies for a new primary. */
  copy(): Promise<void>;
  /** The same for a promotion: {@link restoreConfigs} undoes it until {@link forgetConfigs}. */
  promote(): Promise<void>;
}

/** What `status.trackedConfigs` holds: the checksum of each config that counts, by its key. */
export type Checksums = Readonly<Record<string, string>>;

/** The checksum of a config's content, in the form Flagger writes. */
export function checksumOf(config: Config): string {
  return createHash('sha256').update(checksumText(config)).digest('hex').slice(0, 16);
}

/** The checksums of what a pod template refers to, as far as a watch has seen them. */
export function checksumsSeen(
  configs: ConfigChecksums | undefined,
  { namespace, template }: TemplatePlace,
): Checksums {
  if (configs === undefined) return {};
  const seen = configRefsOf(template).map((ref) => [
    configKey(ref),
    configs.get({ kind: ref.kind, namespace, name: ref.name }),
  ]);
  return Object.fromEntries(seen.filter(([, checksum]) => checksum !== undefined)) as Checksums;
}

/**
 * Reads what a pod template refers to, as far as it is tracked. Throws `InvalidSpec` when something
 * is missing that the pods cannot start without.
 */
export async function readConfigs(
  { kube, settings }: Deps,
  canary: Canary,
  template: PodTemplate,
): Promise<Configs> {
  const refs = settings.configTracking ? configRefsOf(template) : [];
  const read = await Promise.all(refs.map((ref) => readConfig(kube, canary, ref)));
  refs.forEach((ref, i) => {
    if (read[i] === undefined) passOver(ref, canary);
  });
  const tracked = read.filter((config) => config !== undefined).filter(isTracked);
  const checksums: Checksums = Object.fromEntries(
    tracked.map((config) => [keyOf(config), checksumOf(config)] as const).sort(),
  );

  async function write(replaced: (live: Config) => Promise<void>): Promise<void> {
    for (const config of tracked) {
      const copy = newCopy(canary, config, settings.includeLabelPrefixes);
      await writeCopy(kube, copy, replaced);
    }
  }

  return {
    checksums,
    forPrimary: (of) => withCopies(of, Object.keys(checksums)),
    copy: () => write(() => Promise.resolve()),
    // What is kept already is older: what the primary had before an attempt that was cut off.
    promote: () => write((live) => createOnce(kube, keptContent(canary, live))),
  };
}

/** The checksums of what a pod template refers to, as it is now; what is missing is left out. */
export function checksumsNow(deps: Deps, place: TemplatePlace): Promise<Checksums> {
  return checksumsOf(deps, place, (name) => name, isTracked);
}

/** The checksums of the same contents as the primary has them. */
export function checksumsOfCopies(deps: Deps, place: TemplatePlace): Promise<Checksums> {
  return checksumsOf(deps, place, copyName, ({ metadata }) => isCopy(metadata));
}

/** A pod template, and the namespace that its references mean. */
export interface TemplatePlace {
  readonly namespace: string;
  readonly template: PodTemplate;
}

/** Gives the copies of the primary the contents they had before a promotion that failed. */
export async function restoreConfigs({ kube, settings }: Deps, canary: Canary): Promise<void> {
  if (!settings.configTracking) return;
  for (const kept of await keptFor(kube, canary)) {
    const copy = restoredCopy(canary, kept);
    const live = await kube.find<Config>(refOf(copy));
    await (live === undefined
      ? kube.create(copy)
      : replace(kube, live, (now) => withContent(now, kept)));
    await kube.remove(refOf(kept));
  }
}

/** Forgets what the copies of the primary held before a promotion that succeeded. */
export async function forgetConfigs({ kube, settings }: Deps, canary: Canary): Promise<void> {
  if (!settings.configTracking) return;
  for (const kept of await keptFor(kube, canary)) await kube.remove(refOf(kept));
}

async function checksumsOf(
  { kube, settings }: Deps,
  { namespace, template }: TemplatePlace,
  nameOf: (original: string) => string,
  counts: (config: Config) => boolean,
): Promise<Checksums> {
  const refs = settings.configTracking ? configRefsOf(template) : [];
  const entries = await Promise.all(
    refs.map(async (ref) => {
      const { kind } = ref;
      const name = nameOf(ref.name);
      const found = await kube.find<Config>({ apiVersion: 'v1', kind, namespace, name });
      return found !== undefined && counts(found) ? [[configKey(ref), checksumOf(found)]] : [];
    }),
  );
  return Object.fromEntries(entries.flat()) as Checksums;
}

async function readConfig(
  kube: Kube,
  { namespace }: Canary,
  { kind, name }: ConfigRef,
): Promise<Config | undefined> {
  const ref = { apiVersion: 'v1', kind, namespace, name };
  return during(`GetTargetConfigs failed: ${nameOf(ref)} get query error`, () => kube.find(ref));
}

/** Goes on without a config that is missing, or throws `InvalidSpec` when the pods cannot. */
function passOver({ kind, name, optional }: ConfigRef, { namespace }: Canary): void {
  const missing = nameOf({ kind, name, namespace });
  if (!optional) {
    throw invalidSpec(
      `GetTargetConfigs failed: ${missing} get query error: ${kind.toLowerCase()}s "${name}" not found`,
    );
  }
  log.debug('optional config is missing', { config: missing });
}

async function writeCopy(
  kube: Kube,
  copy: Config,
  replaced: (live: Config) => Promise<void>,
): Promise<void> {
  const ref = refOf(copy);
  const what = `CreatePrimaryConfigs failed: ${nameOf(ref)}`;
  await during(what, async () => {
    const live = await kube.find<Config>(ref);
    if (live === undefined) {
      await kube.create(copy);
      return;
    }
    if (!isCopy(live.metadata)) {
      throw invalidSpec(`${what}: it belongs to no canary, and the primary needs its name`);
    }
    if (checksumOf(live) !== checksumOf(copy)) await replaced(live);
    await replace(kube, live, (now) => updatedCopy(now, copy));
  });
}

/** Some cannot be changed; pods that run do not mind that they are gone for a moment. */
async function replace(kube: Kube, live: Config, change: (live: Config) => Config): Promise<void> {
  const changed = change(live);
  if (!isFixed(live, changed)) {
    await changeObject(kube, refOf(live), change);
    return;
  }
  await kube.remove(refOf(live));
  await kube.create(asNew(changed));
}

async function keptFor(kube: Kube, { namespace, uid }: Canary): Promise<readonly Config[]> {
  const labelSelector = `${keptLabel}=${uid}`;
  const lists = await Promise.all(
    (['ConfigMap', 'Secret'] as const).map((kind) =>
      kube.list<Config>({ apiVersion: 'v1', kind, namespace, labelSelector }),
    ),
  );
  return lists.flat();
}

async function createOnce(kube: Kube, object: Config): Promise<void> {
  try {
    await kube.create(object);
  } catch (error) {
    if (!(error instanceof KubeError && error.reason === 'AlreadyExists')) throw error;
  }
}

/** Says what went wrong, and for which object; what a manifest is to blame for says it itself. */
async function during<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    if (cause instanceof ApplicationFailure) throw cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${what}: ${message}`, { cause });
  }
}

function keyOf({ kind, metadata: { name } }: Config): string {
  return configKey({ kind, name });
}

function nameOf({ kind, name, namespace }: Omit<ObjectRef, 'apiVersion'>): string {
  return `${kind.toLowerCase()} ${name}.${namespace}`;
}
