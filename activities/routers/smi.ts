import type { Canary } from '../../domain/canary.js';
import { namesOf } from '../../domain/names.js';
import type { KubeObject } from '../../domain/objects.js';
import type { Routes } from '../../domain/routes.js';
import { refuseUnable } from './abilities.js';
import { givenBack, overlay, routeMetadata, type OwnMetadata } from './ownership.js';
import { agreedRoutes, type Router } from './router.js';

const kind = 'TrafficSplit';

/**
 * Service Mesh Interface: one TrafficSplit of the service that clients call. All requests to it are
 * split, so `service.match` says nothing here.
 * Fields: https://github.com/servicemeshinterface/smi-spec/tree/main/apis/traffic-split
 */
export function smi({
  version,
}: {
  readonly version: 'v1alpha1' | 'v1alpha2' | 'v1alpha3';
}): Router {
  const apiVersion = `split.smi-spec.io/${version}`;
  // The first version has quantities, as of memory, which are text.
  const written = version === 'v1alpha1' ? String : Number;
  return {
    reads: ({ namespace, service: { name } }) => [{ apiVersion, kind, namespace, name }],

    needs: () => [],

    render(canary, split, live) {
      refuseUnable(canary, split);
      const { primaryService, canaryService } = namesOf(canary);
      const { hosts, name } = canary.service;
      const current = splitIn(live);
      const isOurs = weightsIn(canary, current) !== undefined;
      return [
        {
          ...current,
          apiVersion,
          kind,
          metadata: routeMetadata(canary, current, isOurs, ownOf(canary)),
          spec: overlay<TrafficSplitSpec>(current?.spec, ['service', 'backends'], {
            // Clients may call the service by a name of the mesh.
            service: hosts[0] ?? name,
            backends: [
              { service: canaryService, weight: written(split.routes.canary) },
              { service: primaryService, weight: written(split.routes.primary) },
            ],
          }),
        },
      ];
    },

    parse(canary, live) {
      const weights = weightsIn(canary, splitIn(live));
      return weights && agreedRoutes([weights]);
    },

    finalize: (canary, live) => givenBack(canary, splitIn(live), ownOf(canary)),

    acceptance: () => ({ kind: 'unreported' }),
  };
}

interface TrafficSplit extends KubeObject {
  readonly spec?: TrafficSplitSpec;
}

interface TrafficSplitSpec {
  readonly service?: string;
  readonly backends?: readonly { readonly service: string; readonly weight?: number | string }[];
}

function splitIn(live: readonly KubeObject[]): TrafficSplit | undefined {
  return live.find((object): object is TrafficSplit => object.kind === kind);
}

/** As in Flagger the metadata of `service.apex` is not for a TrafficSplit. */
function ownOf({ service: { name } }: Canary): OwnMetadata {
  return { name, labels: {}, annotations: {} };
}

/** The weights of the two services, whatever they add up to; undefined unless both are split. */
function weightsIn(canary: Canary, split: TrafficSplit | undefined): Routes | undefined {
  const { primaryService, canaryService } = namesOf(canary);
  const backends = split?.spec?.backends ?? [];
  const backendOf = (name: string) => backends.find(({ service }) => service === name);
  const [primary, release] = [backendOf(primaryService), backendOf(canaryService)];
  if (primary === undefined || release === undefined) return undefined;
  return { primary: Number(primary.weight), canary: Number(release.weight) };
}
