import type { Canary } from './canary.js';
import { pick, withoutKeys } from './entries.js';
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

/** Whether services are generated; targets that are services bring or make their own. */
export function hasServices({ target: { kind }, service: { port } }: Canary): boolean {
  return (kind === 'Deployment' || kind === 'DaemonSet') && port > 0;
}

/**
 * The apex service as it was before the Canary took it over: it selects the target's pods. One that
 * the Canary made goes with it and stays as it is.
 */
export function revertedApex(live: Service, canary: Canary): Service {
  if (controllingCanary(live.metadata) === canary.name) return live;
  const applied = lastApplied(live)?.spec.selector;
  const selector = Object.fromEntries(
    Object.entries(live.spec.selector ?? {}).map(([label, value]) => [
      label,
      value.replace(/-primary$/, ''),
    ]),
  );
  return { ...live, spec: { ...live.spec, selector: applied ?? selector } };
}

/** The service as kubectl last applied it, if it ever did. */
function lastApplied({ metadata: { annotations = {} } }: Service): Service | undefined {
  const text = annotations['kubectl.kubernetes.io/last-applied-configuration'];
  return text === undefined ? undefined : (JSON.parse(text) as Service);
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
      ...pick(isShared(live, desired, canary) ? live.spec : desired.spec, 'selector'),
      ports: mergedPorts(live.spec.ports ?? [], desired.spec.ports ?? []),
    },
  };
}

/**
 * What the pods of target and primary have in common, for an apex service that reaches both;
 * undefined when nothing but the selector label tells them from other pods.
 *
 * @param matchLabels those of the target's selector
 */
export function sharedSelector(
  matchLabels: Readonly<Record<string, string>>,
  { label }: SelectorLabel,
): Record<string, string> | undefined {
  const shared = withoutKeys(matchLabels, (key) => key === label);
  return Object.keys(shared).length === 0 ? undefined : shared;
}

/** Where pods move instead of requests, the routes decide when the apex service reaches both. */
function isShared(live: Service, desired: Service, { analysis, service }: Canary): boolean {
  const { selector = {} } = live.spec;
  const told = Object.keys(desired.spec.selector ?? {});
  return (
    analysis.strategy.kind === 'replicas' &&
    desired.metadata.name === service.name &&
    Object.keys(selector).length > 0 &&
    told.every((label) => selector[label] === undefined)
  );
}

/** Whether a live service leads the requests of the same ports to the same pods. */
export function isInOrder(live: Service, desired: Service): boolean {
  const { selector = {}, ports = [] } = live.spec;
  const wanted = Object.entries(desired.spec.selector ?? {});
  return (
    wanted.length === Object.keys(selector).length &&
    wanted.every(([label, value]) => selector[label] === value) &&
    meaningOf(ports) === meaningOf(desired.spec.ports ?? [])
  );
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
