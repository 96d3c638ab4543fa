import type { KubeObject, PodTemplate } from './objects.js';

export type ConfigKind = 'ConfigMap' | 'Secret';

/** A ConfigMap or Secret that a pod template refers to. */
export interface ConfigRef {
  readonly kind: ConfigKind;
  readonly name: string;
  /** Whether the pods start without it, too. */
  readonly optional: boolean;
}

/** A ConfigMap or Secret as the API server holds it. */
export interface Config extends KubeObject {
  readonly kind: ConfigKind;
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
  /** Of a Secret; cannot be changed. */
  readonly type?: string;
  readonly immutable?: boolean;
}

/** What `status.trackedConfigs` calls a ConfigMap or Secret, such as `configmap/settings`. */
export function configKey({ kind, name }: Pick<ConfigRef, 'kind' | 'name'>): string {
  return `${kind.toLowerCase()}/${name}`;
}

/** Every ConfigMap and Secret a pod template refers to, once; optional if all references are. */
export function configRefsOf(template: PodTemplate): readonly ConfigRef[] {
  const refs = new Map<string, ConfigRef>();
  withNames(template, (ref) => {
    const optional = ref.optional && refs.get(configKey(ref))?.optional !== false;
    refs.set(configKey(ref), { ...ref, optional });
    return ref.name;
  });
  return [...refs.values()];
}

/** The template as the primary has it: what is tracked is read from the primary's own copy. */
export function withCopies(template: PodTemplate, tracked: readonly string[]): PodTemplate {
  return withNames(template, (ref) =>
    tracked.includes(configKey(ref)) ? copyName(ref.name) : ref.name,
  );
}

/** A primary's template with the names of the originals again, of those that are given. */
export function withOriginals(template: PodTemplate, originals: readonly string[]): PodTemplate {
  return withNames(template, (ref) => {
    const name = ref.name.replace(/-primary$/, '');
    return originals.includes(configKey({ ...ref, name })) ? name : ref.name;
  });
}

/** The name of the copy that the primary's pods read. */
export function copyName(name: string): string {
  return `${name}-primary`;
}

/** Whether the content counts as part of the revision: not if an annotation or its type says no. */
export function isTracked({ kind, type = 'Opaque', metadata }: Config): boolean {
  const tracking = metadata.annotations?.[trackingAnnotation] ?? '';
  return !tracking.startsWith('disable') && (kind === 'ConfigMap' || trackedTypes.includes(type));
}

/**
 * What the checksum of a config is taken of. Without binary data it is, to the byte, the JSON that
 * Flagger takes it of, so that either understands what the other wrote.
 */
export function checksumText({ data = {}, binaryData = {} }: Config): string {
  const isBinary = Object.keys(binaryData).length > 0;
  const isEmpty = Object.keys(data).length === 0;
  const content = isBinary ? { binaryData: sorted(binaryData), data: sorted(data) } : sorted(data);
  return isEmpty && !isBinary ? 'null' : goJson(content);
}

const trackingAnnotation = 'flagger.app/config-tracking';

/** The types of Secrets that people fill; others belong to machines, and may change at any time. */
const trackedTypes = [
  'Opaque',
  'kubernetes.io/basic-auth',
  'kubernetes.io/ssh-auth',
  'kubernetes.io/tls',
];

/** Go writes a few characters differently, for browsers' sake. */
function goJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function sorted(entries: Readonly<Record<string, string>>): Record<string, string> {
  const keys = Object.keys(entries).sort();
  return Object.fromEntries(keys.map((key) => [key, entries[key] ?? '']));
}

type Rename = (ref: ConfigRef) => string;
type Change = (part: unknown) => unknown;

/** The one table of the places where pod templates name ConfigMaps and Secrets. */
function withNames(template: PodTemplate, rename: Rename): PodTemplate {
  const configMap = reference('ConfigMap', 'name', rename);
  const secret = reference('Secret', 'name', rename);
  const container = inside({
    env: each(inside({ valueFrom: inside({ configMapKeyRef: configMap, secretKeyRef: secret }) })),
    envFrom: each(inside({ configMapRef: configMap, secretRef: secret })),
  });
  const volume = inside({
    configMap,
    secret: reference('Secret', 'secretName', rename),
    projected: inside({ sources: each(inside({ configMap, secret })) }),
  });
  const change = inside({
    spec: inside({
      volumes: each(volume),
      initContainers: each(container),
      containers: each(container),
    }),
  });
  return change(template) as PodTemplate;
}

function reference(kind: ConfigKind, field: string, rename: Rename): Change {
  return (part) => {
    const { [field]: name, optional } = part as Readonly<Record<string, unknown>>;
    if (typeof name !== 'string' || name === '') return part;
    return {
      ...(part as object),
      [field]: rename({ kind, name, optional: optional === true }),
    };
  };
}

/** Changes the fields an object has, and leaves the others as they are. */
function inside(changes: Readonly<Record<string, Change>>): Change {
  return (part) => {
    const fields = part as Readonly<Record<string, unknown>>;
    const changed = Object.entries(changes)
      .filter(([field]) => typeof fields[field] === 'object' && fields[field] !== null)
      .map(([field, change]) => [field, change(fields[field])]);
    return { ...fields, ...(Object.fromEntries(changed) as object) };
  };
}

function each(change: Change): Change {
  return (part) => (part as readonly unknown[]).map(change);
}
