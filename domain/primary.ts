import type { Canary } from './canary.js';
import { pick, withoutKeys } from './entries.js';
import { namesOf } from './names.js';
import type { Deployment, ObjectMeta, OwnerReference, PodTemplate } from './objects.js';
import { spreadApart } from './spread.js';

/** The label that tells the pods of target and primary apart, and its value on the target. */
export interface SelectorLabel {
  readonly label: string;
  readonly value: string;
}

/** What the worker's configuration says about primaries. */
export interface PrimaryRules {
  /** The labels a target's selector may be keyed by, in order of preference. */
  readonly selectorLabels: readonly string[];
  /** Prefixes of the label and annotation keys copied to the primary; `*` copies all. */
  readonly includeLabelPrefixes: readonly string[];
}

/** What a primary is made of. */
export interface PrimarySource {
  readonly target: Deployment;
  readonly selector: SelectorLabel;
  readonly rules: PrimaryRules;
  /** The revision of the target; stamped on the primary's pods. */
  readonly revision: string;
  /** A UUID, stamped on them too: a new one rolls them even where nothing else differs. */
  readonly id: string;
}

/** Where the Deployment controller numbers the revisions of a Deployment and its ReplicaSets. */
export const numberAnnotation = 'deployment.kubernetes.io/revision';

/** Where a primary keeps the number it had before its last promotion, for the way back. */
const numberBeforeAnnotation = 'sluice.dev/previous-deployment-revision';

/** On the pods rather than the Deployment, so that going back to an old ReplicaSet restores it. */
const revisionAnnotation = 'sluice.dev/revision';

const idAnnotation = 'flagger-id';

/** The first of the allowed labels the target's selector has; undefined when it has none. */
export function selectorLabelOf(
  { spec }: Deployment,
  labels: readonly string[],
): SelectorLabel | undefined {
  const { matchLabels = {} } = spec.selector;
  const label = labels.find((key) => matchLabels[key] !== undefined);
  return label === undefined ? undefined : { label, value: matchLabels[label] ?? '' };
}

/** The sentence about a target that no primary can be told apart from. */
export function missingSelectorLabel(
  { metadata: { name, namespace = 'default' } }: Deployment,
  labels: readonly string[],
): string {
  return `getSelectorLabel failed: deployment ${name}.${namespace} spec.selector.matchLabels must contain one of [${labels.join(' ')}]`;
}

/** The label value of the primary's pods. */
export function primaryValueOf({ value }: SelectorLabel): string {
  return `${value}-primary`;
}

/** The primary as it is first created: the target under another name and label. */
export function newPrimary(canary: Canary, source: PrimarySource): Deployment {
  const { target, selector } = source;
  const { replicas = 1 } = target.spec;
  return {
    apiVersion: target.apiVersion,
    kind: target.kind,
    metadata: {
      name: namesOf(canary).primaryWorkload,
      namespace: canary.namespace,
      labels: labelsOf(source),
      annotations: withoutKeys(target.metadata.annotations, isFluxOwned, isNumber),
      ownerReferences: [ownerReferenceTo(canary)],
    },
    spec: {
      ...copiedSpecOf(source),
      replicas: replicas > 0 ? replicas : 1,
      selector: { matchLabels: { [selector.label]: primaryValueOf(selector) } },
    },
  };
}

/**
 * The primary with the target's content. The number it had before is written down on it the first
 * time, so that a repeated promotion of the same revision gives the same primary again.
 */
export function promotedPrimary(primary: Deployment, source: PrimarySource): Deployment {
  const { replicas = 1 } = source.target.spec;
  const { annotations = {} } = primary.metadata;
  return {
    ...primary,
    metadata: {
      ...primary.metadata,
      labels: labelsOf(source),
      annotations: {
        ...included(source.target.metadata.annotations, source.rules),
        ...pick(annotations, numberAnnotation),
        ...numberBeforeOf(primary, source.revision),
      },
    },
    spec: {
      ...withoutKeys(primary.spec, (key) => (copiedFields as readonly string[]).includes(key)),
      ...copiedSpecOf(source),
      selector: primary.spec.selector,
      // A target at zero says nothing about how many pods the traffic needs.
      replicas: replicas > 0 ? replicas : (primary.spec.replicas ?? 1),
    },
  };
}

/** The revision of the target the primary was copied from; undefined when others made it. */
export function copiedRevisionOf({ spec }: Deployment): string | undefined {
  return spec.template.metadata?.annotations?.[revisionAnnotation];
}

/** The number the primary had before its last promotion. */
export function numberBefore({ metadata }: Deployment): string | undefined {
  return metadata.annotations?.[numberBeforeAnnotation];
}

/** The reference that lets an object be deleted with its Canary. */
export function ownerReferenceTo({ name, uid }: Canary): OwnerReference {
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** The name of the Canary that controls an object, if one does. */
export function controllingCanary({ ownerReferences = [] }: ObjectMeta): string | undefined {
  return ownerReferences.find(
    ({ apiVersion, kind, controller }) =>
      kind === 'Canary' && controller === true && apiVersion.startsWith('flagger.app/'),
  )?.name;
}

/** Everything of the spec that makes the primary behave as the target; never `paused`. */
const copiedFields = [
  'strategy',
  'minReadySeconds',
  'revisionHistoryLimit',
  'progressDeadlineSeconds',
] as const;

function copiedSpecOf(source: PrimarySource): Pick<Deployment['spec'], 'template'> {
  const { spec } = source.target;
  return { ...pick(spec, ...copiedFields), template: templateOf(source) };
}

/** References to ConfigMaps and Secrets stay as they are here: primary and canary share them. */
function templateOf({ target, selector, rules, revision, id }: PrimarySource): PodTemplate {
  const { metadata = {}, spec = {}, ...rest } = target.spec.template;
  return {
    ...rest,
    metadata: {
      ...metadata,
      labels: {
        ...withoutKeys(metadata.labels, isFluxOwned),
        [selector.label]: primaryValueOf(selector),
      },
      annotations: {
        ...withoutKeys(metadata.annotations, isFluxOwned),
        [idAnnotation]: id,
        [revisionAnnotation]: revision,
      },
    },
    spec: spreadApart(spec, [target.metadata.name, selector.value], rules.selectorLabels),
  };
}

function labelsOf({ target, selector, rules }: PrimarySource): Record<string, string> {
  return {
    ...included(target.metadata.labels, rules),
    [selector.label]: primaryValueOf(selector),
  };
}

function numberBeforeOf(primary: Deployment, revision: string): Record<string, string> {
  const { annotations = {} } = primary.metadata;
  if (copiedRevisionOf(primary) === revision) return pick(annotations, numberBeforeAnnotation);
  const number = annotations[numberAnnotation];
  return number === undefined ? {} : { [numberBeforeAnnotation]: number };
}

function included(
  entries: Readonly<Record<string, string>> = {},
  { includeLabelPrefixes }: PrimaryRules,
): Record<string, string> {
  return withoutKeys(
    entries,
    isFluxOwned,
    (key) => !includeLabelPrefixes.some((prefix) => prefix === '*' || key.startsWith(prefix)),
  );
}

/** Flux's own marks: on a copy they would make Flux prune it. */
function isFluxOwned(key: string): boolean {
  return key.includes('toolkit.fluxcd.io');
}

function isNumber(key: string): boolean {
  return key === numberAnnotation;
}
