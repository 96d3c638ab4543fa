import type { V1Endpoint, V1EndpointSlice, V1Service } from '@kubernetes/client-node';

/** Where a connection may be sent to. */
export type Backend = { readonly address: string; readonly port: number };

/** One address of a service, and who answers there. */
export type Route = {
  readonly clusterIp: string;
  readonly port: number;
  readonly backends: readonly Backend[];
};

/**
 * The TCP routes of a service. Ready endpoints serve; while there are none, those that are ending but
 * still serve do. A port nobody serves has a route without backends.
 */
export function serviceRoutes(service: V1Service, slices: readonly V1EndpointSlice[]): Route[] {
  const { clusterIP, ports, type } = service.spec ?? {};
  if (clusterIP === undefined || clusterIP === '' || clusterIP === 'None') return [];
  if (type === 'ExternalName') return [];
  return (ports ?? [])
    .filter(({ protocol }) => (protocol ?? 'TCP') === 'TCP')
    .map(({ name, port }) => {
      const backends = (isUsable: EndpointFilter): Backend[] =>
        slices.flatMap((slice) => backendsOf(slice, name ?? '', isUsable));
      const ready = backends((conditions) => conditions.ready !== false);
      return {
        clusterIp: clusterIP,
        port,
        backends:
          ready.length > 0
            ? ready
            : backends(({ serving, terminating }) => serving === true && terminating === true),
      };
    });
}

type EndpointFilter = (conditions: {
  readonly ready?: boolean;
  readonly serving?: boolean;
  readonly terminating?: boolean;
}) => boolean;

function backendsOf(slice: V1EndpointSlice, portName: string, isUsable: EndpointFilter): Backend[] {
  const port = slice.ports?.find(({ name }) => (name ?? '') === portName)?.port;
  if (port === undefined || slice.addressType !== 'IPv4') return [];
  return endpointsOf(slice)
    .filter(({ conditions }) => isUsable(conditions ?? {}))
    .flatMap(({ addresses }) => addresses.map((address) => ({ address, port })));
}

/** The endpoints of a slice. */
export function endpointsOf({ endpoints }: V1EndpointSlice): readonly V1Endpoint[] {
  return listOf(endpoints);
}

/** The API server writes null, against its schema, where a list has no items. */
function listOf<T>(items: readonly T[] | null): readonly T[] {
  return items ?? [];
}

/** The service a slice belongs to, as `namespace/name`. */
export function serviceOfSlice(slice: V1EndpointSlice): string {
  const name = slice.metadata?.labels?.['kubernetes.io/service-name'] ?? '';
  return `${slice.metadata?.namespace ?? ''}/${name}`;
}
