import type { Canary } from '../../domain/canary.js';
import { only } from '../../domain/entries.js';
import { namesOf } from '../../domain/names.js';
import type { KubeObject, ObjectRef, Service } from '../../domain/objects.js';
import type { Role } from '../../domain/release.js';
import { objectIn, requiredIn } from './copies.js';
import { givenBack, overlay, routeMetadata, type OwnMetadata } from './ownership.js';

const apiVersion = 'gloo.solo.io/v1';
const kind = 'Upstream';

/** The Upstream of one of the two services. */
export interface UpstreamPart {
  readonly role: Role;
  readonly ref: ObjectRef;
  readonly service: ObjectRef;
}

/** The Upstreams the routes name, as Flagger calls them. */
export function upstreamParts(canary: Canary): readonly UpstreamPart[] {
  const { apexService, primaryService, canaryService } = namesOf(canary);
  const { namespace, service } = canary;
  const part = (role: Role, name: string): UpstreamPart => ({
    role,
    ref: {
      apiVersion,
      kind,
      namespace,
      name: `${namespace}-${apexService}-${role}upstream-${String(service.port)}`,
    },
    service: { apiVersion: 'v1', kind: 'Service', namespace, name },
  });
  return [part('primary', primaryService), part('canary', canaryService)];
}

/** What the Upstreams are made of: the two services, and the user's Upstream if there is one. */
export function upstreamSources(canary: Canary): readonly ObjectRef[] {
  const model = modelRef(canary);
  return [
    ...upstreamParts(canary).map(({ service }) => service),
    ...(model === undefined ? [] : [model]),
  ];
}

/**
 * The two Upstreams: each leads to its service, with the settings of the user's Upstream. Throws
 * while something they are made of is missing.
 */
export function upstreamsOf(canary: Canary, live: readonly KubeObject[]): KubeObject[] {
  const ref = modelRef(canary);
  const model = ref && (requiredIn(live, ref, 'spec.upstreamRef') as Upstream);
  return upstreamParts(canary).map((part) => {
    const current = objectIn(live, part.ref) as Upstream | undefined;
    const isOurs = current?.spec?.kube?.serviceName === part.service.name;
    const kube = overlay<KubeTarget>(current?.spec?.kube, ownedByKube, {
      serviceName: part.service.name,
      serviceNamespace: canary.namespace,
      servicePort: canary.service.port,
      ...selectorOf(requiredIn(live, part.service, 'spec.service') as Service),
    });
    const owned = ['kube', ...(model === undefined ? [] : settings)] as const;
    return {
      ...current,
      apiVersion,
      kind,
      metadata: routeMetadata(canary, current, isOurs, ownOf(part)),
      spec: overlay<UpstreamSpec>(current?.spec, owned, {
        kube,
        ...only(model?.spec ?? {}, ...settings),
      }),
    };
  });
}

/** The Upstreams as they were before, as far as they were not made for the Canary. */
export function upstreamsGivenBack(
  canary: Canary,
  live: readonly KubeObject[],
): readonly KubeObject[] {
  return upstreamParts(canary).flatMap((part) =>
    givenBack(canary, objectIn(live, part.ref), ownOf(part)),
  );
}

/** Fields: https://docs.solo.io/gloo-edge/latest/reference/api/github.com/solo-io/gloo/projects/gloo/api/v1/upstream.proto.sk/ */
interface Upstream extends KubeObject {
  readonly spec?: UpstreamSpec;
}

interface UpstreamSpec extends Partial<Record<(typeof settings)[number], unknown>> {
  readonly kube?: KubeTarget;
}

interface KubeTarget {
  readonly serviceName: string;
  readonly serviceNamespace: string;
  readonly servicePort: number;
  readonly selector?: Readonly<Record<string, string>>;
}

const ownedByKube = ['serviceName', 'serviceNamespace', 'servicePort', 'selector'] as const;

/** How connections to an Upstream are made, whatever it leads to. */
const settings = [
  'sslConfig',
  'circuitBreakers',
  'connectionConfig',
  'loadBalancerConfig',
  'useHttp2',
  'initialStreamWindowSize',
  'initialConnectionWindowSize',
  'httpProxyHostname',
] as const;

function modelRef({ upstreamRef }: Canary): ObjectRef | undefined {
  return upstreamRef && { apiVersion, kind, ...upstreamRef };
}

/** As in Flagger the metadata of `service.apex` is not for Upstreams. */
function ownOf({ ref: { name } }: UpstreamPart): OwnMetadata {
  return { name, labels: {}, annotations: {} };
}

function selectorOf({ spec: { selector } }: Service): Pick<KubeTarget, 'selector'> {
  return selector === undefined ? {} : { selector };
}
