import { jest } from '@jest/globals';

import { differs, openRig, same, type App, type AppOptions, type Rig } from './rig.js';

jest.setTimeout(150_000);

let rig: Rig;

beforeAll(async () => {
  rig = await openRig('progress');
}, 60_000);

afterAll(() => rig.close(), 60_000);

const match = [{ headers: { 'x-canary': { exact: 'always' } } }];

describe('weights', () => {
  it.concurrent(same('S1', 'step 20 max 50 gives 20, 40, 60, then promotes'), async () => {
    const app = await released('overshooting', { analysis: { stepWeight: 20, maxWeight: 50 } });

    expect(await routesOf(app)).toEqual(['100/0', '80/20', '60/40', '40/60', '100/0']);
  });

  it.concurrent(same('S2', 'stepWeights 1, 2, 10, 80 are taken as they are'), async () => {
    const app = await released('listed', { analysis: { stepWeights: [1, 2, 10, 80] } });

    expect(await routesOf(app)).toEqual(['100/0', '99/1', '98/2', '90/10', '20/80', '100/0']);
  });

  it.concurrent(same('S2', 'a last stepWeight of 200 is 100'), async () => {
    const app = await released('beyond', { analysis: { stepWeights: [1, 2, 10, 200] } });

    expect(await routesOf(app)).toEqual(['100/0', '99/1', '98/2', '90/10', '0/100', '100/0']);
  });

  it.concurrent(
    differs(
      'S3',
      'a promotion whose last step was routed, but not written to the status, is stuck',
      'the write is tried again and the promotion goes on',
    ),
    async () => {
      const app = await rig.open('unwritten', {
        analysis: { stepWeight: 100, stepWeightPromotion: 50, interval: '8s' },
      });
      await app.untilPhase('Initialized');
      await app.setImage('2');
      await app.untilStatus('w50', (s) => s.phase === 'Promoting' && s.canaryWeight === 50);
      const thaw = await rig.freeze('Canary/status', 'unwritten');
      await app.until('routes 100/0', async () => (await routesOf(app)).at(-1) === '100/0');
      const { phase, canaryWeight } = await app.status();
      await thaw();
      await app.untilPhase('Succeeded');

      expect([phase, canaryWeight]).toEqual(['Promoting', 50]);
    },
  );

  it.concurrent(
    differs(
      'S4',
      'stepWeights edited so that none is the current weight jump to 100',
      'the next greater weight is taken',
    ),
    async () => {
      const app = await rig.open('edited', {
        hooks: [{ name: 'more', type: 'confirm-traffic-increase', answers: [200, 403] }],
        analysis: { stepWeights: [10, 50] },
      });
      await app.untilPhase('Initialized');
      await app.setImage('2');
      const { observedGeneration: before = 0 } = await app.untilStatus(
        'w10',
        ({ canaryWeight }) => canaryWeight === 10,
      );
      await app.patchCanary({ analysis: { stepWeights: [5, 20, 90] } });
      await app.untilStatus('the edit', (s) => (s.observedGeneration ?? 0) > before);
      app.answer('more', 200);
      await app.untilPhase('Succeeded');

      expect(await routesOf(app)).toEqual(['100/0', '90/10', '80/20', '10/90', '100/0']);
    },
  );

  it.concurrent(
    differs('S5', 'a descending stepWeight is a silent deadlock', 'the manifest is refused'),
    async () => {
      const app = await rig.open('descending', { analysis: { stepWeights: [10, 5] } });

      const why = 'spec.analysis.stepWeights: [10, 5] must be ascending whole numbers above 0';
      await refusal(app, why);
    },
  );

  it.concurrent(
    same('S6', 'mirror with weights: 100/0 with copies (the event says 0), then the first step'),
    async () => {
      const app = await released('mirrored', {
        provider: 'gatewayapi:v1',
        analysis: { stepWeight: 10, maxWeight: 10, mirror: true },
      });

      expect((await app.releaseTimeline()).slice(2, 8)).toEqual([
        'Normal Starting canary analysis for mirrored.test',
        'routes 100/0 mirrored',
        'Normal Advance mirrored.test canary weight 0',
        'routes 90/10',
        'status Progressing w10',
        'Normal Advance mirrored.test canary weight 10',
      ]);
    },
  );

  it.concurrent(
    differs(
      'S6b',
      'mirror with weights on a router that cannot mirror repeats the mirror step for ever',
      'the manifest is refused',
    ),
    async () => {
      const app = await rig.open('unmirrored', { analysis: { stepWeight: 10, mirror: true } });

      await refusal(app, 'spec.analysis.mirror: provider contour cannot copy requests');
    },
  );

  it.concurrent(
    same('S9', 'stepWeight 100 and stepWeightPromotion 50 show 0, 100, 100, 50, 0, 0'),
    async () => {
      const app = await released('both-ways', {
        analysis: { stepWeight: 100, stepWeightPromotion: 50 },
      });

      expect(await statusesOf(app)).toEqual([
        'Progressing w0',
        'Progressing w100',
        'Promoting w100',
        'Promoting w50',
        'Finalising w0',
        'Succeeded w0',
      ]);
    },
  );

  it.concurrent(
    same('S10', 'match without iterations weighs the requests that match, the others stay'),
    async () => {
      const app = await rig.open('matching', {
        hooks: [{ name: 'more', type: 'confirm-traffic-increase', answers: [200, 403] }],
        analysis: { stepWeights: [30, 60], match },
      });
      await app.untilPhase('Initialized');
      await app.setImage('2');
      await app.untilStatus('w30', ({ canaryWeight }) => canaryWeight === 30);
      const proxy = await app.find('projectcontour.io/v1', 'HTTPProxy', 'matching');
      const { routes } = proxy?.spec as { routes: readonly object[] };
      expect(routes).toMatchObject([
        {
          conditions: [{ prefix: '/' }, { header: { name: 'x-canary', exact: 'always' } }],
          services: [{ weight: 70 }, { weight: 30 }],
        },
        { conditions: [{ prefix: '/' }], services: [{ weight: 100 }, { weight: 0 }] },
      ]);
      app.answer('more', 200);
      await app.untilPhase('Succeeded');

      expect(await routesOf(app)).toEqual(['100/0', '70/30', '40/60', '100/0']);
    },
  );

  it.concurrent(
    differs(
      'S11',
      'WaitingPromotion shows weight 0 and iterations -1 while the canary has its full weight',
      'the weight shown is the one routed',
    ),
    async () => {
      const app = await rig.open('truthful', {
        hooks: [{ name: 'promote', type: 'confirm-promotion', answers: [403] }],
      });
      await app.untilPhase('Initialized');
      await app.setImage('2');
      await app.untilPhase('WaitingPromotion');

      expect(await app.status()).toMatchObject({ canaryWeight: 50, iterations: 0 });
      expect((await routesOf(app)).at(-1)).toBe('50/50');
    },
  );
});

describe('iterations', () => {
  it.concurrent(same('S7', 'A/B has 0/100 from the first check, and promotes at n'), async () => {
    const app = await released('ab', { analysis: { iterations: 2, match } });

    expect(await app.releaseTimeline()).toEqual([
      'Normal New revision detected! Scaling up ab.test',
      'status Progressing w0',
      'Normal Starting canary analysis for ab.test',
      'routes 0/100',
      'status Progressing w0 i1',
      'Normal Advance ab.test canary iteration 1/2',
      'status Progressing w0 i2',
      'Normal Advance ab.test canary iteration 2/2',
      'Normal Copying ab.test template spec to ab-primary.test',
      'status Promoting w0 i2',
      'routes 100/0',
      'status Finalising w0 i2',
      'Normal Routing all traffic to primary',
      'status Succeeded w0',
      'Normal Promotion completed! Scaling down ab.test',
    ]);
  });

  it.concurrent(
    same('S8', 'Blue/Green with one iteration: Progressing 3 times, then each phase once'),
    async () => {
      const app = await released('once', { analysis: { iterations: 1 } });

      expect(await statusesOf(app)).toEqual([
        'Progressing w0',
        'Progressing w0 i1',
        'Progressing w0 i2',
        'Promoting w0 i2',
        'Finalising w0 i2',
        'Succeeded w0',
      ]);
    },
  );

  // A rollback hook is asked with every check.
  const back = [{ name: 'back', type: 'rollback', answers: [403] }] as const;

  it.concurrent(same('S8b', 'Blue/Green with n iterations has n + 2 checks'), async () => {
    const app = await released('counted', { hooks: back, analysis: { iterations: 3 } });

    expect(app.callCounts()).toEqual({ back: 5 });
  });

  it.concurrent(same('S8b', 'A/B with n iterations has n + 1 checks'), async () => {
    const app = await released('counted-ab', { hooks: back, analysis: { iterations: 3, match } });

    expect(app.callCounts()).toEqual({ back: 4 });
  });

  it.concurrent(
    differs(
      'S12',
      'a gate closed again behind the switch to the canary takes the traffic back to the mirror',
      'the traffic stays at the canary until the gate opens',
    ),
    async () => {
      const app = await released('reclosed', {
        provider: 'gatewayapi:v1',
        hooks: [{ name: 'promote', type: 'confirm-promotion', answers: [200, 403, 403, 200] }],
        analysis: { iterations: 1, mirror: true },
      });

      expect(await routesOf(app)).toEqual(['100/0', '100/0 mirrored', '0/100', '100/0']);
      expect(app.callCounts()).toEqual({ promote: 4 });
    },
  );

  it.concurrent(
    differs(
      'S14',
      'provider kubernetes with a stepWeight warns at every tick of its 10 iterations',
      'it has 10 iterations, and warns once',
    ),
    async () => {
      const app = await released('unrouted', {
        provider: 'kubernetes',
        analysis: { stepWeight: 10 },
      });

      const events = await app.timeline();
      expect(events.filter((event) => event.startsWith('Warning'))).toEqual([
        'Warning Progressive traffic is not supported when using the kubernetes provider',
        'Warning Setting canaryAnalysis.iterations: 10',
      ]);
      expect(events.filter((event) => event.includes('iteration '))).toEqual(
        Array.from(
          { length: 10 },
          (_, i) => `Normal Advance unrouted.test canary iteration ${String(i + 1)}/10`,
        ),
      );
    },
  );
});

describe('skipping, suspending, applying', () => {
  it.concurrent(
    same('S15', 'skipAnalysis switched on during the analysis promotes without its end'),
    async () => {
      const app = await rig.open('hurried', {
        hooks: [{ name: 'more', type: 'confirm-traffic-increase', answers: [403] }],
      });
      await app.untilPhase('Initialized');
      await app.setImage('2');
      await app.until('the gate', () => Promise.resolve(app.calls('more').length > 0));
      await app.patchCanary({ skipAnalysis: true });
      await app.untilPhase('Succeeded');

      expect(await statusesOf(app)).toEqual(['Progressing w0', 'Promoting w0', 'Succeeded w0']);
      expect((await app.events()).at(-1)).toBe(
        'Normal Promotion completed! Canary analysis was skipped for hurried.test',
      );
    },
  );

  it.concurrent(
    same('S17', 'an image changed while suspended is released when that ends'),
    async () => {
      const app = await rig.open('suspended');
      await app.untilPhase('Initialized');
      await app.patchCanary({ suspend: true });
      await app.setImage('2');
      // Time enough to be released, had it not been suspended.
      await released('meanwhile', {});
      expect((await app.status()).phase).toBe('Initialized');
      expect((await app.workload('target')).spec.replicas).toBe(0);
      await app.patchCanary({ suspend: false });
      await app.untilPhase('Succeeded');
    },
  );

  it.concurrent(
    same('S18', 'a manifest with replicas starts pods when it is applied, before confirm-rollout'),
    async () => {
      const app = await rig.open('applied', {
        hooks: [{ name: 'confirm', type: 'confirm-rollout', answers: [403] }],
      });
      await app.untilPhase('Initialized');
      await app.patchTarget({
        spec: { replicas: 2, template: { metadata: { labels: { v: '2' } } } },
      });
      await app.untilPhase('Waiting');

      expect((await app.workload('target')).spec.replicas).toBe(2);
      app.answer('confirm', 200);
      await app.untilPhase('Succeeded');
    },
  );
});

/** An app whose image has been released. */
async function released(name: string, options: AppOptions): Promise<App> {
  const app = await rig.open(name, options);
  await app.untilPhase('Initialized');
  await app.setImage('2');
  await app.untilPhase('Succeeded');
  return app;
}

/** Resolves when an event says why the manifest is refused; nothing may have been created. */
async function refusal(app: App, why: string): Promise<void> {
  await app.until(why, async () =>
    (await app.events()).some((event) => event.startsWith('Warning') && event.includes(why)),
  );
  expect(await app.find('apps/v1', 'Deployment', `${app.canary.name}-primary`)).toBeUndefined();
}

async function routesOf(app: App): Promise<string[]> {
  return beginningWith('routes ', await app.timeline());
}

/** The status since the revision was detected. */
async function statusesOf(app: App): Promise<string[]> {
  return beginningWith('status ', await app.releaseTimeline());
}

function beginningWith(start: string, texts: readonly string[]): string[] {
  return texts.filter((text) => text.startsWith(start)).map((text) => text.slice(start.length));
}
