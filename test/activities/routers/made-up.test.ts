import { refuseUnable } from '../../../activities/routers/abilities.js';
import { givenBack, overlay, routeMetadata } from '../../../activities/routers/ownership.js';
import { agreedRoutes, type Router } from '../../../activities/routers/router.js';
import type { Canary } from '../../../domain/canary.js';
import { namesOf } from '../../../domain/names.js';
import type { KubeObject } from '../../../domain/objects.js';
import { aCanary } from '../a-canary.js';
import { testRouter } from './laws.js';

/**
 * docs/adding-a-router.md, followed for a product that does not exist: a Crossroad has ways, each
 * with a share of those who come along. Shows how little a router is.
 */
function crossroads(): Router {
  return {
    reads: ({ namespace, service: { name } }) => [{ apiVersion, kind, namespace, name }],

    needs: () => [],

    render(canary, split, live) {
      refuseUnable(canary, split);
      const current = crossroadIn(live);
      const { primaryService, canaryService } = namesOf(canary);
      const { primary, canary: share } = split.routes;
      const way = (to: string, of: number): Way =>
        overlay<Way>(wayTo(current, to), ['to', 'share'], { to, share: of });
      return [
        {
          ...current,
          apiVersion,
          kind,
          metadata: routeMetadata(canary, current, isOurs(canary, current)),
          spec: {
            ...current?.spec,
            ways: [way(primaryService, primary), way(canaryService, share)],
          },
        },
      ];
    },

    parse(canary, live) {
      const current = crossroadIn(live);
      const { primaryService, canaryService } = namesOf(canary);
      if (!isOurs(canary, current)) return undefined;
      const [primary, share] = [primaryService, canaryService].map(
        (to) => wayTo(current, to)?.share ?? 0,
      );
      return agreedRoutes([{ primary: primary ?? 0, canary: share ?? 0 }]);
    },

    finalize: (canary, live) => givenBack(canary, crossroadIn(live)),

    acceptance: () => ({ kind: 'unreported' }),
  };
}

const apiVersion = 'example.com/v1';
const kind = 'Crossroad';

interface Crossroad extends KubeObject {
  readonly spec?: { readonly ways?: readonly Way[] };
}

interface Way {
  readonly to: string;
  readonly share: number;
}

function crossroadIn(live: readonly KubeObject[]): Crossroad | undefined {
  return live.find((object): object is Crossroad => object.kind === kind);
}

function wayTo(crossroad: Crossroad | undefined, to: string): Way | undefined {
  return crossroad?.spec?.ways?.find((way) => way.to === to);
}

function isOurs(canary: Canary, crossroad: Crossroad | undefined): boolean {
  return wayTo(crossroad, namesOf(canary).primaryService) !== undefined;
}

describe('a router by the book', () =>
  testRouter({
    router: crossroads(),
    // A provider with the capabilities of the made-up one.
    canary: aCanary({ spec: { provider: 'traefik' } }),
    foreign: {
      apiVersion,
      kind,
      metadata: { name: 'podinfo', namespace: 'test' },
      spec: { ways: [{ to: 'elsewhere', share: 100 }] },
    },
    disturb: (object) => ({
      ...object,
      spec: {
        ...(object.spec as object),
        ways: [...((object as Crossroad).spec?.ways ?? []), { to: 'elsewhere', share: 5 }],
      },
    }),
  }));
