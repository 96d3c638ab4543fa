import type { Service } from '../../domain/objects.js';
import {
  contentOf,
  copiedServiceRevision,
  followingServiceCopy,
  newServiceCopy,
  previousService,
  restoredServiceCopy,
  updatedServiceCopy,
} from '../../domain/service-copies.js';
import { aCanary } from '../activities/a-canary.js';

const canary = aCanary();

function aService(spec: object, metadata: object = {}): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'podinfo', namespace: 'test', ...metadata },
    spec: { type: 'ClusterIP', clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ...spec },
  };
}

const target = aService(
  {
    type: 'NodePort',
    selector: { app: 'v2' },
    ports: [{ name: 'http', port: 80, nodePort: 30_080 }],
    externalTrafficPolicy: 'Local',
    sessionAffinity: 'None',
  },
  { labels: { team: 'a', other: 'b' }, annotations: { note: 'x' } },
);

describe('the content of a Service', () => {
  it('is where requests go, not how they get there', () => {
    expect(contentOf(target)).toEqual({
      selector: { app: 'v2' },
      ports: [{ name: 'http', port: 80 }],
      sessionAffinity: 'None',
    });
  });

  it('is another name when it stands for one', () => {
    const external = aService({ type: 'ExternalName', externalName: 'db.example.com' });

    expect(contentOf(external)).toEqual({ type: 'ExternalName', externalName: 'db.example.com' });
  });
});

describe('a new copy of a Service', () => {
  it('has the content, an owner, and an address of its own', () => {
    const flux = { 'kustomize.toolkit.fluxcd.io/checksum': 'x' };
    const kubectl = { 'kubectl.kubernetes.io/last-applied-configuration': '{}' };
    const marked = aService(target.spec, {
      labels: { ...flux, team: 'a' },
      annotations: { ...flux, ...kubectl, note: 'x' },
    });
    const copy = newServiceCopy(canary, marked, { name: 'podinfo-primary', revision: 'r1' });

    expect(copy).toEqual({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name: 'podinfo-primary',
        namespace: 'test',
        labels: { team: 'a' },
        annotations: { note: 'x', 'sluice.dev/revision': 'r1' },
        ownerReferences: [expect.objectContaining({ kind: 'Canary', name: 'podinfo' })],
      },
      spec: contentOf(target),
    });
  });

  it.each([
    ['the target is', aCanary(), { clusterIP: 'None' }],
    ['the Canary says so', aCanary({ service: { headless: true } }), {}],
  ])('is headless when %s', (_name, of, spec) => {
    const copy = newServiceCopy(of, aService(spec), { name: 'x', revision: 'r1' });

    expect(copy.spec).toMatchObject({ clusterIP: 'None' });
  });
});

describe('a promoted copy of a Service', () => {
  const primary: Service = {
    ...aService({ selector: { app: 'v1' }, ports: [{ name: 'http', port: 80, nodePort: 31_000 }] }),
    metadata: {
      name: 'podinfo-primary',
      namespace: 'test',
      labels: { old: 'label' },
      annotations: { 'sluice.dev/revision': 'r1' },
      ownerReferences: newServiceCopy(canary, target, { name: 'x', revision: 'r1' }).metadata
        .ownerReferences!,
    },
  };
  const promotion = { target, revision: 'r2', own: 'own', prefixes: ['team'] };
  const once = updatedServiceCopy(canary, primary, promotion);

  it('has the content of the target and keeps its own addresses, type and owner', () => {
    expect(once.spec).toEqual({
      type: 'ClusterIP',
      clusterIP: '10.0.0.1',
      clusterIPs: ['10.0.0.1'],
      selector: { app: 'v2' },
      ports: [{ name: 'http', port: 80, nodePort: 31_000 }],
      sessionAffinity: 'None',
    });
    expect(once.metadata.ownerReferences).toEqual(primary.metadata.ownerReferences);
    expect(once.metadata.labels).toEqual({ team: 'a' });
    expect(copiedServiceRevision(once)).toBe('r2');
  });

  it('remembers what it was, also when the promotion is repeated', () => {
    expect(previousService(once)).toEqual({ revision: 'r1', content: contentOf(primary) });
    expect(updatedServiceCopy(canary, once, promotion)).toEqual(once);
    const restored = restoredServiceCopy(once, previousService(once)!);
    expect(restored.spec).toEqual(primary.spec);
    expect(copiedServiceRevision(restored)).toBe('r1');
  });

  it('knows by its content what nobody stamped', () => {
    const unstamped = { ...primary, metadata: { ...primary.metadata, annotations: {} } };
    const next = updatedServiceCopy(canary, unstamped, promotion);

    expect(previousService(next)?.revision).toBe('own');
  });

  it('becomes another name, and a service with pods again', () => {
    const external = aService({ type: 'ExternalName', externalName: 'db.example.com' });
    const named = followingServiceCopy(canary, primary, { target: external, revision: 'r3' });
    const back = followingServiceCopy(canary, named, { target, revision: 'r2' });

    expect(named.spec).toMatchObject({ type: 'ExternalName', externalName: 'db.example.com' });
    expect(named.spec).not.toHaveProperty('selector');
    expect(back.spec).not.toHaveProperty('type');
    expect(back.spec).not.toHaveProperty('externalName');
  });
});
