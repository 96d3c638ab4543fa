import { createHash } from 'node:crypto';

import type { Canary } from '../../domain/canary.js';
import { containersOf, withImages } from '../../domain/images.js';
import { namesOf } from '../../domain/names.js';
import type { Deployment, ObjectRef } from '../../domain/objects.js';
import {
  copiedRevisionOf,
  missingSelectorLabel,
  newPrimary,
  numberBefore,
  promotedPrimary,
  selectorLabelOf,
} from '../../domain/primary.js';
import {
  deadlineExceeded,
  notReady,
  readinessOf,
  servesThroughRollout,
  type Readiness,
} from '../../domain/readiness.js';
import type { Role } from '../../domain/release.js';
import { invalidSpec } from '../canaries.js';
import { changeObject } from '../changes.js';
import type { Deps } from '../deps.js';
import { refOf, type Kube } from '../kube.js';
import { revisionOf } from '../revision.js';
import { templateOfRevision } from './replica-sets.js';
import type { Primary, Target, Workload } from './workload.js';

/** Deployments as targets: `TARGET` and its copy `TARGET-primary`. */
export function deploymentWorkload(deps: Deps, canary: Canary): Workload {
  const { kube, deployments } = deps;
  const refs = refsOf(canary);

  async function changeTarget(to: (live: Deployment) => Deployment): Promise<Deployment> {
    return found(await changeObject(kube, refs.canary, to), refs.canary);
  }

  function judge(role: Role, deployment: Deployment | undefined): Readiness {
    if (deployment === undefined) {
      return { ready: false, hopeless: false, reason: missing(refs[role]) };
    }
    const { primaryReadyThreshold, canaryReadyThreshold } = canary.analysis;
    const threshold = role === 'primary' ? primaryReadyThreshold : canaryReadyThreshold;
    const readiness = readinessOf(deployment, threshold);
    return readiness.ready
      ? readiness
      : { ...readiness, reason: notReady(role, deployment, readiness.reason) };
  }

  return {
    async target() {
      return targetOf(found(await kube.find<Deployment>(refs.canary), refs.canary), deps, canary);
    },

    async isAtZero() {
      const live = await kube.find<Deployment>(refs.canary);
      return live === undefined || isAtZero(live);
    },

    async scaleToZero() {
      await changeObject<Deployment>(kube, refs.canary, (live) => withReplicas(live, 0));
    },

    async scaleFromZero() {
      const primary = await kube.find<Deployment>(refs.primary);
      const wanted = Math.max(1, primary?.spec.replicas ?? 1);
      await changeTarget((live) => (isAtZero(live) ? withReplicas(live, wanted) : live));
    },

    async setImages(images) {
      const changed = await changeTarget((live) => deploymentWithImages(live, images));
      return revisionOf(changed.spec.template);
    },

    async primary() {
      const live = await kube.find<Deployment>(refs.primary);
      return live && primaryOf(live, kube);
    },

    async readiness(role) {
      return judge(role, await kube.find<Deployment>(refs[role]));
    },

    async follow(role, judged) {
      let since: string | undefined;
      const look = (seen: Deployment | undefined): void => {
        if (since !== undefined && !isOlder(seen, since)) judged(judge(role, seen));
      };
      // Subscribed before it reads, so that no change falls between the two.
      const stop = deployments.subscribe(refs[role], look);
      try {
        const read = await kube.find<Deployment>(refs[role]);
        since = read?.metadata.resourceVersion ?? '';
        judged(judge(role, read));
      } catch (error) {
        stop();
        throw error;
      }
      const cached = deployments.get(refs[role]);
      if (cached !== undefined) look(cached);
      return stop;
    },

    overdue(role) {
      return notReady(role, { metadata: refs[role] }, deadlineExceeded(refs[role].name));
    },
  };
}

function refsOf(canary: Canary): Readonly<Record<Role, ObjectRef>> {
  const { targetWorkload, primaryWorkload } = namesOf(canary);
  const kind = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: canary.namespace };
  return { canary: { ...kind, name: targetWorkload }, primary: { ...kind, name: primaryWorkload } };
}

function targetOf(target: Deployment, deps: Deps, canary: Canary): Target {
  const { kube, settings } = deps;
  const selector = selectorLabelOf(target, settings.selectorLabels);
  if (selector === undefined) {
    throw invalidSpec(missingSelectorLabel(target, settings.selectorLabels));
  }
  const { primary } = refsOf(canary);
  const revision = revisionOf(target.spec.template);
  const id = idOf(`${canary.uid}/${revision}`);
  const source = { target, selector, rules: settings, revision, id };

  return {
    revision,
    selector,
    containers: target.spec.template.spec?.containers ?? [],

    async createPrimary() {
      if ((await kube.find(primary)) === undefined) await kube.create(newPrimary(canary, source));
    },

    async copyToPrimary() {
      const written = await changeObject<Deployment>(kube, primary, (live) =>
        promotedPrimary(live, source),
      );
      return numberBefore(found(written, primary));
    },
  };
}

function primaryOf(primary: Deployment, kube: Kube): Primary {
  return {
    revision: copiedRevisionOf(primary),
    before: numberBefore(primary),
    servesWhileRestored:
      (primary.status?.availableReplicas ?? 0) > 0 && servesThroughRollout(primary),

    async restore(before) {
      const template = await templateOfRevision(kube, primary, before);
      await changeObject<Deployment>(kube, refOf(primary), (live) => ({
        ...live,
        spec: { ...live.spec, template },
      }));
    },
  };
}

function found(deployment: Deployment | undefined, ref: ObjectRef): Deployment {
  if (deployment === undefined) throw invalidSpec(missing(ref));
  return deployment;
}

/** The API server's own sentence, for an object that is not there. */
function missing({ name, namespace }: ObjectRef): string {
  return `deployment ${name}.${namespace} get query error: deployments.apps "${name}" not found`;
}

function isAtZero({ spec }: Deployment): boolean {
  return spec.replicas === 0;
}

function withReplicas(deployment: Deployment, replicas: number): Deployment {
  return { ...deployment, spec: { ...deployment.spec, replicas } };
}

function deploymentWithImages(
  deployment: Deployment,
  images: Readonly<Record<string, string>>,
): Deployment {
  const { metadata, spec } = deployment;
  const present = containersOf(spec.template).map(({ name }) => name);
  const unknown = Object.keys(images).filter((name) => !present.includes(name));
  if (unknown.length > 0) {
    throw invalidSpec(
      `deployment ${metadata.name}.${metadata.namespace ?? ''} has no container ${unknown.join(', ')} (containers: ${present.join(', ')})`,
    );
  }
  return { ...deployment, spec: { ...spec, template: withImages(spec.template, images) } };
}

/**
 * Whether a watch delivers something older than what has been read. Versions of one resource
 * compare as the numbers they are; an object that is gone has none, and counts as news.
 */
function isOlder(seen: Deployment | undefined, since: string): boolean {
  const version = seen?.metadata.resourceVersion;
  return version !== undefined && Number(version) < Number(since);
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
