import type { Canary } from './canary.js';
import { pick, withoutKeys } from './entries.js';
import { included, isFluxOwned } from './inherited.js';
import type { Service, ServicePort } from './objects.js';
import { ownerReferenceTo } from './primary.js';

/** The part of a Service that a release is about: where requests go, not how they get there. */
export type ServiceContent = Readonly<Record<string, unknown>> & {
  readonly ports?: readonly ServicePort[];
};

/** What a copy of a Service held before it was last overwritten. */
export interface PreviousService {
  readonly revision: string;
  readonly content: ServiceContent;
}

const revisionAnnotation = 'sluice.dev/revision';
const previousAnnotation = 'sluice.dev/previous-service';
const appliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

/** What of a Service is its own: addresses, and how it is reached from outside of the cluster. */
const ownFields: readonly string[] = [
  'type',
  'clusterIP',
  'clusterIPs',
  'ipFamilies',
  'ipFamilyPolicy',
  'externalIPs',
  'loadBalancerIP',
  'loadBalancerClass',
  'loadBalancerSourceRanges',
  'allocateLoadBalancerNodePorts',
  'externalTrafficPolicy',
  'healthCheckNodePort',
];

/** What a Service contributes to its copies. */
export function contentOf({ spec }: Service): ServiceContent {
  const { ports, type } = spec;
  return {
    ...withoutKeys(spec, (key) => ownFields.includes(key)),
    ...(ports === undefined ? {} : { ports: ports.map(({ nodePort: _, ...port }) => port) }),
    ...(type === 'ExternalName' ? { type } : {}),
  };
}

/**
 * A copy of a target that is a Service, for one of the two versions. Only the router needs it, so
 * it has an address in the cluster, and none outside.
 */
export function newServiceCopy(
  canary: Canary,
  target: Service,
  { name, revision }: { readonly name: string; readonly revision: string },
): Service {
  const { annotations, labels } = target.metadata;
  const headless = canary.service.headless || target.spec['clusterIP'] === 'None';
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name,
      namespace: canary.namespace,
      labels: withoutKeys(labels, isFluxOwned),
      annotations: {
        ...withoutKeys(annotations, isFluxOwned, (key) => key === appliedAnnotation),
        [revisionAnnotation]: revision,
      },
      ownerReferences: [ownerReferenceTo(canary)],
    },
    spec: {
      ...sharedSpec(canary, contentOf(target)),
      ...pick(target.spec, 'ipFamilies', 'ipFamilyPolicy'),
      ...(headless ? { clusterIP: 'None' } : {}),
    },
  };
}

/**
 * The copy with the target's content. What it held is written down on it the first time, so that a
 * repeated promotion of the same revision gives the same copy again.
 *
 * @param own the revision of what it holds, if nobody stamped it
 */
export function updatedServiceCopy(
  canary: Canary,
  live: Service,
  {
    target,
    revision,
    own,
    prefixes,
  }: {
    readonly target: Service;
    readonly revision: string;
    readonly own: string;
    readonly prefixes: readonly string[];
  },
): Service {
  const { annotations, ...metadata } = live.metadata;
  const held = { revision: copiedServiceRevision(live) ?? own, content: contentOf(live) };
  const previous: Readonly<Record<string, string>> =
    held.revision === revision
      ? pick(annotations, previousAnnotation)
      : { [previousAnnotation]: JSON.stringify(held) };
  const labels = included(target.metadata.labels, prefixes);
  return {
    ...withContent(live, sharedSpec(canary, contentOf(target))),
    metadata: {
      ...withoutKeys<unknown>({ ...metadata }, (key) => key === 'labels'),
      name: metadata.name,
      // The API server leaves out what is empty.
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
      annotations: {
        ...included(target.metadata.annotations, prefixes),
        ...previous,
        [revisionAnnotation]: revision,
      },
    },
  };
}

/** The copy with what the target is now, and nothing to go back to. */
export function followingServiceCopy(
  canary: Canary,
  live: Service,
  { target, revision }: { readonly target: Service; readonly revision: string },
): Service {
  return restoredServiceCopy(live, { revision, content: sharedSpec(canary, contentOf(target)) });
}

/** The copy with what it held before. */
export function restoredServiceCopy(
  live: Service,
  { revision, content }: PreviousService,
): Service {
  const { metadata } = live;
  return {
    ...withContent(live, content),
    metadata: {
      ...metadata,
      annotations: { ...metadata.annotations, [revisionAnnotation]: revision },
    },
  };
}

/** The revision of the target a copy was made from; undefined when others made it. */
export function copiedServiceRevision({ metadata }: Service): string | undefined {
  return metadata.annotations?.[revisionAnnotation];
}

/** What a copy held before its last promotion; undefined when there was none. */
export function previousService({ metadata }: Service): PreviousService | undefined {
  const text = metadata.annotations?.[previousAnnotation];
  return text === undefined ? undefined : (JSON.parse(text) as PreviousService);
}

function sharedSpec(
  { service: { trafficDistribution } }: Canary,
  content: ServiceContent,
): ServiceContent {
  return { ...content, ...(trafficDistribution === undefined ? {} : { trafficDistribution }) };
}

/** A Service keeps the addresses and, by the port's name, the node ports it was given. */
function withContent(live: Service, { ports, ...content }: ServiceContent): Service {
  const type = live.spec['type'] === 'ExternalName' ? {} : pick(live.spec, 'type');
  const nodePorts = new Map(live.spec.ports?.map(({ name, nodePort }) => [name, nodePort]));
  return {
    ...live,
    spec: {
      ...pick(live.spec, ...ownFields.filter((field) => field !== 'type')),
      ...type,
      ...content,
      ...(ports === undefined
        ? {}
        : {
            ports: ports.map((port) => {
              const nodePort = nodePorts.get(port.name);
              return nodePort === undefined ? port : { ...port, nodePort };
            }),
          }),
    },
  };
}
