import type { Canary } from '../../domain/canary.js';
import {
  latestRevisionOf,
  pinned,
  previousRevisionOf,
  primaryRevisionOf,
  promoted,
  restored,
  revisionReadiness,
  type KnativeRevision,
} from '../../domain/knative.js';
import type { KnativeService, ObjectRef } from '../../domain/objects.js';
import { deadlineExceeded, notReady, type Readiness } from '../../domain/readiness.js';
import type { Role } from '../../domain/release.js';
import { workloadRefs } from '../../domain/targets.js';
import { invalidSpec } from '../canaries.js';
import { changeObject } from '../changes.js';
import type { Deps } from '../deps.js';
import { followObject } from './follow.js';
import type { Primary, Target, Workload } from './workload.js';

/**
 * Knative Services as targets. Knative keeps a revision of everything the Service ever was, so
 * nothing is copied: the primary is one of them, named by an annotation, and the canary the latest.
 */
export function knativeWorkload(deps: Deps, canary: Canary): Workload {
  const { kube } = deps;
  const { canary: ref } = workloadRefs(canary);

  async function read(): Promise<KnativeService> {
    const service = await kube.find<KnativeService>(ref);
    if (service === undefined) throw invalidSpec(missing(ref));
    return service;
  }

  async function readiness(role: Role): Promise<Readiness> {
    const service = await kube.find<KnativeService>(ref);
    const judged = await judge(role, service);
    return judged.ready ? judged : { ...judged, reason: notReady(role, ref, judged) };
  }

  async function judge(role: Role, service: KnativeService | undefined): Promise<Readiness> {
    if (service === undefined) return { ready: false, hopeless: false, reason: missing(ref) };
    const revision =
      role === 'primary'
        ? // Without its annotation it is what was promoted last, and the router says so again.
          (primaryRevisionOf(service) ?? canary.status.lastPromotedSpec)
        : latestRevisionOf(service);
    const name = revision ?? '';
    return revisionReadiness(name, await kube.find<KnativeRevision>(revisionRef(ref, name)));
  }

  return {
    async target() {
      return targetOf(await read(), deps, canary);
    },
    isAtZero: () => Promise.resolve(true),
    scaleToZero: () => Promise.resolve(),
    scaleFromZero: () => Promise.resolve(),

    setImages: () =>
      Promise.reject(
        invalidSpec(`${nameOf(ref)}: images of a Knative service are set in its own manifest`),
      ),

    async putBack(revision) {
      if (latestRevisionOf(await read()) === revision) return;
      throw invalidSpec(
        `${nameOf(ref)} cannot go back to revision ${revision}: Knative makes a new revision of whatever it is given`,
      );
    },

    // Its router gives the traffic back; its pods come when there is some.
    revert: () => Promise.resolve(),

    async primary() {
      const service = await kube.find<KnativeService>(ref);
      return service && primaryOf(service, deps, ref);
    },

    readiness,

    async follow(role, judged) {
      let ended = false;
      // The Service is written to when a revision becomes ready, but only the revision says so.
      const stop = await followObject(deps, ref, () => {
        void readiness(role).then(
          (now) => {
            if (!ended) judged(now);
          },
          // Whoever waits asks again before long.
          () => undefined,
        );
      });
      return () => {
        ended = true;
        stop();
      };
    },

    // What counts are the revisions, and no watch mirrors them.
    looksWell: () => Promise.resolve(false),

    overdue(role) {
      const reason = deadlineExceeded(canary.progressDeadlineMs);
      return notReady(role, ref, { hopeless: true, reason });
    },
  };
}

function targetOf(service: KnativeService, { kube }: Deps, canary: Canary): Target {
  const { canary: ref } = workloadRefs(canary);
  const revision = latestRevisionOf(service);
  if (revision === undefined) throw invalidSpec(`${nameOf(ref)} has no revision yet`);

  /** What was promoted last, as long as Knative has it. */
  async function promotedRevision(latest: string): Promise<string> {
    const { lastPromotedSpec = '' } = canary.status;
    const isKept =
      lastPromotedSpec !== '' &&
      (await kube.find(revisionRef(ref, lastPromotedSpec))) !== undefined;
    return isKept ? lastPromotedSpec : latest;
  }

  return {
    revision,
    selector: undefined,
    containers: service.spec.template?.spec?.containers ?? [],

    async createPrimary() {
      const primary = await promotedRevision(revision);
      const written = await changeObject<KnativeService>(kube, ref, (live) =>
        primaryRevisionOf(live) === undefined ? pinned(live, canary.name, primary) : live,
      );
      return (written && primaryRevisionOf(written)) ?? primary;
    },

    // Flagger writes it down as we do.
    primaryRevision: () => Promise.resolve(primaryRevisionOf(service)),

    async copyToPrimary() {
      const written = await changeObject<KnativeService>(kube, ref, (live) =>
        promoted(live, revision),
      );
      if (written === undefined) throw invalidSpec(missing(ref));
      return previousRevisionOf(written);
    },
  };
}

function primaryOf(service: KnativeService, { kube }: Deps, ref: ObjectRef): Primary | undefined {
  const revision = primaryRevisionOf(service);
  if (revision === undefined) return undefined;
  return {
    revision,
    before: previousRevisionOf(service),
    // The earlier revision never went away; but traffic goes where the annotation says.
    servesWhileRestored: false,

    async restore(before) {
      await changeObject<KnativeService>(kube, ref, (live) => restored(live, before));
    },
  };
}

function revisionRef({ apiVersion, namespace }: ObjectRef, name: string): ObjectRef {
  return { apiVersion, kind: 'Revision', namespace, name };
}

function nameOf({ name, namespace }: ObjectRef): string {
  return `service ${name}.${namespace}`;
}

/** The API server's own sentence, for an object that is not there. */
function missing(ref: ObjectRef): string {
  return `${nameOf(ref)} get query error: services.serving.knative.dev "${ref.name}" not found`;
}
