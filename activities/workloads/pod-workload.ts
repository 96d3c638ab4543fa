import { createHash } from 'node:crypto';

import type { Canary } from '../../domain/canary.js';
import { withCopies } from '../../domain/configs.js';
import { containersOf, withImages } from '../../domain/images.js';
import type { ObjectRef, PodTemplate, PodWorkload } from '../../domain/objects.js';
import {
  controllingCanary,
  copiedRevisionOf,
  missingSelectorLabel,
  newPrimary,
  promotedPrimary,
  selectorLabelOf,
  stateBefore,
  withTemplate,
  type PrimarySource,
} from '../../domain/primary.js';
import { notReady, type Readiness } from '../../domain/readiness.js';
import type { Role } from '../../domain/release.js';
import { intendedReplicas } from '../../domain/replicas.js';
import { scaledUp } from '../../domain/scale-to-zero.js';
import { workloadRefs } from '../../domain/targets.js';
import { invalidSpec } from '../canaries.js';
import { changeObject } from '../changes.js';
import {
  checksumsNow,
  checksumsOfCopies,
  checksumsSeen,
  readConfigs,
  type Checksums,
  type Configs,
} from '../configs.js';
import type { ConfigChecksums, Deps } from '../deps.js';
import { refOf, type Kube } from '../kube.js';
import { revisionOf } from '../revision.js';
import { copiedRevision } from './copied-revision.js';
import { followObject, untilReverted } from './follow.js';
import { keptState, type History } from './history.js';
import type { Primary, Target, Workload } from './workload.js';

/** What tells one kind of workload that is made of a pod template from another. */
export interface PodKind<T extends PodWorkload> {
  /** What keeps a target of this kind from being released; undefined when nothing does. */
  problemOf(target: T): string | undefined;
  isAtZero(live: T): boolean;
  toZero(live: T): T;
  /** @param pods how many, for kinds that are told */
  toPods(live: T, pods: number): T;
  readinessOf(live: T, thresholdPercent: number): Readiness;
  overdue(canary: Canary, name: string): string;
  servesThroughRollout(live: T): boolean;
  /** The name of the state a primary is in, as its {@link history} has it; undefined if unknown. */
  stateOf(primary: T): string | undefined;
  /** The templates the cluster keeps of a workload. */
  readonly history: History<T>;
}

/** Workloads that are made of a pod template: `TARGET`, and its copy `TARGET-primary`. */
export function podWorkload<T extends PodWorkload>(
  deps: Deps,
  canary: Canary,
  kind: PodKind<T>,
): Workload {
  const { kube, workloads } = deps;
  const refs = workloadRefs(canary);

  async function changeTarget(to: (live: T) => T): Promise<T> {
    return found(await changeObject(kube, refs.canary, to), refs.canary);
  }

  function judge(role: Role, live: T | undefined): Readiness {
    if (live === undefined) return { ready: false, hopeless: false, reason: missing(refs[role]) };
    const { primaryReadyThreshold, canaryReadyThreshold } = canary.analysis;
    const threshold = role === 'primary' ? primaryReadyThreshold : canaryReadyThreshold;
    const readiness = kind.readinessOf(live, threshold);
    return readiness.ready
      ? readiness
      : { ...readiness, reason: notReady(role, refs[role], readiness) };
  }

  const follow: Workload['follow'] = (role, judged) =>
    followObject(deps, refs[role], (seen) => judged(judge(role, seen as T | undefined)));

  return {
    async target() {
      const live = found(await kube.find<T>(refs.canary), refs.canary);
      const configs = await readConfigs(deps, canary, live.spec.template);
      return targetOf(live, configs, deps, canary, kind);
    },

    async isAtZero() {
      const live = await kube.find<T>(refs.canary);
      return live === undefined || kind.isAtZero(live);
    },

    async scaleToZero() {
      await changeObject<T>(kube, refs.canary, (live) => kind.toZero(live));
    },

    async scaleFromZero(pods) {
      const wanted = pods ?? (await kube.find<T>(refs.primary))?.spec.replicas ?? 1;
      await changeTarget((live) =>
        kind.isAtZero(live) ? kind.toPods(live, Math.max(1, wanted)) : live,
      );
    },

    async setImages(images) {
      const changed = await changeTarget((live) => workloadWithImages(live, images));
      const { checksums } = await readConfigs(deps, canary, changed.spec.template);
      return revisionOfTarget(changed, checksums);
    },

    async putBack(revision) {
      const live = found(await kube.find<T>(refs.canary), refs.canary);
      const { namespace } = canary;
      const configsOf = (template: PodTemplate): Promise<Checksums> =>
        checksumsNow(deps, { namespace, template });
      if (revisionOfTarget(live, await configsOf(live.spec.template)) === revision) return;
      const template = await templateAt(kube, live, revision, { kind, configsOf });
      await changeTarget((now) => {
        const back = withTemplate(now, template);
        return kind.isAtZero(now) ? kind.toZero(back) : back;
      });
    },

    async revert() {
      const primary = await kube.find<T>(refs.primary);
      const target = await changeObject<T>(kube, refs.canary, (live) => {
        const own = kind.isAtZero(live) ? 1 : live.spec.replicas;
        return kind.toPods(live, primary ? intendedReplicas(primary) : Math.max(1, own ?? 1));
      });
      if (target !== undefined) await untilReverted(follow);
    },

    async primary() {
      const live = await kube.find<T>(refs.primary);
      if (live !== undefined) refuseOthers(live, canary);
      return live && primaryOf(live, deps, kind);
    },

    async readiness(role) {
      return judge(role, await kube.find<T>(refs[role]));
    },

    follow,

    looksWell(revision) {
      const target = workloads.get(refs.canary) as T | undefined;
      const primary = workloads.get(refs.primary) as T | undefined;
      return Promise.resolve(
        target !== undefined &&
          revisionOfTarget(target, checksumsOfTarget(deps.configs, target)) === revision &&
          judge('primary', primary).ready &&
          judge('canary', target).ready,
      );
    },

    overdue(role) {
      const reason = kind.overdue(canary, refs[role].name);
      return notReady(role, refs[role], { hopeless: true, reason });
    },
  };
}

/**
 * Names what a target would run; that it is at rest is no content.
 *
 * @param configs what is tracked of the configs it refers to
 */
export function revisionOfTarget({ spec }: PodWorkload, configs: Checksums): string {
  return revisionOf(scaledUp(spec.template), configs);
}

/** What is tracked of the configs a target refers to, as a watch has seen them. */
export function checksumsOfTarget(
  configs: ConfigChecksums | undefined,
  { metadata: { namespace = '' }, spec: { template } }: PodWorkload,
): Checksums {
  return checksumsSeen(configs, { namespace, template });
}

function targetOf<T extends PodWorkload>(
  target: T,
  configs: Configs,
  deps: Deps,
  canary: Canary,
  kind: PodKind<T>,
): Target {
  const { kube, settings } = deps;
  const selector = selectorLabelOf(target, settings.selectorLabels);
  if (selector === undefined) {
    throw invalidSpec(missingSelectorLabel(target, settings.selectorLabels));
  }
  const problem = kind.problemOf(target);
  if (problem !== undefined) throw invalidSpec(problem);
  const { primary } = workloadRefs(canary);
  const revision = revisionOfTarget(target, configs.checksums);

  const sourceOf = (of: T, name: string): PrimarySource<T> => {
    const id = idOf(`${canary.uid}/${name}`);
    return { target: of, selector, rules: settings, revision: name, id };
  };

  /** The target with what it reads from copies. */
  function ownSource(): PrimarySource<T> {
    return sourceOf(withTemplate(target, configs.forPrimary(target.spec.template)), revision);
  }

  /** What the target was when it was promoted last, for which the copies have been kept. */
  async function promotedSource(promoted: string): Promise<PrimarySource<T>> {
    const { namespace } = canary;
    const configsOf = (template: PodTemplate): Promise<Checksums> =>
      checksumsOfCopies(deps, { namespace, template });
    const template = await templateAt(kube, target, promoted, { kind, configsOf });
    const copied = withCopies(template, Object.keys(await configsOf(template)));
    return sourceOf(withTemplate(target, copied), promoted);
  }

  /** A new primary is what was promoted last, or the target if nothing was, or nothing else. */
  async function newSource(): Promise<PrimarySource<T>> {
    const { lastPromotedSpec = '' } = canary.status;
    if (lastPromotedSpec !== '' && lastPromotedSpec !== revision) {
      return promotedSource(lastPromotedSpec);
    }
    await configs.copy();
    return ownSource();
  }

  return {
    revision,
    selector,
    containers: target.spec.template.spec?.containers ?? [],

    async createPrimary() {
      const live = await kube.find<T>(primary);
      if (live !== undefined) {
        refuseOthers(live, canary);
        return copiedRevisionOf(live) ?? revision;
      }
      const source = await newSource();
      await kube.create(newPrimary(canary, source));
      return source.revision;
    },

    async primaryRevision() {
      const live = await kube.find<T>(primary);
      const source = { target, selector, rules: settings };
      return live && copiedRevision(deps, live, { source, history: kind.history });
    },

    async copyToPrimary() {
      const source = ownSource();
      await configs.promote();
      const autoscaled = canary.autoscaler !== undefined;
      const written = await changeObject<T>(kube, primary, (live) =>
        promotedPrimary(live, source, { state: kind.stateOf(live), autoscaled }),
      );
      return stateBefore(found(written, primary));
    },
  };
}

function primaryOf<T extends PodWorkload>(primary: T, deps: Deps, kind: PodKind<T>): Primary {
  return {
    revision: copiedRevisionOf(primary),
    before: stateBefore(primary),
    servesWhileRestored: kind.servesThroughRollout(primary),

    async restore(before) {
      const { template } = await keptState(deps.kube, primary, {
        history: kind.history,
        name: before,
        isIt: ({ states }) => states.includes(before),
      });
      await changeObject<T>(deps.kube, refOf(primary), (live) => withTemplate(live, template));
    },
  };
}

interface TemplateWanted<T extends PodWorkload> {
  readonly kind: PodKind<T>;
  /** What was tracked of the configs that a template refers to. */
  readonly configsOf: (template: PodTemplate) => Promise<Checksums>;
}

/** The template a target had at an earlier revision. */
async function templateAt<T extends PodWorkload>(
  kube: Kube,
  target: T,
  revision: string,
  { kind, configsOf }: TemplateWanted<T>,
): Promise<PodTemplate> {
  const { template } = await keptState(kube, target, {
    history: kind.history,
    name: revision,
    isIt: async (kept) => {
      const configs = await configsOf(kept.template);
      return revisionOfTarget(withTemplate(target, kept.template), configs) === revision;
    },
  });
  return scaledUp(template);
}

/** Two canaries with one primary would fight over it without end. */
function refuseOthers({ kind, metadata }: PodWorkload, canary: Canary): void {
  const owner = controllingCanary(metadata);
  if (owner === undefined || owner === canary.name) return;
  const { name, namespace = '' } = metadata;
  throw invalidSpec(
    `${kind.toLowerCase()} ${name}.${namespace} belongs to canary ${owner}.${namespace}`,
  );
}

function found<T extends PodWorkload>(workload: T | undefined, ref: ObjectRef): T {
  if (workload === undefined) throw invalidSpec(missing(ref));
  return workload;
}

/** The API server's own sentence, for an object that is not there. */
function missing({ kind, name, namespace }: ObjectRef): string {
  const word = kind.toLowerCase();
  return `${word} ${name}.${namespace} get query error: ${word}s.apps "${name}" not found`;
}

function workloadWithImages<T extends PodWorkload>(
  workload: T,
  images: Readonly<Record<string, string>>,
): T {
  const { kind, metadata, spec } = workload;
  const present = containersOf(spec.template).map(({ name }) => name);
  const unknown = Object.keys(images).filter((name) => !present.includes(name));
  if (unknown.length > 0) {
    throw invalidSpec(
      `${kind.toLowerCase()} ${metadata.name}.${metadata.namespace ?? ''} has no container ${unknown.join(', ')} (containers: ${present.join(', ')})`,
    );
  }
  return withTemplate(workload, withImages(spec.template, images));
}

/** The same UUID for the same content, so that a repeated write is no new one. */
function idOf(content: string): string {
  const hex = createHash('sha256').update(content).digest('hex');
  // Version 8 (free form), variant 1: https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-8
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
