import { jest } from '@jest/globals';

import type { DaemonSet, Deployment, Service } from '../../domain/objects.js';
import { differs, imageOf, openRig, same, type App, type Rig } from './rig.js';

jest.setTimeout(180_000);

let rig: Rig;

beforeAll(async () => {
  rig = await openRig('upkeep');
}, 60_000);

afterAll(() => rig.close(), 60_000);

const handsOff = {
  'kustomize.toolkit.fluxcd.io/reconcile': 'disabled',
  'helm.toolkit.fluxcd.io/driftDetection': 'disabled',
};

describe('services', () => {
  it.concurrent.each([
    ['numbered', 9898, 'http'],
    ['named', 'http', 'web'],
  ] as const)(
    same('B16', 'portDiscovery adds all ports of the pods but the one that is served: %s'),
    async (name, targetPort, portName) => {
      const ports = [
        { name: 'http', containerPort: 9898 },
        { name: 'http-metrics', containerPort: 8080 },
        { containerPort: 8888 },
      ];
      const app = await rig.open(name, {
        service: { portDiscovery: true, portName, targetPort },
        target: { podSpec: { containers: [{ name: 'podinfo', image: imageOf('1'), ports }] } },
      });
      await app.untilPhase('Initialized');
      for (const suffix of ['', '-primary', '-canary']) {
        const { spec } = await serviceOf(app, suffix);
        expect(spec.ports).toEqual([
          { name: portName, protocol: 'TCP', port: 80, targetPort },
          { name: 'http-metrics', protocol: 'TCP', port: 8080, targetPort: 8080 },
          { name: 'tcp-podinfo-2', protocol: 'TCP', port: 8888, targetPort: 8888 },
        ]);
      }
    },
  );

  it.concurrent(
    differs(
      'B17',
      'ports and selector changed by hand are set back at the next interval',
      'they are set back when that happens',
    ),
    async () => {
      const app = await rig.open('ported');
      await app.untilPhase('Initialized');
      for (const suffix of ['', '-primary', '-canary']) {
        const { metadata, spec } = await serviceOf(app, suffix);
        await patchService(app, suffix, {
          spec: {
            selector: { app: 'nobody' },
            ports: [{ name: 'other', port: 81, targetPort: 8080 }],
          },
        });
        await app.until(`service ${metadata.name} to be set back`, async () => {
          const { spec: now } = await serviceOf(app, suffix);
          return JSON.stringify(now) === JSON.stringify(spec);
        });
      }
    },
  );

  it.concurrent(
    same('B18', 'changed metadata of the apex replaces the old, at the apex only'),
    async () => {
      const app = await rig.open('renamed', {
        service: { apex: { labels: { old: 'yes' }, annotations: { 'a/old': 'yes' } } },
      });
      await app.untilPhase('Initialized');
      expect((await serviceOf(app, '')).metadata).toMatchObject({
        labels: { app: 'renamed', old: 'yes' },
        annotations: { ...handsOff, 'a/old': 'yes' },
      });
      const apex = {
        labels: { old: null, new: 'yes' },
        annotations: { 'a/old': null, 'a/new': 'yes' },
      };
      await app.patchCanary({ service: { apex } });
      await app.until('the new labels', async () => {
        const { metadata } = await serviceOf(app, '');
        return metadata.labels?.['new'] === 'yes';
      });
      const { metadata } = await serviceOf(app, '');
      expect(metadata.labels).toEqual({ app: 'renamed', new: 'yes' });
      expect(metadata.annotations).toEqual({ ...handsOff, 'a/new': 'yes' });
      for (const suffix of ['-primary', '-canary']) {
        expect((await serviceOf(app, suffix)).metadata.annotations).toEqual(handsOff);
      }
    },
  );

  it.concurrent(
    differs(
      'B19',
      'foreign labels and annotations are removed at the next interval unless unmanaged',
      'so are they when the manifest or a service is looked after',
    ),
    async () => {
      const app = await rig.open('foreign', {
        service: { unmanagedMetadata: { labels: ['kept'], annotations: ['a/kept'] } },
      });
      await app.untilPhase('Initialized');
      for (const suffix of ['', '-primary', '-canary']) {
        await patchService(app, suffix, {
          metadata: {
            labels: { kept: 'yes', foreign: 'yes' },
            annotations: { 'a/kept': 'yes', 'a/foreign': 'yes' },
          },
        });
      }
      await app.patchCanary({ progressDeadlineSeconds: 61 });
      for (const suffix of ['', '-primary', '-canary']) {
        await app.until('foreign labels to go', async () => {
          const { metadata } = await serviceOf(app, suffix);
          return metadata.labels?.['foreign'] === undefined;
        });
        const { metadata } = await serviceOf(app, suffix);
        expect(metadata.labels).toEqual({ app: metadata.name, kept: 'yes' });
        expect(metadata.annotations).toEqual({ ...handsOff, 'a/kept': 'yes' });
      }
    },
  );
});

describe('a lost primary', () => {
  it.concurrent(
    differs(
      'B24',
      'one lost after a failed release is made of the failed revision',
      'it is made of the revision that was promoted last',
    ),
    async () => {
      const app = await rig.open('lost', {
        hooks: [{ name: 'load', type: 'rollout', answers: [500] }],
        analysis: { threshold: 1 },
      });
      await app.untilPhase('Initialized');
      await app.setImage('2');
      await app.untilPhase('Failed');
      await removePrimary(app);
      await app.until('another primary', async () => {
        const primary = await app.find<Deployment>('apps/v1', 'Deployment', 'lost-primary');
        if (primary?.status?.availableReplicas !== 1) return false;
        expect(primary.spec.template.spec?.containers?.[0]?.image).toBe(imageOf('1'));
        return true;
      });
      expect((await app.status()).phase).toBe('Failed');
    },
  );

  it.concurrent(
    differs(
      'B25',
      'a DaemonSet lost while its target is at rest comes back with its node selector, without pods',
      'it has pods',
    ),
    async () => {
      const app = await rig.open('daemon', { kind: 'DaemonSet', provider: 'gatewayapi:v1' });
      await app.untilPhase('Initialized');
      await removePrimary(app);
      await app.until('pods of another primary', async () => {
        const primary = await app.find<DaemonSet>('apps/v1', 'DaemonSet', 'daemon-primary');
        if (!primary?.status?.numberAvailable) return false;
        expect(primary.spec.template.spec?.['nodeSelector']).toBeUndefined();
        return true;
      });
    },
  );
});

async function removePrimary(app: App): Promise<void> {
  const { apiVersion, kind, metadata } = await app.workload('primary');
  const { namespace } = rig;
  const ref = { apiVersion, kind, namespace, name: metadata.name };
  await rig.kube.remove(ref);
  await app.until('the primary to be another', async () => {
    const now = await app.find(apiVersion, kind, metadata.name);
    return now !== undefined && now.metadata.uid !== metadata.uid;
  });
}

async function serviceOf({ canary, find }: App, suffix: string): Promise<Service> {
  const service = await find<Service>('v1', 'Service', `${canary.name}${suffix}`);
  if (service === undefined) throw new Error(`there is no service ${canary.name}${suffix}`);
  return service;
}

async function patchService({ canary }: App, suffix: string, change: object): Promise<void> {
  const { namespace, name } = canary;
  const ref = { apiVersion: 'v1', kind: 'Service', namespace, name: `${name}${suffix}` };
  await rig.kube.patch(ref, change);
}
