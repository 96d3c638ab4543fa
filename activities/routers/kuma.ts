import type { Canary } from '../../domain/canary.js';
import { namesOf } from '../../domain/names.js';
import type { KubeObject } from '../../domain/objects.js';
import type { Routes } from '../../domain/routes.js';
import { refuseUnable } from './abilities.js';
import { apexMetadata, givenBack, isMadeFor, overlay, routeMetadata } from './ownership.js';
import type { OwnMetadata } from './ownership.js';
import { agreedRoutes, Unroutable, type Router } from './router.js';

const apiVersion = 'kuma.io/v1alpha1';
const kind = 'TrafficRoute';

/** The tag by which Kuma knows services. */
const tag = 'kuma.io/service';

/**
 * Kuma: one TrafficRoute for all requests to the service. It has no namespace, so no Canary can
 * own it, and services of one name in two namespaces cannot both have theirs.
 * Fields: https://kuma.io/docs/2.8.x/policies/traffic-route/
 */
export function kuma(): Router {
  return {
    reads: ({ service: { name } }) => [{ apiVersion, kind, namespace: '', name }],

    needs: () => [],

    render(canary, split, live) {
      refuseUnable(canary, split);
      const current = routeIn(live);
      refuseTaken(canary, current);
      const { apexService, primaryService, canaryService } = namesOf(canary);
      const isOurs = weightsIn(canary, current) !== undefined;
      const { routes } = split;
      return [
        {
          mesh: canary.mesh,
          ...current,
          apiVersion,
          kind,
          metadata: routeMetadata(canary, current, isOurs, ownOf(canary)),
          spec: overlay<TrafficRouteSpec>(current?.spec, ['sources', 'destinations', 'conf'], {
            sources: [{ match: { [tag]: '*' } }],
            destinations: [{ match: tagged(canary, apexService) }],
            conf: overlay<Conf>(current?.spec?.conf, ['split', 'destination', 'http'], {
              split: [
                { weight: routes.primary, destination: tagged(canary, primaryService) },
                { weight: routes.canary, destination: tagged(canary, canaryService) },
              ],
            }),
          }),
        },
      ];
    },

    parse(canary, live) {
      const weights = weightsIn(canary, routeIn(live));
      return weights && agreedRoutes([weights]);
    },

    finalize: (canary, live) => givenBack(canary, routeIn(live), ownOf(canary)),

    leftovers(canary, live) {
      const route = routeIn(live);
      if (route === undefined || !isMadeFor(canary, route.metadata)) return [];
      return [{ apiVersion, kind, namespace: '', name: route.metadata.name }];
    },

    acceptance: () => ({ kind: 'unreported' }),
  };
}

interface TrafficRoute extends KubeObject {
  /** The mesh it belongs to; it cannot move to another one. */
  readonly mesh?: string;
  readonly spec?: TrafficRouteSpec;
}

interface TrafficRouteSpec {
  readonly sources?: readonly { readonly match?: Tags }[];
  readonly destinations?: readonly { readonly match?: Tags }[];
  readonly conf?: Conf;
}

type Tags = Readonly<Record<string, string>>;

/** Either of the last two would take requests away from the split. */
interface Conf {
  readonly split?: readonly { readonly weight?: number; readonly destination?: Tags }[];
  readonly destination?: Tags;
  readonly http?: readonly object[];
}

function routeIn(live: readonly KubeObject[]): TrafficRoute | undefined {
  return live.find((object): object is TrafficRoute => object.kind === kind);
}

function ownOf(canary: Canary): OwnMetadata {
  return { ...apexMetadata(canary), isClusterWide: true };
}

/** How Kuma names a port of a service: https://kuma.io/docs/2.8.x/networking/service-discovery/ */
function tagged({ namespace, service: { port } }: Canary, service: string): Tags {
  return { [tag]: `${service}_${namespace}_svc_${port}` };
}

/** The service a tag names, on whatever port, if it is in the Canary's namespace. */
function serviceIn({ namespace }: Canary, tags: Tags = {}): string | undefined {
  const [service, where] = (tags[tag] ?? '').split('_', 2);
  return where === namespace ? service : undefined;
}

/** The weights of the two services, whatever they add up to; undefined unless both are there. */
function weightsIn(canary: Canary, route: TrafficRoute | undefined): Routes | undefined {
  const { primaryService, canaryService } = namesOf(canary);
  const entryOf = (service: string) =>
    route?.spec?.conf?.split?.find(({ destination }) => serviceIn(canary, destination) === service);
  const [primary, to] = [entryOf(primaryService), entryOf(canaryService)];
  if (primary === undefined || to === undefined) return undefined;
  return { primary: primary.weight ?? 0, canary: to.weight ?? 0 };
}

/** Two releases would otherwise take the route from each other for ever. */
function refuseTaken({ namespace, service }: Canary, route: TrafficRoute | undefined): void {
  for (const { match = {} } of route?.spec?.destinations ?? []) {
    const [name, where] = (match[tag] ?? '').split('_', 2);
    if (name !== service.name || where === undefined || where === namespace) continue;
    throw new Unroutable(
      `spec.service.name: TrafficRoute ${name}, which has no namespace, is for ${name} in ${where} (another name is needed)`,
    );
  }
}
