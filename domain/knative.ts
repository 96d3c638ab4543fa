import { withoutKeys } from './entries.js';
import type { KnativeCondition, KnativeService, KnativeTraffic, KubeObject } from './objects.js';
import type { Readiness } from './readiness.js';
import { allToPrimary, type Routes } from './routes.js';

/** A Revision of Knative: what a Service was at one moment, with its pods. */
export interface KnativeRevision extends KubeObject {
  readonly status?: {
    readonly conditions?: readonly KnativeCondition[];
  };
}

/** Which revision is the primary; Flagger's own, so that a Canary can go from one to the other. */
const primaryAnnotation = 'flagger.app/primary-revision';

/** Which Canary released the Service last: nothing of it is owned, so it has to be written down. */
const canaryAnnotation = 'sluice.dev/canary';

/** Which revision was the primary before the last promotion, for the way back. */
const previousAnnotation = 'sluice.dev/previous-knative-revision';

/** The revision Knative made of the Service last; undefined while there is none. */
export function latestRevisionOf({ status }: KnativeService): string | undefined {
  return status?.latestCreatedRevisionName;
}

/** The revision that is the primary. */
export function primaryRevisionOf({ metadata }: KubeObject): string | undefined {
  return metadata.annotations?.[primaryAnnotation];
}

/** The revision that was the primary before the last promotion. */
export function previousRevisionOf({ metadata }: KubeObject): string | undefined {
  return metadata.annotations?.[previousAnnotation];
}

/** The name of the Canary that released the Service last. */
export function claimedBy({ metadata }: KubeObject): string | undefined {
  return metadata.annotations?.[canaryAnnotation];
}

/** The Service with a revision as its primary, which gets all the traffic. */
export function pinned(service: KnativeService, canary: string, revision: string): KnativeService {
  const annotations = { [canaryAnnotation]: canary, [primaryAnnotation]: revision };
  return withTraffic(annotated(service, annotations), revision, allToPrimary);
}

/** The Service with its traffic split between its latest revision and the primary. */
export function withTraffic(
  service: KnativeService,
  primary: string,
  { primary: primaryWeight, canary }: Routes,
): KnativeService {
  const traffic: readonly KnativeTraffic[] = [
    { latestRevision: true, percent: canary },
    // Knative writes out that this is not the latest one; so what is written is what is stored.
    { latestRevision: false, revisionName: primary, percent: primaryWeight },
    ...taggedOf(service),
  ];
  return { ...service, spec: { ...service.spec, traffic } };
}

/** How the traffic is split; undefined when others get some of it, or one of the two has no entry. */
export function trafficOf(service: KnativeService, primary: string): Routes | undefined {
  const { traffic = [] } = service.spec;
  const untagged = traffic.filter(({ tag = '' }) => tag === '');
  const ofCanary = untagged.find(({ revisionName = '' }) => revisionName === '');
  const ofPrimary = untagged.find(({ revisionName }) => revisionName === primary);
  if (ofCanary === undefined || ofPrimary === undefined) return undefined;
  const whole = totalOf(traffic) === 100 && totalOf([ofCanary, ofPrimary]) === 100;
  return whole ? { primary: ofPrimary.percent ?? 0, canary: ofCanary.percent ?? 0 } : undefined;
}

/** The Service as it serves without a Canary: whatever is the latest revision gets the traffic. */
export function unpinned(service: KnativeService): KnativeService {
  const { metadata, spec } = service;
  const own = [primaryAnnotation, canaryAnnotation, previousAnnotation];
  return {
    ...service,
    metadata: {
      ...metadata,
      annotations: withoutKeys(metadata.annotations, (key) => own.includes(key)),
    },
    spec: { ...spec, traffic: [{ latestRevision: true, percent: 100 }, ...taggedOf(service)] },
  };
}

/** Entries with a tag give a revision an address of its own, which it keeps; its share is ours. */
function taggedOf({ spec: { traffic = [] } }: KnativeService): readonly KnativeTraffic[] {
  return traffic
    .filter(({ tag = '' }) => tag !== '')
    .map((entry) => ((entry.percent ?? 0) === 0 ? entry : { ...entry, percent: 0 }));
}

function totalOf(traffic: readonly KnativeTraffic[]): number {
  return traffic.reduce((sum, { percent = 0 }) => sum + percent, 0);
}

/** The Service with another primary; a repeated promotion gives the same Service again. */
export function promoted(service: KnativeService, revision: string): KnativeService {
  const now = primaryRevisionOf(service);
  if (now === revision) return service;
  return annotated(service, {
    [primaryAnnotation]: revision,
    ...(now === undefined ? {} : { [previousAnnotation]: now }),
  });
}

/** The Service with the primary it had before. */
export function restored(service: KnativeService, revision: string): KnativeService {
  return annotated(service, { [primaryAnnotation]: revision });
}

/** Whether a Revision can serve; it says so itself, and the wait for it is the release's own. */
export function revisionReadiness(name: string, revision: KnativeRevision | undefined): Readiness {
  if (revision === undefined) return waiting(`revision ${name} not found`);
  const { conditions = [] } = revision.status ?? {};
  const ready = conditions.find(({ type }) => type === 'Ready');
  if (ready?.status === 'True') return { ready: true };
  const why = reasonOf(ready);
  return waiting(`revision ${name} is not ready${why === '' ? '' : ` (${why})`}`);
}

/** What a condition says of itself; empty when it says nothing. */
export function reasonOf(condition: KnativeCondition | undefined): string {
  return [condition?.reason, condition?.message].filter((part) => part !== undefined).join(': ');
}

function waiting(what: string): Readiness {
  return { ready: false, hopeless: false, reason: `waiting for rollout to finish: ${what}` };
}

function annotated(
  service: KnativeService,
  annotations: Readonly<Record<string, string>>,
): KnativeService {
  const { metadata } = service;
  return {
    ...service,
    metadata: { ...metadata, annotations: { ...metadata.annotations, ...annotations } },
  };
}
