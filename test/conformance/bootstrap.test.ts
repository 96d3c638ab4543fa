import { jest } from '@jest/globals';

import type {
  DaemonSet,
  Deployment,
  KubeObject,
  PodWorkload,
  Service,
} from '../../domain/objects.js';
import { differs, imageOf, openRig, same, type App, type Rig } from './rig.js';

jest.setTimeout(180_000);

let rig: Rig;

beforeAll(async () => {
  rig = await openRig('bootstrap');
}, 60_000);

afterAll(() => rig.close(), 60_000);

const fluxChecksum = { 'kustomize.toolkit.fluxcd.io/checksum': 'abc' };
const applied = { 'kubectl.kubernetes.io/last-applied-configuration': '{}' };

describe('bootstrap', () => {
  it.concurrent(
    same('B1', 'the primary is created at once, and as long as it is not ready nothing follows'),
    async () => {
      const app = await rig.open('first', { tag: '1-broken' });
      await app.until('word of the primary', async () =>
        (await app.events()).some((event) =>
          event.startsWith(
            'Warning first-primary.test not ready: waiting for rollout to finish: 0 ',
          ),
        ),
      );
      expect((await app.workload('primary')).spec.template.spec?.containers?.[0]?.image).toBe(
        imageOf('1-broken'),
      );
      expect((await app.workload('target')).spec.replicas).toBe(1);
      expect((await app.status()).phase).toBe('Initializing');
      expect(await app.find('v1', 'Service', 'first')).toBeUndefined();
      expect(await app.find('projectcontour.io/v1', 'HTTPProxy', 'first')).toBeUndefined();
    },
  );

  it.concurrent(
    same(
      'B2',
      'with the primary ready: target at 0, apex at the primary, Initialized, equal hashes',
    ),
    async () => {
      const selector = { app: 'second' };
      const app = await rig.open('second', {
        beside: [
          {
            ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'second' } },
            spec: { selector, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
          },
        ],
      });
      await app.untilPhase('Initialized');
      expect((await app.workload('target')).spec.replicas).toBe(0);
      expect((await app.workload('primary')).spec.replicas).toBe(1);
      expect(await app.find('v1', 'Service', 'second')).toMatchObject({
        spec: { selector: { app: 'second-primary' } },
      });
      const { lastAppliedSpec, lastPromotedSpec } = await app.status();
      expect(lastAppliedSpec).toMatch(/./);
      expect(lastPromotedSpec).toBe(lastAppliedSpec);
    },
  );

  it.concurrent(
    same(
      'B3',
      'a DaemonSet is Initialized with a node selector on its target, none on its primary',
    ),
    async () => {
      const app = await rig.open('daemons', { kind: 'DaemonSet', provider: 'gatewayapi:v1' });
      await app.untilPhase('Initialized');
      const selectorOf = ({ spec }: PodWorkload): unknown => spec.template.spec?.['nodeSelector'];
      expect(selectorOf(await app.workload<DaemonSet>('target'))).toEqual({
        'flagger.app/scale-to-zero': 'true',
      });
      expect(selectorOf(await app.workload<DaemonSet>('primary'))).toBeUndefined();
    },
  );

  it.concurrent(
    same('B4', 'the primary has its name from the workload and its selector from the label value'),
    async () => {
      const labels = { app: 'labelled' };
      const app = await rig.open('labelled-service', {
        target: { podMetadata: { labels }, spec: { selector: { matchLabels: labels } } },
      });
      await app.untilPhase('Initialized');
      const { metadata, spec } = await app.workload('primary');
      expect(metadata.name).toBe('labelled-service-primary');
      expect(spec.selector.matchLabels).toEqual({ app: 'labelled-primary' });
      expect(spec.template.metadata?.labels).toEqual({ app: 'labelled-primary' });
      expect(await selectorsOf(app)).toEqual([
        { app: 'labelled-primary' },
        { app: 'labelled-primary' },
        { app: 'labelled' },
      ]);
    },
  );

  it.concurrent(
    same('B5', 'other matchLabels are not in the selector of the primary, but on its pods'),
    async () => {
      const labels = { app: 'more', tier: 'web' };
      const app = await rig.open('more', {
        target: { podMetadata: { labels }, spec: { selector: { matchLabels: labels } } },
      });
      await app.untilPhase('Initialized');
      const { spec } = await app.workload('primary');
      expect(spec.selector.matchLabels).toEqual({ app: 'more-primary' });
      expect(spec.template.metadata?.labels).toEqual({ app: 'more-primary', tier: 'web' });
    },
  );

  it.concurrent(same('B6', 'what Flux noted on the target is never on the primary'), async () => {
    const app = await rig.open('flux', {
      beside: [scalerOf('flux')],
      spec: {
        autoscalerRef: {
          apiVersion: 'autoscaling/v2',
          kind: 'HorizontalPodAutoscaler',
          name: 'flux',
        },
      },
      target: {
        metadata: { labels: { app: 'flux', ...fluxChecksum }, annotations: fluxChecksum },
        podMetadata: { labels: { app: 'flux' }, annotations: fluxChecksum },
      },
    });
    const copies = async (): Promise<string> =>
      JSON.stringify([
        await app.workload('primary'),
        await app.find('autoscaling/v2', 'HorizontalPodAutoscaler', 'flux-primary'),
      ]);
    await app.untilPhase('Initialized');
    expect(await copies()).toContain('flux-primary');
    expect(await copies()).not.toContain('fluxcd');
    await app.setImage('2');
    await app.untilPhase('Succeeded');
    expect(await copies()).not.toContain('fluxcd');
  });

  it.concurrent(
    same('B8', 'what kubectl applied last is on a new primary, and gone after the first promotion'),
    async () => {
      const app = await rig.open('applied', { target: { metadata: { annotations: applied } } });
      await app.untilPhase('Initialized');
      expect((await app.workload('primary')).metadata.annotations).toMatchObject(applied);
      await app.setImage('2');
      await app.untilPhase('Succeeded');
      expect(Object.keys((await app.workload('primary')).metadata.annotations ?? {})).not.toContain(
        Object.keys(applied)[0],
      );
    },
  );

  it.concurrent(
    same('B9', 'only rules of a selector label whose value is the workload speak of the primary'),
    async () => {
      const app = await rig.open('spread', {
        target: { podSpec: spreading('spread', ['spread', 'foreign']) },
      });
      await app.untilPhase('Initialized');
      expect((await app.workload('primary')).spec.template.spec).toMatchObject(
        spreading('spread', ['spread-primary', 'foreign']),
      );
    },
  );

  it.concurrent(
    differs(
      'B9',
      'rules of the label value are left alone if the workload is called otherwise',
      'they are rewritten too, or the primary would be kept from the canary instead of itself',
    ),
    async () => {
      const labels = { app: 'apart' };
      const app = await rig.open('apart-service', {
        target: {
          podMetadata: { labels },
          spec: { selector: { matchLabels: labels } },
          podSpec: spreading('apart-service', ['apart', 'foreign']),
        },
      });
      await app.untilPhase('Initialized');
      expect((await app.workload('primary')).spec.template.spec).toMatchObject(
        spreading('apart-service', ['apart-primary', 'foreign']),
      );
    },
  );

  it.concurrent(
    differs(
      'B26',
      'half of one pod is none, so a primary without pods is ready',
      'one at least has to be available',
    ),
    async () => {
      const app = await rig.open('half', {
        tag: '1-broken',
        analysis: { primaryReadyThreshold: 50 },
      });
      await app.until('the pod of the primary', async () => {
        const primary = await app.find<Deployment>('apps/v1', 'Deployment', 'half-primary');
        return primary?.status?.updatedReplicas === 1;
      });
      // Two intervals: Flagger is at its end after one.
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      expect((await app.workload('primary')).status?.availableReplicas ?? 0).toBe(0);
      expect((await app.status()).phase).toBe('Initializing');
      expect((await app.workload('target')).spec.replicas).toBe(1);
    },
  );
});

/** Rules about where pods go; `values` are those that may speak of the workload. */
function spreading(name: string, values: readonly string[]): object {
  const term = (key: string, of: readonly string[]): object => ({
    topologyKey: 'kubernetes.io/hostname',
    labelSelector: { matchExpressions: [{ key, operator: 'In', values: of }] },
  });
  const preferred = [
    { weight: 1, podAffinityTerm: term('app', values) },
    { weight: 2, podAffinityTerm: term('other', [name]) },
  ];
  return {
    affinity: {
      podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferred },
      podAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 3, podAffinityTerm: term('app', [name]) },
        ],
      },
    },
  };
}

/** The selectors of the apex, primary and canary services. */
async function selectorsOf(app: App): Promise<unknown[]> {
  const names = ['', '-primary', '-canary'].map((suffix) => `${app.canary.name}${suffix}`);
  const services = await Promise.all(names.map((name) => app.find<Service>('v1', 'Service', name)));
  return services.map((service) => service?.spec.selector);
}

function scalerOf(name: string): KubeObject {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name, labels: fluxChecksum, annotations: fluxChecksum },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicas: 1,
      maxReplicas: 2,
    },
  };
}
