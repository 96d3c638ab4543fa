import type { Canary } from '../../domain/canary.js';
import type { ObjectRef, Service } from '../../domain/objects.js';
import { controllingCanary } from '../../domain/primary.js';
import {
  contentOf,
  copiedServiceRevision,
  followingServiceCopy,
  newServiceCopy,
  previousService,
  restoredServiceCopy,
  updatedServiceCopy,
} from '../../domain/service-copies.js';
import { serviceName } from '../../domain/services.js';
import { workloadRefs } from '../../domain/targets.js';
import { invalidSpec } from '../canaries.js';
import { changeObject } from '../changes.js';
import type { Deps } from '../deps.js';
import { refOf, type Kube } from '../kube.js';
import { digestOf } from '../revision.js';
import { followObject } from './follow.js';
import type { Primary, Target, Workload } from './workload.js';

/**
 * Services as targets: clients call the target itself, which nobody here ever changes. The router
 * leads them to `TARGET-primary` and `TARGET-canary`: what the target was when it was promoted
 * last, and what it is now. What they select is up to others, so they are always ready.
 */
export function serviceWorkload(deps: Deps, canary: Canary): Workload {
  const { kube, workloads } = deps;
  const refs = workloadRefs(canary);

  async function read(): Promise<Service> {
    const target = await kube.find<Service>(refs.canary);
    if (target === undefined) throw invalidSpec(missing(refs.canary));
    return target;
  }

  async function scaleFromZero(): Promise<void> {
    await applyCopy(deps, canary, await read());
  }

  return {
    async target() {
      return targetOf(await read(), deps, canary);
    },
    isAtZero: () => Promise.resolve(true),
    scaleToZero: () => Promise.resolve(),
    scaleFromZero,
    setImages: () => Promise.reject(invalidSpec(`${nameOf(refs.canary)} has no containers`)),

    async putBack(revision) {
      if (revisionOfService(await read()) === revision) return;
      throw invalidSpec(
        `${nameOf(refs.canary)} cannot go back to revision ${revision}: earlier states of a service are not kept`,
      );
    },

    revert: () => Promise.resolve(),

    async primary() {
      const live = await kube.find<Service>(refs.primary);
      if (live !== undefined) refuseOthers(live, canary);
      return live && primaryOf(live, kube);
    },

    async readiness(role) {
      return (await kube.find(refs[role])) === undefined
        ? { ready: false, hopeless: false, reason: missing(refs[role]) }
        : { ready: true };
    },

    async follow(role, judged) {
      // A newer revision takes over without scaling, and its requests must not meet the older one.
      if (role === 'canary') await scaleFromZero();
      return followObject(deps, refs[role], (seen) => {
        judged(
          seen === undefined
            ? { ready: false, hopeless: false, reason: missing(refs[role]) }
            : { ready: true },
        );
      });
    },

    looksWell(revision) {
      const target = workloads.get(refs.canary) as Service | undefined;
      const primary = workloads.get(refs.primary);
      return Promise.resolve(
        target !== undefined && primary !== undefined && revisionOfService(target) === revision,
      );
    },

    overdue: (role) => missing(refs[role]),
  };
}

/** Names what a Service would hand on to its copies. */
export function revisionOfService(service: Service): string {
  return digestOf(contentOf(service));
}

function targetOf(target: Service, deps: Deps, canary: Canary): Target {
  const { kube, settings } = deps;
  const { primary } = workloadRefs(canary);
  const revision = revisionOfService(target);
  return {
    revision,
    selector: undefined,
    containers: [],

    async createPrimary() {
      await applyCopy(deps, canary, target);
      const live = await kube.find<Service>(primary);
      if (live !== undefined) {
        refuseOthers(live, canary);
        return copiedServiceRevision(live) ?? revision;
      }
      await kube.create(newServiceCopy(canary, target, { name: primary.name, revision }));
      return revision;
    },

    async primaryRevision() {
      const live = await kube.find<Service>(primary);
      return live && (copiedServiceRevision(live) ?? revisionOfService(live));
    },

    async copyToPrimary() {
      const prefixes = settings.includeLabelPrefixes;
      const written = await changeObject<Service>(kube, primary, (live) =>
        updatedServiceCopy(canary, live, {
          target,
          revision,
          own: revisionOfService(live),
          prefixes,
        }),
      );
      if (written === undefined) throw invalidSpec(missing(primary));
      return previousService(written)?.revision;
    },
  };
}

function primaryOf(primary: Service, kube: Kube): Primary {
  return {
    revision: copiedServiceRevision(primary),
    before: previousService(primary)?.revision,
    // It has no pods that would have to come back first, so the traffic can wait for it.
    servesWhileRestored: false,

    async restore(before) {
      await changeObject<Service>(kube, refOf(primary), (live) => {
        if (copiedServiceRevision(live) === before) return live;
        const previous = previousService(live);
        if (previous?.revision === before) return restoredServiceCopy(live, previous);
        throw invalidSpec(
          `${nameOf(refOf(primary))} cannot go back to revision ${before}: it is gone`,
        );
      });
    },
  };
}

/** Makes `TARGET-canary` what the target is. */
async function applyCopy({ kube }: Deps, canary: Canary, target: Service): Promise<void> {
  const ref = {
    ...refOf(target),
    apiVersion: 'v1',
    kind: 'Service',
    name: serviceName(canary, 'canary'),
  };
  const revision = revisionOfService(target);
  const live = await kube.find<Service>(ref);
  if (live === undefined) {
    await kube.create(newServiceCopy(canary, target, { name: ref.name, revision }));
    return;
  }
  refuseOthers(live, canary);
  await changeObject<Service>(kube, ref, (now) =>
    followingServiceCopy(canary, now, { target, revision }),
  );
}

/** Two canaries with one primary would fight over it without end. */
function refuseOthers(service: Service, canary: Canary): void {
  const owner = controllingCanary(service.metadata);
  if (owner === undefined || owner === canary.name) return;
  throw invalidSpec(`${nameOf(refOf(service))} belongs to canary ${owner}.${canary.namespace}`);
}

function nameOf({ name, namespace }: Pick<ObjectRef, 'name' | 'namespace'>): string {
  return `service ${name}.${namespace}`;
}

/** The API server's own sentence, for an object that is not there. */
function missing(ref: ObjectRef): string {
  return `${nameOf(ref)} get query error: services "${ref.name}" not found`;
}
