import type { Canary } from './canary.js';
import { pick, withoutKeys } from './entries.js';
import { included, isFluxOwned } from './inherited.js';
import { namesOf } from './names.js';
import type { ObjectMeta, OwnerReference, PodTemplate, PodWorkload } from './objects.js';
import { scaledUp } from './scale-to-zero.js';
import { isLending, totalAnnotation } from './replicas.js';
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
export interface PrimarySource<T extends PodWorkload = PodWorkload> {
  readonly target: T;
  readonly selector: SelectorLabel;
  readonly rules: PrimaryRules;
  /** The revision of the target; stamped on the primary's pods. */
  readonly revision: string;
  /** A UUID, stamped on them too: a new one rolls them even where nothing else differs. */
  readonly id: string;
}

/** Where the Deployment controller numbers the revisions of a Deployment and its ReplicaSets. */
export const numberAnnotation = 'deployment.kubernetes.io/revision';

/** Where the API server numbers the templates of a DaemonSet. */
const generationAnnotation = 'deprecated.daemonset.template.generation';

/** On the pods rather than the workload, so that going back to an old template restores it. */
export const revisionAnnotation = 'sluice.dev/revision';

/** Flagger's own: a new one with each promotion. */
export const idAnnotation = 'flagger-id';

/** The first of the allowed labels the target's selector has; undefined when it has none. */
export function selectorLabelOf(
  { spec }: PodWorkload,
  labels: readonly string[],
): SelectorLabel | undefined {
  const { matchLabels = {} } = spec.selector;
  const label = labels.find((key) => matchLabels[key] !== undefined);
  return label === undefined ? undefined : { label, value: matchLabels[label] ?? '' };
}

/** The sentence about a target that no primary can be told apart from. */
export function missingSelectorLabel(
  { kind, metadata: { name, namespace = 'default' } }: PodWorkload,
  labels: readonly string[],
): string {
  return `getSelectorLabel failed: ${kind.toLowerCase()} ${name}.${namespace} spec.selector.matchLabels must contain one of [${labels.join(' ')}]`;
}

/** The label value of the primary's pods. */
export function primaryValueOf({ value }: SelectorLabel): string {
  return `${value}-primary`;
}

/** The primary as it is first created: the target under another name and label. */
export function newPrimary(canary: Canary, source: PrimarySource): PodWorkload {
  const { target, selector } = source;
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
      ...podsOf(target, 1),
      selector: { matchLabels: { [selector.label]: primaryValueOf(selector) } },
    },
  };
}

/**
 * The primary with the target's content. The state it was in before is written down on it the
 * first time, so that a repeated promotion of the same revision gives the same primary again.
 *
 * @param state the name its kind has for the state it is in, if that is known
 */
export function promotedPrimary<T extends PodWorkload>(
  primary: T,
  source: PrimarySource<T>,
  { state, autoscaled }: { readonly state: string | undefined; readonly autoscaled: boolean },
): T {
  const { replicas } = primary.spec;
  return {
    ...primary,
    metadata: {
      ...primary.metadata,
      labels: labelsOf(source),
      annotations: {
        ...included(source.target.metadata.annotations, source.rules.includeLabelPrefixes),
        ...pick(
          primary.metadata.annotations,
          numberAnnotation,
          generationAnnotation,
          totalAnnotation,
        ),
        ...stateBeforeOf(primary, source.revision, state),
      },
    },
    spec: {
      ...withoutKeys(primary.spec, (key) => (copiedFields as readonly string[]).includes(key)),
      ...copiedSpecOf(source),
      selector: primary.spec.selector,
      // A target at zero says nothing about how many pods the traffic needs, nor does one whose
      // pods are a share of it.
      ...(autoscaled || isLending(primary) ? {} : podsOf(source.target, replicas ?? 1)),
    },
  };
}

/** The pod template of the primary. */
export function primaryTemplate({
  target,
  selector,
  rules,
  revision,
  id,
}: PrimarySource): PodTemplate {
  // A primary has pods, whatever the target at rest has.
  const { metadata = {}, spec = {}, ...rest } = scaledUp(target.spec.template);
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

/** The revision of the target the primary was copied from; undefined when others made it. */
export function copiedRevisionOf({ spec }: PodWorkload): string | undefined {
  return spec.template.metadata?.annotations?.[revisionAnnotation];
}

/** The name of the state the primary was in before its last promotion. */
export function stateBefore({ kind, metadata }: PodWorkload): string | undefined {
  return metadata.annotations?.[stateBeforeAnnotation(kind)];
}

/** The workload with another pod template. */
export function withTemplate<T extends PodWorkload>(workload: T, template: PodTemplate): T {
  return { ...workload, spec: { ...workload.spec, template } };
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
  'updateStrategy',
  'minReadySeconds',
  'revisionHistoryLimit',
  'progressDeadlineSeconds',
] as const;

function copiedSpecOf(source: PrimarySource): Pick<PodWorkload['spec'], 'template'> {
  const { spec } = source.target;
  return { ...pick(spec, ...copiedFields), template: primaryTemplate(source) };
}

/** The target's number of pods, or another where it has none; a DaemonSet has its nodes' number. */
function podsOf({ kind, spec }: PodWorkload, otherwise: number): { replicas?: number } {
  const { replicas = 1 } = spec;
  return kind === 'Deployment' ? { replicas: replicas > 0 ? replicas : otherwise } : {};
}

function labelsOf({ target, selector, rules }: PrimarySource): Record<string, string> {
  return {
    ...included(target.metadata.labels, rules.includeLabelPrefixes),
    [selector.label]: primaryValueOf(selector),
  };
}

/** Where a primary keeps the state it was in before its last promotion, for the way back. */
function stateBeforeAnnotation(kind: string): string {
  return `sluice.dev/previous-${kind.toLowerCase()}-revision`;
}

function stateBeforeOf(
  primary: PodWorkload,
  revision: string,
  state: string | undefined,
): Record<string, string> {
  const key = stateBeforeAnnotation(primary.kind);
  if (copiedRevisionOf(primary) === revision) return pick(primary.metadata.annotations, key);
  return state === undefined ? {} : { [key]: state };
}

function isNumber(key: string): boolean {
  return key === numberAnnotation || key === generationAnnotation;
}
