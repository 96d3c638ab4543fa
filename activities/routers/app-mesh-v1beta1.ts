import { isDeepStrictEqual } from 'node:util';

import type { Canary } from '../../domain/canary.js';
import { namesOf } from '../../domain/names.js';
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
  retriesOf,
  splitRoutes,
  tryTimeout,
  type Route,
  type RouteForm,
} from './app-mesh-routes.js';
import { apexMetadata, overlay, type OwnMetadata } from './ownership.js';
import { Unroutable } from './router.js';

/**
 * The first API, where a virtual service has its router inside. Sidecars look for a virtual node
 * of the name of their Deployment, so that the target has one too.
 */
export const v1beta1: Version = {
  apiVersion: 'appmesh.k8s.aws/v1beta1',
  looksAtTarget: false,

  parts(canary) {
    const { apexService, primaryService, canaryService } = namesOf(canary);
    const host = (service: string): string => `${service}.${canary.namespace}`;
    return [
      node(canary, apexService, host(primaryService)),
      node(canary, primaryService, host(primaryService)),
      node(canary, canaryService, host(canaryService)),
      {
        ...service(canary, exposed(canary, host(apexService)), apexService, (routes, live) =>
          splitRoutes(canary, routes, form, live),
        ),
        isSplit: true,
      },
      service(canary, named(host(canaryService)), canaryService, (_, live) =>
        canaryRoutes(canary, form, live),
      ),
    ];
  },
};

const form: RouteForm = {
  field: 'http',
  node: (virtualNodeName) => ({ virtualNodeName }),
  policy: ({ service: { retries } }) =>
    retries === undefined
      ? {}
      : {
          retryPolicy: { perRetryTimeoutMillis: tryTimeout(retries), ...retriesOf(retries) },
        },
};

function node(canary: Canary, name: string, hostName: string): Part {
  const serviceDiscovery = { dns: { hostName } };
  return {
    kind: 'VirtualNode',
    own: { ...apexMetadata(canary), name },
    isOurs: (spec) => isDeepStrictEqual(spec.serviceDiscovery, serviceDiscovery),
    spec: ({ live }) =>
      overlay<Spec>(live, ['meshName', 'listeners', 'serviceDiscovery', 'backends', 'logging'], {
        meshName: meshOf(canary),
        listeners: listenersOf(canary, live.listeners, { port: canary.service.port }),
        serviceDiscovery,
        ...backendsOf(canary, (virtualServiceName) => ({ virtualServiceName })),
        ...loggingOf(canary),
      }),
  };
}

function service(
  canary: Canary,
  own: OwnMetadata,
  router: string,
  routesOf: (routes: Routes, live: readonly Route[]) => readonly Route[],
): Part {
  return {
    kind: 'VirtualService',
    own,
    isOurs: ({ routes = [] }) => hasOurs(canary, routes),
    spec: ({ routes, live }) =>
      overlay<Spec>(live, ['meshName', 'virtualRouter', 'routes'], {
        meshName: meshOf(canary),
        virtualRouter: overlay(live.virtualRouter, ['name', 'listeners'], {
          name: router,
          listeners: listenersOf(canary, live.virtualRouter?.listeners, {
            port: canary.service.port,
          }),
        }),
        routes: routesOf(routes, live.routes ?? []),
      }),
  };
}

function meshOf({ service: { meshName = '' } }: Canary): string {
  if (meshName !== '') return meshName;
  throw new Unroutable('spec.service.meshName: is required by appmesh');
}
