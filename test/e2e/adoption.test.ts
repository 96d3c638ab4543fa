import { jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';

import { isFlaggers } from '../../domain/adoption.js';
import type { KubeObject } from '../../domain/objects.js';
import { startFlagger, type Flagger } from './flagger.js';
import { openStage, until, untilRolledOut, worker, type App, type Stage } from './stage.js';

jest.setTimeout(300_000);

/** Flagger's own lower bound; both controllers go by it. */
const analysis = { interval: '10s', threshold: 1, stepWeight: 50, maxWeight: 50 };
/** A hook that nobody answers fails each check. */
const failing = [{ name: 'smoke', type: 'rollout', url: 'http://127.0.0.1:9/' }];
const env = { DRAIN_MS: '0' };

let stage: Stage;
let flagger: Flagger | undefined;
/** Promoted by Flagger, with traffic all the time. */
let busy: App;
/** Only initialised, by the other router, with configs and rules of placement. */
let quiet: App;
/** Rolled back by Flagger. */
let failed: App;
/** In the middle of its analysis when Flagger ends. */
let midway: App;
let sendingSince = 0;

beforeAll(async () => {
  stage = await openStage();
  await scaleWorker(0);
  [busy, quiet, failed, midway] = await Promise.all([
    stage.open('adopt-busy', { env, replicas: 2, analysis }),
    stage.open('adopt-quiet', { env, provider: 'gatewayapi:v1', analysis }),
    stage.open('adopt-failed', { env, analysis: { ...analysis, webhooks: failing } }),
    stage.open('adopt-midway', { env, analysis: { ...analysis, stepWeight: 5 } }),
  ]);
  await configure(quiet);
  flagger = await startFlagger();
  await Promise.all([busy, quiet, failed, midway].map((app) => app.initialised()));
  await stage.traffic.send(100, { host: busy.host });
  await sleep(1_000);
  sendingSince = Date.now();
}, 600_000);

afterAll(async () => {
  await stage.traffic.send(0);
  try {
    await flagger?.stop();
  } finally {
    await scaleWorker(1);
    await stage.close();
  }
}, 120_000);

it('what Flagger left at rest is taken over: nothing is released, written or restarted', async () => {
  await Promise.all([busy, failed, midway].map((app) => app.setImage('2.0.0')));
  await busy.untilStatus('promotion', ({ phase }) => phase === 'Succeeded', 180_000);
  await failed.untilStatus('rollback', ({ phase }) => phase === 'Failed', 180_000);
  await midway.untilStatus('traffic', ({ canaryWeight = 0 }) => canaryWeight > 0, 180_000);
  await flagger?.stop();
  flagger = undefined;
  const resting = [busy, quiet, failed];
  const before = await Promise.all(resting.map(left));
  const statuses = await Promise.all(resting.map((app) => app.status()));

  await scaleWorker(1);
  for (const [i, app] of resting.entries()) {
    const { observedGeneration, ...status } = await app.untilStatus(
      'take-over',
      (now) => now.observedGeneration !== undefined,
    );
    expect(observedGeneration).toBe(1);
    expect(status.phase).toBe(statuses[i]?.phase);
    expect(status.lastAppliedSpec).not.toBe(statuses[i]?.lastAppliedSpec);
    expect(status.trackedConfigs).toEqual(statuses[i]?.trackedConfigs);
    expect(status.lastPromotedSpec === status.lastAppliedSpec).toBe(app !== failed);
    expect((await app.ending()).outcome).toBe('unchanged');
  }
  expect(await Promise.all(resting.map(left))).toEqual(before);
});

it('what Flagger left in the middle of an analysis is taken back', async () => {
  await midway.untilStatus('rollback', ({ phase }) => phase === 'Failed', 120_000);
  await midway.untilStatus('order', ({ observedGeneration }) => observedGeneration === 1);

  expect(await midway.routes()).toEqual({ primary: 100, canary: 0 });
  expect((await midway.deployment('web')).spec.replicas).toBe(0);
  expect(await midway.tag('web-primary')).toBe('1.0.0');
  const { lastAppliedSpec, lastPromotedSpec } = await midway.status();
  expect(lastAppliedSpec).not.toBe(lastPromotedSpec);
});

it('what is new after that is released by Sluice, and nothing else', async () => {
  const runs = await countRuns(midway);
  // What Flagger had promoted is known to be that, although the target was another one meanwhile.
  await Promise.all([busy.setImage('3.0.0'), midway.setImage('1.0.0')]);
  await busy.untilState('the release', ({ images }) => images.some((it) => it.endsWith(':3.0.0')));
  expect((await busy.ending()).outcome).toBe('promoted');

  expect(await busy.tag('web-primary')).toBe('3.0.0');
  expect(await countRuns(busy)).toBe(2);
  expect(await countRuns(quiet)).toBe(1);
  expect(await countRuns(failed)).toBe(1);
  expect(await countRuns(midway)).toBe(runs);
});

it('Flagger goes on with what Sluice left', async () => {
  await scaleWorker(0);
  const pods = await podsOf(quiet);
  await forget(quiet);
  flagger = await startFlagger();

  await busy.untilStatus('an analysis', ({ phase }) => phase === 'Progressing');
  await busy.untilStatus('its end', ({ phase }) => phase === 'Succeeded', 180_000);
  expect(await busy.tag('web-primary')).toBe('3.0.0');
  // Without a status there is nothing that Flagger could take for another revision.
  const status = await quiet.status();
  expect(status.phase).toBe('Initialized');
  expect(isFlaggers(status)).toBe(true);
  expect(await podsOf(quiet)).toEqual(pods);
  expect((await quiet.events()).filter((event) => event.includes('New revision'))).toEqual([]);
  for (const app of [busy, quiet]) {
    expect(await app.routes()).toEqual({ primary: 100, canary: 0 });
    expect((await app.deployment('web')).spec.replicas).toBe(0);
  }
});

it('no request has failed in all that time', async () => {
  const counted = await stage.traffic.counted(sendingSince);
  console.log(JSON.stringify(counted));
  expect(counted.requests).toBeGreaterThanOrEqual(10_000);
  expect(counted.failed).toBe(0);
  expect(Object.keys(counted.byVersion).sort()).toEqual(['1.0.0', '2.0.0', '3.0.0']);
});

async function scaleWorker(replicas: number): Promise<void> {
  const { namespace, name } = worker;
  await stage.kube.patch(worker, { spec: { replicas } });
  if (replicas > 0) return untilRolledOut(stage.kube, worker);
  await until('the end of the worker', async () => {
    const labelSelector = `app=${name}`;
    const pods = await stage.kube.list({ apiVersion: 'v1', kind: 'Pod', namespace, labelSelector });
    return pods.length === 0;
  });
}

/** What of an app's objects tells that somebody has written to them, and its primary's pods. */
async function left(app: App): Promise<Record<string, unknown>> {
  const { namespace } = app.canary;
  const kinds = [
    ['apps/v1', 'Deployment'],
    ['projectcontour.io/v1', 'HTTPProxy'],
    ['gateway.networking.k8s.io/v1', 'HTTPRoute'],
    ['v1', 'Service'],
    ['v1', 'ConfigMap'],
    ['v1', 'Secret'],
  ] as const;
  const lists = await Promise.all(
    kinds.map(([apiVersion, kind]) => stage.kube.list({ apiVersion, kind, namespace })),
  );
  const versions = lists.flat().map(({ kind, metadata, spec }: KubeObject) => {
    // Where there is a status, others write to that.
    const { generation, resourceVersion } = metadata;
    return [`${kind} ${metadata.name}`, generation === undefined ? resourceVersion : spec];
  });
  return { ...(Object.fromEntries(versions) as object), pods: await podsOf(app) };
}

async function podsOf({ canary: { namespace } }: App): Promise<(string | undefined)[]> {
  const labelSelector = 'app=web-primary';
  const pods = await stage.kube.list({ apiVersion: 'v1', kind: 'Pod', namespace, labelSelector });
  return pods.map(({ metadata }) => metadata.uid).sort();
}

/** Temporal's list of runs lags behind. */
async function countRuns(app: App): Promise<number> {
  await sleep(1_500);
  return (await app.runIds()).length;
}

/** Empties the status, as docs/migrating-from-flagger.md says. */
async function forget({ canary: { namespace, name } }: App): Promise<void> {
  const { code, output } = await stage.exec(
    `kubectl -n ${namespace} patch canary ${name} --subresource=status --type=merge -p '{"status":null}'`,
  );
  if (code !== 0) throw new Error(output);
}

/** Gives a target what Flagger rewrites in its copy: configs, and rules about its own pods. */
async function configure(app: App): Promise<void> {
  const { namespace } = app.canary;
  const metadata = { name: 'settings', namespace };
  await stage.kube.create(object('ConfigMap', { metadata, data: { color: 'red' } }));
  await stage.kube.create(object('Secret', { metadata, stringData: { key: 'value' } }));
  const { spec } = await app.deployment('web');
  const [container] = spec.template.spec?.containers ?? [];
  const apart = { labelSelector: { matchLabels: { app: 'web' } } };
  await stage.kube.patch(
    { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'web' },
    {
      spec: {
        template: {
          spec: {
            containers: [{ ...container, envFrom: [{ configMapRef: { name: 'settings' } }] }],
            volumes: [{ name: 'key', secret: { secretName: 'settings' } }],
            topologySpreadConstraints: [
              {
                ...apart,
                maxSkew: 1,
                topologyKey: 'kubernetes.io/hostname',
                whenUnsatisfiable: 'ScheduleAnyway',
              },
            ],
            affinity: {
              podAntiAffinity: {
                preferredDuringSchedulingIgnoredDuringExecution: [
                  {
                    weight: 1,
                    podAffinityTerm: { ...apart, topologyKey: 'kubernetes.io/hostname' },
                  },
                ],
              },
            },
          },
        },
      },
    },
  );
}

function object(kind: string, fields: object): KubeObject {
  return { apiVersion: 'v1', kind, ...fields } as KubeObject;
}
