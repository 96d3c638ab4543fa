import type { V1Endpoint, V1EndpointSlice, V1Service } from '@kubernetes/client-node';
import type { Answer, Question, StringAnswer } from 'dns-packet';

import { endpointsOf } from './service-endpoints.js';

/** What the names of the cluster are made from. */
export type Zone = {
  readonly service: (namespace: string, name: string) => V1Service | undefined;
  readonly slices: (namespace: string, service: string) => readonly V1EndpointSlice[];
};

/** The answer to one question: whether the name exists, and its records of the asked type. */
export type Resolution = { readonly found: boolean; readonly answers: readonly Answer[] };

/** Seconds a client may remember an answer. */
const ttl = 5;
const domain = '.cluster.local';
const unknown: Resolution = { found: false, answers: [] };

/**
 * Answers for `SERVICE.NAMESPACE.svc.cluster.local`, for single endpoints of a headless service, for
 * SRV records of named ports, and for `1-2-3-4.NAMESPACE.pod.cluster.local`. Anything else is unknown.
 */
export function resolve({ name, type }: Pick<Question, 'name' | 'type'>, zone: Zone): Resolution {
  const lower = name.toLowerCase();
  if (!lower.endsWith(domain)) return unknown;
  const labels = lower.slice(0, -domain.length).split('.');
  const kind = labels.pop();
  const namespace = labels.pop();
  if (namespace === undefined || labels.length === 0) return unknown;
  if (kind === 'pod') return podAnswers(name, type, labels);
  if (kind !== 'svc') return unknown;

  const serviceName = labels.pop() ?? '';
  const service = zone.service(namespace, serviceName);
  if (service === undefined) return unknown;
  const slices = zone.slices(namespace, serviceName);
  const asked = { name, type, service, slices };
  const [first, second] = labels;
  if (first === undefined) return serviceAnswers(asked);
  if (second === undefined) return endpointAnswers(asked, first);
  return labels.length === 2 ? portAnswers(asked, first.slice(1), second.slice(1)) : unknown;
}

type Asked = {
  readonly name: string;
  readonly type: string;
  readonly service: V1Service;
  readonly slices: readonly V1EndpointSlice[];
};

function serviceAnswers({ name, type, service, slices }: Asked): Resolution {
  const { clusterIP, externalName } = service.spec ?? {};
  if (service.spec?.type === 'ExternalName') {
    return { found: true, answers: [{ name, type: 'CNAME', ttl, data: externalName ?? '' }] };
  }
  if (type !== 'A') return { found: true, answers: [] };
  const isHeadless = clusterIP === 'None';
  const addresses = isHeadless
    ? readyEndpoints(slices).flatMap((endpoint) => endpoint.addresses)
    : [clusterIP ?? ''].filter((address) => address !== '');
  return { found: addresses.length > 0, answers: aRecords(name, addresses) };
}

function endpointAnswers({ name, type, slices }: Asked, host: string): Resolution {
  const addresses = readyEndpoints(slices)
    .filter((endpoint) => endpointHost(endpoint) === host)
    .flatMap((endpoint) => endpoint.addresses);
  return { found: addresses.length > 0, answers: type === 'A' ? aRecords(name, addresses) : [] };
}

function portAnswers(asked: Asked, portName: string, protocol: string): Resolution {
  const { name, service, slices } = asked;
  const port = service.spec?.ports?.find(
    (candidate) =>
      candidate.name === portName && (candidate.protocol ?? 'TCP').toLowerCase() === protocol,
  );
  if (port === undefined) return unknown;
  const { namespace = '', name: serviceName = '' } = service.metadata ?? {};
  const host = `${serviceName}.${namespace}.svc${domain}`;
  const targets =
    service.spec?.clusterIP === 'None'
      ? readyEndpoints(slices).map((endpoint) => `${endpointHost(endpoint)}.${host}`)
      : [host];
  const answers = targets.map((target): Answer => ({
    name,
    type: 'SRV',
    ttl,
    data: { port: port.port, target },
  }));
  return { found: true, answers: asked.type === 'SRV' ? answers : [] };
}

function podAnswers(name: string, type: string, labels: readonly string[]): Resolution {
  const address = labels.length === 1 ? labels[0]?.replaceAll('-', '.') : undefined;
  if (address === undefined || !/^\d+\.\d+\.\d+\.\d+$/.test(address)) return unknown;
  return { found: true, answers: type === 'A' ? aRecords(name, [address]) : [] };
}

function readyEndpoints(slices: readonly V1EndpointSlice[]): V1Endpoint[] {
  return slices.flatMap(endpointsOf).filter(({ conditions }) => conditions?.ready !== false);
}

function endpointHost({ hostname, addresses }: V1Endpoint): string {
  return hostname ?? (addresses[0] ?? '').replaceAll('.', '-');
}

function aRecords(name: string, addresses: readonly string[]): StringAnswer[] {
  return addresses.map((data) => ({ name, type: 'A', ttl, data }));
}
