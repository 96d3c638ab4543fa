import { KubeError } from '../../activities/kube.js';
import type { KubeObject } from '../../domain/objects.js';
import { canaryOf, deploymentOf } from './manifests.js';
import { openStage, until, worker, type App, type Stage } from './stage.js';

let stage: Stage;
let restartsBefore: number;
const namespace = `bad-input-${String(process.pid)}`;

beforeAll(async () => {
  stage = await openStage();
  restartsBefore = await workerRestarts();
  await stage.kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
}, 180_000);
afterAll(async () => {
  await stage.kube.remove({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: namespace });
  await stage.close();
}, 60_000);
afterEach(async () => {
  expect(await workerRestarts()).toBe(restartsBefore);
});

describe('the API server refuses, naming the field,', () => {
  it.each([
    ['an unknown provider', { spec: { provider: 'smoke' } }, /spec\.provider: Unsupported value/],
    ['an interval without a unit', { analysis: { interval: 'soon' } }, /spec\.analysis\.interval/],
  ])('%s', async (_name, options, message) => {
    const error: unknown = await stage.kube
      .create(canaryOf(namespace, 'x.example.com', options))
      .catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(KubeError);
    expect((error as KubeError).message).toMatch(message);
  });
});

describe('a Canary that cannot start says so in an event and to why:', () => {
  it('a missing target, and it starts once the target is there', async () => {
    const canary = named('no-target', { targetRef: target('no-target') });
    await stage.kube.create(canary);

    const sentence = /deployment no-target\.\S+ get query error: .*"no-target" not found/;
    await expectEvent('no-target', sentence);
    await expectWhy('no-target', sentence);

    await stage.kube.create(renamed(deploymentOf(namespace, {}), 'no-target'));
    await until('the late start', () => reachedPhase('no-target', 'Initializing'));
  }, 90_000);

  it('a selector without a known label', async () => {
    const deployment = renamed(deploymentOf(namespace, {}), 'no-label');
    const spec = deployment.spec as { template: { metadata: object } };
    await stage.kube.create({
      ...deployment,
      spec: {
        ...spec,
        selector: { matchLabels: { tier: 'web' } },
        template: { ...spec.template, metadata: { labels: { tier: 'web' } } },
      },
    });
    await stage.kube.create(named('no-label', { targetRef: target('no-label') }));

    const sentence = /matchLabels must contain one of \[app name app\.kubernetes\.io\/name\]/;
    await expectEvent('no-label', sentence);
    await expectWhy('no-label', sentence);
  }, 60_000);

  it('a strategy that the provider cannot do', async () => {
    const { spec, ...rest } = named('strategy', { targetRef: target('strategy') });
    const analysis = { interval: '10s', threshold: 1, stepWeight: 10, mirror: true };
    await stage.kube.create({ ...rest, spec: { ...(spec as object), analysis } });

    await expectEvent('strategy', /spec\.analysis\.mirror: .*contour cannot copy requests/);
  }, 60_000);
});

describe('a check that cannot be made counts as failed, with its reason:', () => {
  it.each([
    [
      'an unknown function',
      'up{x="{{ nonsense }}"}',
      /Metric template .* query render error: .*nonsense/,
    ],
    [
      'a missing variable',
      '{{ variables.limit }}',
      /Metric template .* query render error: .*limit/,
    ],
  ])(
    'a template with %s',
    async (name, query, sentence) => {
      const app = await stage.open(`template-${name.split(' ')[1] ?? ''}`, {
        analysis: {
          metrics: [
            { name: 'custom', templateRef: { name: 'custom' }, thresholdRange: { max: 1 } },
          ],
        },
      });
      await stage.kube.create({
        apiVersion: 'flagger.app/v1beta1',
        kind: 'MetricTemplate',
        metadata: { name: 'custom', namespace: app.canary.namespace },
        spec: {
          provider: { type: 'prometheus', address: 'http://prometheus.monitoring:9090' },
          query,
        },
      });

      await expectRolledBack(app, sentence);
    },
    120_000,
  );

  it('a Prometheus that cannot be reached', async () => {
    const app = await stage.open('no-prometheus', {
      spec: { metricsServer: 'http://127.0.0.1:9' },
      analysis: { metrics: [{ name: 'request-success-rate', thresholdRange: { min: 99 } }] },
    });

    await expectRolledBack(app, /Prometheus query failed: .*127\.0\.0\.1:9/);
  }, 120_000);
});

describe('a write that is not possible now is repeated until it is:', () => {
  it('a gateway that is missing', async () => {
    const app = await stage.open('no-gateway', {
      provider: 'gatewayapi:v1',
      spec: {
        service: {
          port: 80,
          targetPort: 8080,
          hosts: ['no-gateway.example.com'],
          gatewayRefs: [{ name: 'nowhere', namespace: 'projectcontour' }],
        },
      },
    });

    const sentence = /Gateway nowhere\.projectcontour not found/;
    await untilEvent(app, sentence);
    await until('why to name the gateway', async () => sentence.test(await whyOf(app.canary)));
    const gatewayRefs = [{ name: 'contour', namespace: 'projectcontour' }];
    await app.patchCanary({ service: { gatewayRefs } });
    await app.initialised();
  }, 180_000);

  it('a permission that was taken away', async () => {
    const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', namespace: '' };
    const ref = { ...role, name: 'sluice' };
    const live = (await stage.kube.find<Role>(ref)) ?? missing('the role');
    const without = live.rules.filter(({ apiGroups }) => !apiGroups.includes('projectcontour.io'));
    await stage.kube.patch(ref, { rules: without });
    try {
      const app = await stage.open('forbidden');
      const sentence = /cannot get resource "httpproxies" in API group "projectcontour\.io"/;
      await untilEvent(app, sentence);
      await until('why to name the permission', async () => sentence.test(await whyOf(app.canary)));
      await stage.kube.patch(ref, { rules: live.rules });
      await app.initialised();
    } finally {
      await stage.kube.patch(ref, { rules: live.rules });
    }
  }, 180_000);
});

interface Role extends KubeObject {
  readonly rules: readonly { readonly apiGroups: readonly string[] }[];
}

function target(name: string): object {
  return { apiVersion: 'apps/v1', kind: 'Deployment', name };
}

function named(name: string, spec: object): KubeObject {
  return renamed(canaryOf(namespace, 'x.example.com', { spec }), name);
}

function renamed(object: KubeObject, name: string): KubeObject {
  return { ...object, metadata: { ...object.metadata, name } };
}

async function reachedPhase(name: string, phase: string): Promise<boolean> {
  const ref = { apiVersion: 'flagger.app/v1beta1', kind: 'Canary', namespace, name };
  const { status } = (await stage.kube.find(ref)) ?? {};
  return (status as { phase?: string } | undefined)?.phase === phase;
}

async function eventsOn(place: string, name: string): Promise<string[]> {
  const events = await stage.kube.list<KubeObject & { message: string }>({
    apiVersion: 'v1',
    kind: 'Event',
    namespace: place,
    fieldSelector: `involvedObject.name=${name}`,
  });
  return events.map(({ message }) => message);
}

async function expectEvent(name: string, sentence: RegExp): Promise<void> {
  const matching = await until(`the event of ${name}`, async () => {
    const found = (await eventsOn(namespace, name)).filter((message) => sentence.test(message));
    return found.length > 0 && found;
  });
  expect(matching).toHaveLength(1);
}

async function expectWhy(name: string, sentence: RegExp): Promise<void> {
  await until(`why of ${name}`, async () => sentence.test(await whyOf({ namespace, name })));
}

/** All that `why` tells, in one text. */
async function whyOf(canary: Parameters<Stage['sluice']['why']>[0]): Promise<string> {
  return JSON.stringify(await stage.sluice.why(canary)).replaceAll(String.raw`\"`, '"');
}

async function untilEvent(app: App, sentence: RegExp): Promise<void> {
  await until(
    `the event ${String(sentence)}`,
    async () => (await app.events()).some((event) => sentence.test(event)),
    90_000,
  );
}

async function expectRolledBack(app: App, sentence: RegExp): Promise<void> {
  await app.initialised();
  await app.setImage('2.0.0');
  await app.untilStatus('the rollback', ({ phase }) => phase === 'Failed', 90_000);

  const halts = (await app.events()).filter((event) => sentence.test(event));
  expect(halts).toHaveLength(2);
  expect(await app.routes()).toEqual({ primary: 100, canary: 0 });
}

async function workerRestarts(): Promise<number> {
  const pods = await stage.kube.list({
    apiVersion: 'v1',
    kind: 'Pod',
    namespace: worker.namespace,
    labelSelector: 'app=sluice-worker',
  });
  return pods.reduce((sum, { status }) => {
    const { containerStatuses = [] } = status as {
      containerStatuses?: readonly { restartCount: number }[];
    };
    return containerStatuses.reduce((count, { restartCount }) => count + restartCount, sum);
  }, 0);
}

function missing(what: string): never {
  throw new Error(`${what} is missing`);
}
