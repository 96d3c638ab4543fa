import { isFlaggers } from '../../domain/adoption.js';
import type { Canary } from '../../domain/canary.js';
import {
  claimedBy,
  pinned,
  primaryRevisionOf,
  reasonOf,
  trafficOf,
  unpinned,
  withTraffic,
} from '../../domain/knative.js';
import type { KnativeService, KubeObject } from '../../domain/objects.js';
import { workloadRefs } from '../../domain/targets.js';
import { Unroutable, type Acceptance, type Router, type Split } from './router.js';

/**
 * Knative: the target itself splits its traffic, between its latest revision and the one that is
 * the primary. Others may ask for addresses of revisions by tags, but for no share of the traffic.
 * Fields: https://knative.dev/docs/serving/reference/serving-api/
 */
export function knative(): Router {
  return {
    reads: (canary) => [workloadRefs(canary).canary],

    needs: () => [],

    render(canary, split, live) {
      refuseUnsupported(split);
      const service = serviceIn(live);
      if (service === undefined) {
        throw new Unroutable(`spec.targetRef: ${nameOf(canary)} not found`);
      }
      const { service: marked, primary } = withPrimary(canary, service);
      return [withTraffic(marked, primary, split.routes)];
    },

    parse(_canary, live) {
      const service = serviceIn(live);
      if (service === undefined) return undefined;
      const primary = primaryRevisionOf(service);
      return primary === undefined ? undefined : trafficOf(service, primary);
    },

    finalize(canary, live) {
      const service = serviceIn(live);
      const owner = service && claimedBy(service);
      // Flagger leaves no name behind, so a Service without one may well be ours.
      const isOurs = owner === undefined ? isMarked(service) : owner === canary.name;
      return service !== undefined && isOurs ? [unpinned(service)] : [];
    },

    acceptance: (_canary, live) => acceptanceOf(serviceIn(live)),
  };
}

function serviceIn(live: readonly KubeObject[]): KnativeService | undefined {
  return live.find((object): object is KnativeService => object.kind === 'Service');
}

function isMarked(service: KnativeService | undefined): boolean {
  return service !== undefined && primaryRevisionOf(service) !== undefined;
}

function nameOf({ target, namespace }: Canary): string {
  return `service ${target.name}.${namespace}`;
}

function refuseUnsupported({ routes, cookies }: Split): void {
  if (routes.mirror === true) {
    throw new Unroutable('spec.analysis.mirror: is not supported by knative');
  }
  if (cookies.canary !== undefined || cookies.primary !== undefined) {
    throw new Unroutable('spec.analysis.sessionAffinity: is not supported by knative');
  }
}

/**
 * The Service and its primary. Who removes the annotation that names it must not keep a release
 * from being taken back, so the revision promoted last is written down anew; but not while one is
 * promoted, when that may be either of two.
 */
function withPrimary(
  canary: Canary,
  service: KnativeService,
): { readonly service: KnativeService; readonly primary: string } {
  const marked = primaryRevisionOf(service);
  if (marked !== undefined) return { service, primary: marked };
  const { name, status } = canary;
  const { lastPromotedSpec = '', phase } = status;
  const isKnown = lastPromotedSpec !== '' && !isFlaggers(status);
  if (!isKnown || phase === 'Promoting' || phase === 'Finalising') {
    throw new Error(`${nameOf(canary)} has no annotation flagger.app/primary-revision`);
  }
  return { service: pinned(service, name, lastPromotedSpec), primary: lastPromotedSpec };
}

/** Knative reports its routes as ready when all of the network knows them. */
function acceptanceOf(service: KnativeService | undefined): Acceptance {
  const { conditions = [], observedGeneration = 0 } = service?.status ?? {};
  const routes = conditions.find(({ type }) => type === 'RoutesReady');
  if (routes === undefined) return { kind: 'unreported' };
  if (observedGeneration < (service?.metadata.generation ?? 0)) return { kind: 'pending' };
  if (routes.status === 'True') return { kind: 'accepted' };
  const reason = reasonOf(routes);
  return routes.status === 'False'
    ? { kind: 'refused', reason: reason === '' ? 'no reason given' : reason }
    : { kind: 'pending' };
}
