import type { Canary } from './canary.js';
import { pick } from './entries.js';
import { namesOf } from './names.js';
import type { Container, Service, ServicePort } from './objects.js';
import {
  controllingCanary,
  ownerReferenceTo,
  primaryValueOf,
  type SelectorLabel,
} from './primary.js';

/** The three services of a Canary: what clients call, and one for each of the two workloads. */
export type ServiceRole = 'apex' | 'primary' | 'canary';

/** What a workload contributes to its services. */
export interface ServiceSource {
  readonly selector: SelectorLabel;
  readonly containers: readonly Container[];
}

/** The service of one role as it is first created. */
export function newService(canary: Canary, role: ServiceRole, source: ServiceSource): Service {
  const { service, namespace } = canary;
  const { label, value } = source.selector;
  const name = serviceName(canary, role);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name,
      namespace,
      labels: { ...service[role].labels, [label]: name },
      annotations: { ...service[role].annotations, ...handsOff },
      ownerReferences: [ownerReferenceTo(canary)],
    },
    spec: {
      type: 'ClusterIP',
      selector: { [label]: role === 'canary' ? value : primaryValueOf(source.selector) },
      ports: portsOf(canary, source.containers),
      ...(service.headless ? { clusterIP: 'None' } : {}),
      ...(service.trafficDistribution === undefined
        ? {}
        : { trafficDistribution: service.trafficDistribution }),
    },
  };
}

/**
 * What a live service has to become: always ours are its ports and selector; its labels and
 * annotations only where the Canary controls it. A service that was there before keeps them.
 */
export function updatedService(live: Service, desired: Service, canary: Canary): Service {
  const owned = controllingCanary(live.metadata) === canary.name;
  return {
    ...live,
    metadata: {
      ...live.metadata,
      ...(owned ? ownMetadata(live, desired, canary) : adoptedMetadata(live)),
    },
    spec: {
      ...live.spec,
      ...pick(desired.spec, 'selector'),
      ports: mergedPorts(live.spec.ports ?? [], desired.spec.ports ?? []),
    },
  };
}

/** The name of the service of one role. */
export function serviceName(canary: Canary, role: ServiceRole): string {
  const { apexService, primaryService, canaryService } = namesOf(canary);
  return { apex: apexService, primary: primaryService, canary: canaryService }[role];
}

/** Tells Flux to leave a service alone that it might know from a repository. */
const handsOff = {
  'kustomize.toolkit.fluxcd.io/reconcile': 'disabled',
  'helm.toolkit.fluxcd.io/driftDetection': 'disabled',
} as const;

const sidecars: readonly string[] = ['istio-proxy', 'envoy'];

function portsOf({ service }: Canary, containers: readonly Container[]): ServicePort[] {
  const { portName: name, port, targetPort, appProtocol, portDiscovery } = service;
  const first = {
    name,
    protocol: 'TCP',
    port,
    targetPort,
    ...(appProtocol === undefined ? {} : { appProtocol }),
  };
  return portDiscovery ? [first, ...discoveredPorts(first, containers)] : [first];
}

/** The other ports of the pods. A number or name that is taken already the API would refuse. */
function discoveredPorts(
  { name: takenName, port: takenPort, targetPort }: ServicePort,
  containers: readonly Container[],
): ServicePort[] {
  return containers
    .filter(({ name }) => !sidecars.includes(name))
    .flatMap(({ name: container, ports = [] }) =>
      ports.map(({ name, containerPort }, index) => ({
        name: name === undefined || name === takenName ? `tcp-${container}-${index}` : name,
        served: containerPort === targetPort || name === targetPort,
        number: containerPort,
      })),
    )
    .filter(({ served, number }) => !served && number !== takenPort)
    .filter(({ number }, index, all) => all.findIndex((port) => port.number === number) === index)
    .map(({ name, number }) => ({ name, protocol: 'TCP', port: number, targetPort: number }));
}

/** Live ports stay untouched while they mean the same; node ports survive by the port's name. */
function mergedPorts(live: readonly ServicePort[], desired: readonly ServicePort[]): ServicePort[] {
  if (meaningOf(live) === meaningOf(desired)) return [...live];
  return desired.map((port) => {
    const nodePort = live.find(({ name }) => name === port.name)?.nodePort;
    return nodePort === undefined ? port : { ...port, nodePort };
  });
}

function meaningOf(ports: readonly ServicePort[]): string {
  return JSON.stringify(
    [...ports]
      .sort((a, b) => a.port - b.port)
      .map(({ name, port, targetPort = port, protocol = 'TCP', appProtocol }) => [
        name,
        port,
        targetPort,
        protocol,
        appProtocol,
      ]),
  );
}

function ownMetadata(
  live: Service,
  desired: Service,
  { service: { unmanaged } }: Canary,
): Pick<Service['metadata'], 'labels' | 'annotations'> {
  const { labels, annotations } = live.metadata;
  return {
    labels: { ...pick(labels, ...unmanaged.labels), ...desired.metadata.labels },
    annotations: {
      ...pick(annotations, ...unmanaged.annotations),
      ...desired.metadata.annotations,
    },
  };
}

function adoptedMetadata({ metadata }: Service): Pick<Service['metadata'], 'annotations'> {
  return { annotations: { ...metadata.annotations, ...handsOff } };
}
