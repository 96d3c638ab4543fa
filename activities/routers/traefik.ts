import type { Canary } from '../../domain/canary.js';
import { namesOf } from '../../domain/names.js';
import type { KubeObject } from '../../domain/objects.js';
import type { Routes } from '../../domain/routes.js';
import { refuseUnable } from './abilities.js';
import { givenBack, overlay, routeMetadata } from './ownership.js';
import { agreedRoutes, type Router } from './router.js';

const apiVersion = 'traefik.io/v1alpha1';
const kind = 'TraefikService';

/**
 * Traefik: one weighted TraefikService, for an IngressRoute of the user's to name.
 * Fields: https://doc.traefik.io/traefik/reference/routing-configuration/kubernetes/crd/http/traefikservice/
 */
export function traefik(): Router {
  return {
    reads: ({ namespace, service: { name } }) => [{ apiVersion, kind, namespace, name }],

    needs: () => [],

    render(canary, split, live) {
      refuseUnable(canary, split);
      const current = serviceIn(live);
      const weighted = current?.spec?.weighted;
      const services = servicesOf(canary, split.routes, weighted?.services ?? []);
      return [
        {
          ...current,
          apiVersion,
          kind,
          metadata: routeMetadata(canary, current, hasPrimary(canary, current)),
          spec: { ...current?.spec, weighted: { ...weighted, services } },
        },
      ];
    },

    parse(canary, live) {
      const service = serviceIn(live);
      if (!hasPrimary(canary, service)) return undefined;
      const { primaryService, canaryService } = namesOf(canary);
      const services = service?.spec?.weighted?.services ?? [];
      return agreedRoutes([
        { primary: weightOf(services, primaryService), canary: weightOf(services, canaryService) },
      ]);
    },

    finalize: (canary, live) => givenBack(canary, serviceIn(live)),

    acceptance: () => ({ kind: 'unreported' }),
  };
}

interface TraefikService extends KubeObject {
  readonly spec?: { readonly weighted?: { readonly services?: readonly WeightedService[] } };
}

interface WeightedService {
  readonly name: string;
  readonly namespace?: string;
  readonly port?: number | string;
  readonly weight?: number;
}

const ownedByService = ['name', 'namespace', 'port', 'weight'] as const;

function serviceIn(live: readonly KubeObject[]): TraefikService | undefined {
  return live.find((object): object is TraefikService => object.kind === kind);
}

function hasPrimary(canary: Canary, service: TraefikService | undefined): boolean {
  const { primaryService } = namesOf(canary);
  return service?.spec?.weighted?.services?.some(({ name }) => name === primaryService) === true;
}

/**
 * The canary is left out while it has no weight: at rest it has no pods, and Traefik drops a whole
 * TraefikService for one service without any. The primary's weight is always written, because an
 * absent one means 1. What others set for the primary, such as a scheme, holds for the canary too
 * when it comes.
 */
function servicesOf(
  canary: Canary,
  routes: Routes,
  live: readonly WeightedService[],
): WeightedService[] {
  const { primaryService, canaryService } = namesOf(canary);
  const { namespace, service } = canary;
  const find = (wanted: string) => live.find(({ name }) => name === wanted);
  const entry = (name: string, weight: number) =>
    overlay<WeightedService>(find(name) ?? find(primaryService), ownedByService, {
      name,
      namespace,
      port: service.port,
      weight,
    });
  return [
    entry(primaryService, routes.primary),
    ...(routes.canary === 0 ? [] : [entry(canaryService, routes.canary)]),
  ];
}

/** A service without a weight has weight 1. */
function weightOf(services: readonly WeightedService[], wanted: string): number {
  const service = services.find(({ name }) => name === wanted);
  return service === undefined ? 0 : (service.weight ?? 1);
}
