import type { Canary } from '../../domain/canary.js';
import type { Container, Service } from '../../domain/objects.js';
import {
  newService,
  sharedSelector,
  updatedService,
  type ServiceRole,
} from '../../domain/services.js';
import { aCanary, type CanaryParts } from '../activities/a-canary.js';

const flux = {
  'kustomize.toolkit.fluxcd.io/reconcile': 'disabled',
  'helm.toolkit.fluxcd.io/driftDetection': 'disabled',
};
const selector = { label: 'app', value: 'podinfo' };
const containers: Container[] = [
  {
    name: 'podinfo',
    ports: [
      { name: 'http', containerPort: 9898 },
      { name: 'http-metrics', containerPort: 8080 },
      { containerPort: 8888 },
    ],
  },
  { name: 'istio-proxy', ports: [{ containerPort: 15001 }] },
];

function created(service: object, role: ServiceRole = 'apex'): Service {
  return newService(aCanary({ service }), role, { selector, containers });
}

describe('a new service', () => {
  it('is owned by the Canary and left alone by Flux', () => {
    expect(created({ targetPort: 9898 })).toEqual({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name: 'podinfo',
        namespace: 'test',
        labels: { app: 'podinfo' },
        annotations: flux,
        ownerReferences: [
          {
            apiVersion: 'flagger.app/v1beta1',
            kind: 'Canary',
            name: 'podinfo',
            uid: 'a-uid',
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      },
      spec: {
        type: 'ClusterIP',
        selector: { app: 'podinfo-primary' },
        ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 9898 }],
      },
    });
  });

  it.each<[ServiceRole, string, string]>([
    ['apex', 'shop', 'podinfo-primary'],
    ['primary', 'shop-primary', 'podinfo-primary'],
    ['canary', 'shop-canary', 'podinfo'],
  ])('for the %s is called %s and selects %s', (role, name, app) => {
    const service = created({ name: 'shop' }, role);

    expect(service.metadata.name).toBe(name);
    expect(service.metadata.labels).toEqual({ app: name });
    expect(service.spec.selector).toEqual({ app });
  });

  it('has the metadata of its role', () => {
    const apex = { labels: { a: '1' }, annotations: { b: '2' } };

    expect(created({ apex }).metadata).toMatchObject({
      labels: { a: '1', app: 'podinfo' },
      annotations: { b: '2', ...flux },
    });
    expect(created({ apex }, 'primary').metadata.annotations).toEqual(flux);
  });

  it.each([
    ['is headless', { headless: true }, { clusterIP: 'None' }],
    [
      'has a traffic distribution',
      { trafficDistribution: 'PreferClose' },
      { trafficDistribution: 'PreferClose' },
    ],
    [
      'has an application protocol and a port name',
      { portName: 'grpc', appProtocol: 'kubernetes.io/h2c' },
      {
        ports: [
          {
            name: 'grpc',
            protocol: 'TCP',
            port: 80,
            targetPort: 80,
            appProtocol: 'kubernetes.io/h2c',
          },
        ],
      },
    ],
  ])('%s when asked for', (_name, service, expected) => {
    expect(created(service).spec).toMatchObject(expected);
  });
});

describe('port discovery (B16)', () => {
  it.each<[string, object, [string, number, number | string][]]>([
    [
      'adds every port but the one that is served, and names the nameless',
      { port: 80, targetPort: 9898 },
      [
        ['http', 80, 9898],
        ['http-metrics', 8080, 8080],
        ['tcp-podinfo-2', 8888, 8888],
      ],
    ],
    [
      'knows the served port by its name',
      { port: 80, targetPort: 'http' },
      [
        ['http', 80, 'http'],
        ['http-metrics', 8080, 8080],
        ['tcp-podinfo-2', 8888, 8888],
      ],
    ],
    [
      'leaves out a number that is taken, which the API would refuse',
      { port: 8080, targetPort: 'http' },
      [
        ['http', 8080, 'http'],
        ['tcp-podinfo-2', 8888, 8888],
      ],
    ],
    [
      'gives another name to a port whose name is taken',
      { port: 80, targetPort: 8080 },
      [
        ['http', 80, 8080],
        ['tcp-podinfo-0', 9898, 9898],
        ['tcp-podinfo-2', 8888, 8888],
      ],
    ],
  ])('%s', (_name, service, expected) => {
    const { ports = [] } = created({ ...service, portDiscovery: true }).spec;

    expect(ports.map(({ name, port, targetPort }) => [name, port, targetPort])).toEqual(expected);
  });
});

describe('a live service', () => {
  it('that is as it should be stays as it is', () => {
    const live = storedByServer(created({}));

    expect(updated(live)).toEqual(live);
  });

  it('gets its ports and selector back and keeps the rest', () => {
    const live = storedByServer(created({}));
    const edited: Service = {
      ...live,
      spec: {
        ...live.spec,
        type: 'NodePort',
        clusterIP: '10.0.0.1',
        selector: { app: 'somebody-else' },
        ports: [
          { name: 'http', protocol: 'TCP', port: 81, targetPort: 80, nodePort: 30_080 },
          { name: 'old', protocol: 'TCP', port: 82, targetPort: 82, nodePort: 30_082 },
        ],
      },
    };

    expect(updated(edited).spec).toEqual({
      ...edited.spec,
      selector: { app: 'podinfo-primary' },
      ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 80, nodePort: 30_080 }],
    });
  });

  it('does not care for the order of its ports', () => {
    const service = { portDiscovery: true };
    const live = storedByServer(created(service));
    const turned = { ...live, spec: { ...live.spec, ports: [...live.spec.ports!].reverse() } };

    expect(updated(turned, { service })).toEqual(turned);
  });

  it('loses old metadata and gets the new when the Canary changes (B18)', () => {
    const live = storedByServer(
      created({ apex: { labels: { old: '1' }, annotations: { old: '1' } } }),
    );
    const service = { apex: { labels: { new: '2' }, annotations: { new: '2' } } };

    expect(updated(live, { service }).metadata).toMatchObject({
      labels: { new: '2', app: 'podinfo' },
      annotations: { new: '2', ...flux },
    });
    expect(updated(live, { service }).metadata.labels).not.toHaveProperty('old');
    expect(updated(live, { service }).metadata.annotations).not.toHaveProperty('old');
  });

  it('loses foreign metadata unless it is declared unmanaged (B19)', () => {
    const live = storedByServer(created({}));
    const foreign = {
      ...live,
      metadata: {
        ...live.metadata,
        labels: { ...live.metadata.labels, gone: '1', kept: '2', app: 'edited' },
        annotations: { ...live.metadata.annotations, gone: '1', kept: '2' },
      },
    };
    const service = { unmanagedMetadata: { labels: ['kept'], annotations: ['kept'] } };

    expect(updated(foreign, { service }).metadata).toMatchObject({
      labels: { kept: '2', app: 'podinfo' },
      annotations: { kept: '2', ...flux },
    });
    expect(updated(foreign, { service }).metadata.labels).not.toHaveProperty('gone');
  });

  it('that was there before keeps its metadata and owner, and is hidden from Flux', () => {
    const { ownerReferences: _, ...metadata } = created({}).metadata;
    const live: Service = {
      ...created({}),
      metadata: { ...metadata, labels: { team: 'shop' }, annotations: { note: 'kept' } },
      spec: { selector: { app: 'podinfo' }, ports: [{ name: 'http', port: 80, targetPort: 80 }] },
    };

    expect(updated(live)).toEqual({
      ...live,
      metadata: { ...live.metadata, annotations: { note: 'kept', ...flux } },
      spec: { ...live.spec, selector: { app: 'podinfo-primary' } },
    });
  });
});

function updated(live: Service, parts: CanaryParts = {}): Service {
  const canary = aCanary(parts);
  return updatedService(live, newService(canary, 'apex', { selector, containers }), canary);
}

/** What the API server adds to a service that is created. */
function storedByServer(service: Service): Service {
  return {
    ...service,
    metadata: { ...service.metadata, uid: 'u', resourceVersion: '1' },
    spec: { ...service.spec, sessionAffinity: 'None', clusterIP: '10.0.0.1' },
  };
}

describe('an apex service that reaches the pods of both workloads', () => {
  const selecting = (labels: Record<string, string>): Service => {
    const service = created({});
    return { ...service, spec: { ...service.spec, selector: labels } };
  };
  const moving = (): Canary => {
    const canary = aCanary();
    const strategy = { kind: 'replicas', weights: [10] } as const;
    return { ...canary, analysis: { ...canary.analysis, strategy } };
  };
  const both = selecting({ tier: 'web' });

  it('selects what both have in common', () => {
    expect(sharedSelector({ app: 'podinfo', tier: 'web', part: 'a' }, selector)).toEqual({
      tier: 'web',
      part: 'a',
    });
    expect(sharedSelector({ app: 'podinfo' }, selector)).toBeUndefined();
  });

  it('stays so while pods are the share of the traffic', () => {
    expect(updatedService(both, created({}), moving()).spec.selector).toEqual({ tier: 'web' });
  });

  it.each<[string, Service, Canary]>([
    ['with a router', both, aCanary()],
    ['when it selects the target', selecting({ app: 'podinfo', tier: 'web' }), moving()],
    ['when it selects nothing', selecting({}), moving()],
  ])('is led to the primary %s', (_, live, canary) => {
    expect(updatedService(live, created({}), canary).spec.selector).toEqual({
      app: 'podinfo-primary',
    });
  });

  it('is not the service of one of them', () => {
    const desired = created({}, 'canary');
    const live = { ...desired, spec: { ...desired.spec, selector: { tier: 'web' } } };

    expect(updatedService(live, desired, moving()).spec.selector).toEqual({ app: 'podinfo' });
  });
});
