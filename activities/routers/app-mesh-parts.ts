import type { Canary } from '../../domain/canary.js';
import type { KubeObject, PodWorkload } from '../../domain/objects.js';
import type { Routes } from '../../domain/routes.js';
import type { Route } from './app-mesh-routes.js';
import { overlay, type OwnMetadata } from './ownership.js';

/** What one version of the API of App Mesh makes of a Canary. */
export interface Version {
  readonly apiVersion: string;
  /** The objects, in the order in which they are made. */
  readonly parts: (canary: Canary) => readonly Part[];
  /** Whether the objects depend on what the target looks like. */
  readonly looksAtTarget: boolean;
}

/** One object of a Canary. */
export interface Part {
  readonly kind: 'VirtualNode' | 'VirtualRouter' | 'VirtualService';
  readonly own: OwnMetadata;
  /** Whether it holds the weights; one part does. */
  readonly isSplit?: true;
  /** Whether a spec that is there was made for the Canary already. */
  readonly isOurs: (spec: Spec) => boolean;
  /** The spec that should be. Fields of the one that is there which are not ours stay. */
  readonly spec: (given: Given) => Spec;
}

/** What a spec is made from. */
export interface Given {
  readonly routes: Routes;
  /** The spec that is there; empty for none. */
  readonly live: Spec;
  readonly target: PodWorkload | undefined;
}

/** An object of App Mesh. */
export interface MeshObject extends KubeObject {
  readonly spec?: Spec;
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly message?: string;
    }[];
  };
}

/** The fields of all kinds and versions that the router sets. */
export interface Spec {
  readonly meshName?: string;
  readonly podSelector?: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly listeners?: readonly Listener[];
  readonly serviceDiscovery?: {
    readonly dns?: { readonly hostName?: string; readonly hostname?: string };
  };
  readonly backends?: readonly object[];
  readonly logging?: object;
  readonly virtualRouter?: { readonly name: string; readonly listeners?: readonly Listener[] };
  readonly routes?: readonly Route[];
  readonly provider?: {
    readonly virtualRouter?: { readonly virtualRouterRef?: { readonly name?: string } };
  };
}

interface Listener {
  readonly portMapping?: { readonly port: number; readonly protocol: string };
  readonly timeout?: object;
}

/** A listener on the port of the workload; what people add to it, such as TLS, stays. */
export function listenersOf(
  { service: { portName } }: Canary,
  live: readonly Listener[] = [],
  { port, timeout }: { readonly port: number; readonly timeout?: object },
): Listener[] {
  const protocol = portName.includes('grpc') ? 'grpc' : 'http';
  return [
    overlay<Listener>(live[0], ['portMapping', 'timeout'], {
      portMapping: { port, protocol },
      ...(timeout === undefined ? {} : { timeout }),
    }),
  ];
}

/** Proxies log to their standard output where the Canary asks for it. */
export function loggingOf({ accessLog }: Canary): Pick<Spec, 'logging'> {
  return accessLog ? { logging: { accessLog: { file: { path: '/dev/stdout' } } } } : {};
}

/** The backends as a field of a spec, if there are any. */
export function backendsOf(
  { service: { backends } }: Canary,
  virtualService: (name: string) => object,
): Pick<Spec, 'backends'> {
  if (backends.length === 0) return {};
  return { backends: backends.map((name) => ({ virtualService: virtualService(name) })) };
}

/** The metadata of an object that only the mesh looks at. */
export function named(name: string): OwnMetadata {
  return { name, labels: {}, annotations: {} };
}

/** That of the service clients call. Hosts of the manifest are served by the gateway of the mesh. */
export function exposed({ service }: Canary, name: string): OwnMetadata {
  const { hosts, timeout = '', retries: { attempts = 0 } = {} } = service;
  if (hosts.length === 0) return named(name);
  return {
    name,
    labels: {},
    annotations: {
      [gateway.expose]: 'true',
      [gateway.domain]: hosts.join(','),
      ...(timeout === '' ? {} : { [gateway.timeout]: timeout }),
      ...(attempts === 0 ? {} : { [gateway.retries]: String(attempts) }),
    },
    governs: (annotation) => Object.values(gateway).includes(annotation),
  };
}

/** The annotations that App Mesh's gateway for Kubernetes reads. */
const gateway: Readonly<Record<'expose' | 'domain' | 'timeout' | 'retries', string>> = {
  expose: 'gateway.appmesh.k8s.aws/expose',
  domain: 'gateway.appmesh.k8s.aws/domain',
  timeout: 'gateway.appmesh.k8s.aws/timeout',
  retries: 'gateway.appmesh.k8s.aws/retries',
};
