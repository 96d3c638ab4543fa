import type { Canary } from '../../domain/canary.js';
import { namesOf } from '../../domain/names.js';
import type { KubeObject, ObjectRef } from '../../domain/objects.js';
import type { Routes } from '../../domain/routes.js';
import { refuseUnable } from './abilities.js';
import { copiedIn, copyOf, objectIn, titleOf, type CopyRefs } from './copies.js';
import { givenBack, type OwnMetadata } from './ownership.js';
import { agreedRoutes, Unroutable, type Acceptance, type Router } from './router.js';

const field = 'spec.routeRef';
const fields = ['ingressClassName', 'http', 'stream'] as const;

/** Above what users give their own routes. */
const leastPriority = 10_000;

/** A backend without a weight has this one. */
const defaultWeight = 100;

/**
 * APISIX: a copy of the user's ApisixRoute with the rules that lead to the service, which outrank
 * those of the user's and have both services as backends.
 * Fields: https://apisix.apache.org/docs/ingress-controller/reference/api-reference/
 */
export function apisix(): Router {
  return {
    reads: (canary) => {
      const { source, copy } = routeRefs(canary);
      return [source, copy];
    },

    needs: () => [],

    render(canary, split, live) {
      refuseUnable(canary, split);
      const found = copiedIn<ApisixRoute>(canary, live, routeRefs(canary));
      const { stream: _, ...spec } = found.source.spec ?? {};
      return [
        copyOf(canary, found, {
          own: ownOf(canary),
          fields,
          spec: { ...spec, http: rulesOf(canary, found.source, split.routes) },
          isOurs: weightsIn(canary, found.copy).length > 0,
        }),
      ];
    },

    parse: (canary, live) => agreedRoutes(weightsIn(canary, copyIn(canary, live))),

    finalize: (canary, live) => givenBack(canary, copyIn(canary, live), ownOf(canary)),

    acceptance: (canary, live) => acceptanceOf(copyIn(canary, live)),
  };
}

interface ApisixRoute extends KubeObject {
  readonly spec?: { readonly http?: readonly Rule[]; readonly stream?: unknown };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

interface Rule {
  readonly name?: string;
  readonly priority?: number;
  readonly backends?: readonly Backend[];
  /** Backends outside of the cluster. */
  readonly upstreams?: readonly unknown[];
}

interface Backend {
  readonly serviceName: string;
  readonly weight?: number;
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly observedGeneration?: number;
  readonly reason?: string;
  readonly message?: string;
}

/** The user's route that `spec.routeRef` names, and the copy of it. */
function routeRefs({ namespace, routeName, provider, service }: Canary): CopyRefs {
  if (routeName === undefined)
    throw new Unroutable(`${field}: is required by provider ${provider}`);
  const refOf = (name: string): ObjectRef => ({
    apiVersion: 'apisix.apache.org/v2',
    kind: 'ApisixRoute',
    namespace,
    name,
  });
  return { source: refOf(routeName), copy: refOf(`${routeName}-${service.name}-canary`), field };
}

function copyIn(canary: Canary, live: readonly KubeObject[]): ApisixRoute | undefined {
  return objectIn(live, routeRefs(canary).copy) as ApisixRoute | undefined;
}

function ownOf(canary: Canary): OwnMetadata {
  return { name: routeRefs(canary).copy.name, labels: {}, annotations: {} };
}

/** Rules for other services have no part in the release, and stay with the user's route alone. */
function rulesOf(canary: Canary, { spec }: ApisixRoute, routes: Routes): Rule[] {
  const { apexService, primaryService, canaryService } = namesOf(canary);
  const rules = (spec?.http ?? []).filter(({ backends = [] }) => has(backends, apexService));
  const title = titleOf(routeRefs(canary).source);
  if (rules.length === 0) {
    throw new Error(`${field}: ${title} has no rule with backend ${apexService}`);
  }
  return rules.map((rule) => {
    const { name = '', priority = 0, backends = [], upstreams = [] } = rule;
    if (backends.length + upstreams.length > 1) {
      throw new Error(
        `${field}: rule ${name} of ${title} has other backends beside ${apexService}, and can have no others`,
      );
    }
    return {
      ...rule,
      priority: Math.max(leastPriority, priority + 1),
      backends: backends.flatMap((backend) => [
        { ...backend, serviceName: primaryService, weight: routes.primary },
        { ...backend, serviceName: canaryService, weight: routes.canary },
      ]),
    };
  });
}

function has(backends: readonly Backend[], service: string): boolean {
  return backends.some(({ serviceName }) => serviceName === service);
}

/** The weights of each rule with both services. */
function weightsIn(canary: Canary, route: ApisixRoute | undefined): Routes[] {
  const { primaryService, canaryService } = namesOf(canary);
  return (route?.spec?.http ?? [])
    .map(({ backends = [] }) => backends)
    .filter((backends) => has(backends, primaryService) && has(backends, canaryService))
    .map((backends) => ({
      primary: weightOf(backends, primaryService),
      canary: weightOf(backends, canaryService),
    }));
}

function weightOf(backends: readonly Backend[], service: string): number {
  const backend = backends.find(({ serviceName }) => serviceName === service);
  return backend?.weight ?? defaultWeight;
}

/** The name of the condition in the versions up to 1.8, and in those from 2.0. */
const verdicts = ['ResourcesAvailable', 'Accepted'];

function acceptanceOf(route: ApisixRoute | undefined): Acceptance {
  const verdict = route?.status?.conditions?.find(({ type }) => verdicts.includes(type));
  if (verdict === undefined) return { kind: 'unreported' };
  const { observedGeneration = 0, status, message, reason } = verdict;
  if (observedGeneration < (route?.metadata.generation ?? 0)) return { kind: 'pending' };
  return status === 'True'
    ? { kind: 'accepted' }
    : { kind: 'refused', reason: message ?? reason ?? 'no reason given' };
}
