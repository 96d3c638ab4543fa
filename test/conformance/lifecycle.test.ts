import { jest } from '@jest/globals';

import type { Service } from '../../domain/objects.js';
import { differs, openRig, same, type App, type AppOptions, type Rig } from './rig.js';

jest.setTimeout(180_000);

let rig: Rig;

beforeAll(async () => {
  rig = await openRig('lifecycle');
}, 60_000);

afterAll(() => rig.close(), 60_000);

const reverting = { revertOnDeletion: true };

describe('deletion', () => {
  it.concurrent(
    same('F1', 'a finalizer that cannot be added is an error, and is added later'),
    async () => {
      const selector = { app: 'added' };
      const service: Service = {
        ...{ apiVersion: 'v1', kind: 'Service' },
        metadata: { name: 'added', namespace: rig.namespace },
        spec: { selector, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
      };
      await rig.kube.create(service);
      const thawService = await rig.freeze('Service', 'added');
      const app = await rig.open('added', { spec: reverting });
      await refused(app, 1);
      const thaw = await rig.freeze('Canary', 'added');
      await thawService();
      await refused(app, 2);
      expect((await app.workload('target')).spec.replicas).toBe(1);
      await thaw();
      await app.untilPhase('Initialized');
      expect((await canaryOf(app))?.metadata.finalizers).toEqual(['finalizer.flagger.app']);
    },
  );

  it.concurrent(
    same('F1', 'a finalizer that cannot be removed is an error, and is removed later'),
    async () => {
      const app = await rig.open('removed', { spec: reverting });
      await app.untilPhase('Initialized');
      const thaw = await rig.freeze('Canary', 'removed');
      await rig.kube.remove(refOf(app));
      await app.until('word of the end', async () =>
        (await app.events()).includes('Normal Terminating canary removed.test'),
      );
      await refused(app, 1);
      expect(await canaryOf(app)).toBeDefined();
      await thaw();
      await gone(app);
      expect((await app.workload('target')).spec.replicas).toBe(1);
      expect(await app.events()).toContain('Normal Terminated canary removed.test');
    },
  );

  it.concurrent(
    same('F2', 'a target whose pods do not come back is an error, and is tried again'),
    async () => {
      const app = await rig.open('stuck', {
        spec: { ...reverting, progressDeadlineSeconds: 3 },
      });
      await app.untilPhase('Initialized');
      await app.setImage('2-broken');
      await app.untilPhase('Failed');
      await rig.kube.remove(refOf(app));
      await app.until('word of the target', async () =>
        (await app.events()).some((event) =>
          event.includes('canary not ready during finalizing: '),
        ),
      );
      expect(await canaryOf(app)).toBeDefined();
      await app.setImage('1');
      await gone(app);
      expect((await app.workload('target')).spec.replicas).toBe(1);
    },
  );

  it.concurrent(same('F3', 'without a primary the target is scaled to one pod'), async () => {
    const app = await rig.open('bare', { spec: reverting, replicas: 2 });
    await app.untilPhase('Initialized');
    await app.patchCanary({ suspend: true });
    const { metadata } = await app.workload('primary');
    await rig.kube.remove({
      ...refOf(app),
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      name: metadata.name,
    });
    await rig.kube.remove(refOf(app));
    await gone(app);
    expect((await app.workload('target')).spec.replicas).toBeGreaterThanOrEqual(1);
  });
});

describe('validation', () => {
  const knative = { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'any' };
  const oneCookie = { cookieName: 'same', primaryCookieName: 'same' };

  it.concurrent.each<[string, AppOptions, string]>([
    [
      'target-only',
      { spec: { targetRef: knative } },
      "can't use contour provider with Knative Service as target",
    ],
    [
      'provider-only',
      { provider: 'knative' },
      "can't use apps/v1/Deployment as target if provider is set to knative",
    ],
    [
      'autoscaled',
      {
        provider: 'knative',
        spec: {
          targetRef: knative,
          autoscalerRef: {
            ...{ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', name: 'any' },
          },
        },
      },
      "can't use autoscaler with Knative Service",
    ],
    [
      'cookies',
      { provider: 'gatewayapi:v1', analysis: { sessionAffinity: oneCookie } },
      "can't use the same cookie name for both primary and cookie name; please update them to be different",
    ],
  ])(
    differs(
      'V1',
      'a manifest that makes no sense is an error in the log only: %s',
      'the same words are an event',
    ),
    async (name, options, words) => {
      const app = await rig.open(name, options);
      await app.until('the refusal', async () =>
        (await app.events()).some((e) => e.startsWith('Warning ') && e.includes(words)),
      );
      expect((await app.status()).phase ?? '').toBe('');
      expect(await app.find('apps/v1', 'Deployment', `${name}-primary`)).toBeUndefined();
    },
  );

  it.concurrent(
    same('V2', 'stepWeight and iterations together are refused by the API'),
    async () => {
      await expect(
        rig.open('both', { analysis: { stepWeight: 10, iterations: 2 } }),
      ).rejects.toThrow('spec.analysis');
    },
  );

  it.concurrent(
    differs(
      'V3',
      'a threshold of 1.5 is accepted by the API, and no canary can be read any more',
      'it is accepted, and counts as the second failed check',
    ),
    async () => {
      const app = await rig.open('fraction', {
        hooks: [{ name: 'load', type: 'rollout', answers: [500] }],
        analysis: { threshold: 1.5 },
      });
      await app.untilPhase('Initialized');
      await app.setImage('2');
      await app.untilPhase('Failed');
      expect(app.callCounts()).toEqual({ load: 2 });
    },
  );
});

function refOf({ canary: { namespace, name } }: App): {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
} {
  return { apiVersion: 'flagger.app/v1beta1', kind: 'Canary', namespace, name };
}

function canaryOf(app: App): ReturnType<App['find']> {
  return app.find('flagger.app/v1beta1', 'Canary', app.canary.name);
}

async function gone(app: App): Promise<void> {
  await app.until('the canary to be gone', async () => (await canaryOf(app)) === undefined);
}

/** Resolves when writes have been refused, of so many objects. */
async function refused(app: App, objects: number): Promise<void> {
  await app.until('a refusal', async () => {
    const events = (await app.events()).filter((event) => event.includes('frozen by'));
    return new Set(events).size >= objects;
  });
}
