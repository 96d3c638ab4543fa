import { isDeepStrictEqual } from 'node:util';

import type { Canary } from '../../domain/canary.js';
import { namesOf } from '../../domain/names.js';
import type { PodWorkload } from '../../domain/objects.js';
import { primaryValueOf, selectorLabelOf } from '../../domain/primary.js';
import type { Role } from '../../domain/release.js';
import type { Routes } from '../../domain/routes.js';
import {
  backendsOf,
  exposed,
  listenersOf,
  loggingOf,
  named,
  type Part,
  type Spec,
  type Version,
} from './app-mesh-parts.js';
import {
  canaryRoutes,
  hasOurs,
  milliseconds,
  retriesOf,
  splitRoutes,
  tryTimeout,
  type Route,
  type RouteForm,
} from './app-mesh-routes.js';
import { apexMetadata, overlay, type OwnMetadata } from './ownership.js';

/**
 * The second API, where routers are objects of their own, virtual nodes select their pods, and the
 * controller finds out the mesh.
 */
export function v1beta2(selectorLabels: readonly string[]): Version {
  return {
    apiVersion: 'appmesh.k8s.aws/v1beta2',
    looksAtTarget: true,

    parts(canary) {
      const { apexService, canaryService } = namesOf(canary);
      return [
        node(canary, 'primary', selectorLabels),
        node(canary, 'canary', selectorLabels),
        {
          ...router(canary, apexService, (routes, live) => splitRoutes(canary, routes, form, live)),
          isSplit: true,
        },
        router(canary, canaryService, (_, live) => canaryRoutes(canary, form, live)),
        service(exposed(canary, apexService)),
        service(named(canaryService)),
      ];
    },
  };
}

const form: RouteForm = {
  field: 'httpRoute',
  node: (name) => ({ virtualNodeRef: { name } }),
  policy({ service: { retries, timeout } }) {
    const perRequest = timeoutOf(timeout);
    return {
      ...(retries === undefined
        ? {}
        : {
            retryPolicy: { perRetryTimeout: duration(tryTimeout(retries)), ...retriesOf(retries) },
          }),
      ...(perRequest === undefined ? {} : { timeout: perRequest }),
    };
  },
};

function node(canary: Canary, role: Role, selectorLabels: readonly string[]): Part {
  const { primaryService, canaryService } = namesOf(canary);
  const name = role === 'primary' ? primaryService : canaryService;
  // The dot at the end keeps resolvers from trying their search domains first.
  const hostname = `${name}.${canary.namespace}.svc.cluster.local.`;
  const serviceDiscovery = { dns: { hostname } };
  return {
    kind: 'VirtualNode',
    own: { ...apexMetadata(canary), name },
    isOurs: (spec) => isDeepStrictEqual(spec.serviceDiscovery, serviceDiscovery),
    spec({ live, target }) {
      const http = timeoutOf(canary.service.timeout);
      const selected = podSelectorOf(target, role, selectorLabels);
      return overlay<Spec>(
        live,
        [
          'listeners',
          'serviceDiscovery',
          'backends',
          'logging',
          ...(selected.podSelector === undefined ? [] : (['podSelector'] as const)),
        ],
        {
          listeners: listenersOf(canary, live.listeners, {
            port: portOf(canary, target),
            ...(http === undefined ? {} : { timeout: { http } }),
          }),
          serviceDiscovery,
          ...backendsOf(canary, (service) =>
            service.startsWith('arn:aws')
              ? { virtualServiceARN: service }
              : { virtualServiceRef: { name: service } },
          ),
          ...loggingOf(canary),
          ...selected,
        },
      );
    },
  };
}

function router(
  canary: Canary,
  name: string,
  routesOf: (routes: Routes, live: readonly Route[]) => readonly Route[],
): Part {
  return {
    kind: 'VirtualRouter',
    own: named(name),
    isOurs: ({ routes = [] }) => hasOurs(canary, routes),
    spec: ({ routes, live, target }) =>
      overlay<Spec>(live, ['listeners', 'routes'], {
        listeners: listenersOf(canary, live.listeners, { port: portOf(canary, target) }),
        routes: routesOf(routes, live.routes ?? []),
      }),
  };
}

function service(own: OwnMetadata): Part {
  const provider = { virtualRouter: { virtualRouterRef: { name: own.name } } };
  return {
    kind: 'VirtualService',
    own,
    isOurs: (spec) => isDeepStrictEqual(spec.provider, provider),
    spec: ({ live }) => overlay<Spec>(live, ['provider'], { provider }),
  };
}

/** The pods of a workload; nothing for targets whose pods somebody else tells apart. */
function podSelectorOf(
  target: PodWorkload | undefined,
  role: Role,
  selectorLabels: readonly string[],
): Pick<Spec, 'podSelector'> {
  const selector = target && selectorLabelOf(target, selectorLabels);
  if (selector === undefined) return {};
  const value = role === 'primary' ? primaryValueOf(selector) : selector.value;
  return { podSelector: { matchLabels: { [selector.label]: value } } };
}

/** Proxies listen on the port of the container. */
function portOf(
  { service: { port, targetPort } }: Canary,
  target: PodWorkload | undefined,
): number {
  const number = Number(targetPort);
  if (Number.isInteger(number)) return number;
  const containers = target?.spec.template.spec?.containers ?? [];
  const ports = containers.flatMap((container) => container.ports ?? []);
  return ports.find(({ name }) => name === targetPort)?.containerPort ?? port;
}

function timeoutOf(timeout = ''): { readonly perRequest: object } | undefined {
  if (timeout === '') return undefined;
  return { perRequest: duration(milliseconds('spec.service.timeout', timeout)) };
}

function duration(ms: number): object {
  return { unit: 'ms', value: ms };
}
