import { jest } from '@jest/globals';

import { shareOf } from '../../sandbox/demo/traffic.js';
import { byVersion } from './requests.js';
import { openStage, until, type App, type Stage } from './stage.js';

jest.setTimeout(180_000);

/** Whole releases by every strategy, through Envoy. What a weighted one does, traffic.test.ts shows. */
let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
}, 180_000);
afterAll(() => stage.close(), 60_000);

/** The target's pods end at once, so that the next release need not wait for them. */
const env = { DRAIN_MS: '0' };
const all = 2_000;
/** A manifest counts either iterations or weights. */
const iterations = (count: number): object => ({ iterations: count, stepWeight: undefined });

describe.each(['contour', 'gatewayapi:v1'] as const)('A/B testing by %s', (provider) => {
  it('leads all matching requests to the canary, and no others', async () => {
    const app = await stage.open(`ab-${provider.replace(/\W/g, '')}`, {
      ...{ provider, env },
      analysis: {
        ...iterations(2),
        match: [
          { headers: { 'x-canary': { exact: 'yes' } } },
          { headers: { cookie: { regex: '^(.*?; ?)?(canary=always)(;.*)?$' } } },
        ],
      },
    });
    await app.initialised();
    const clients = stage.clientsOf(app);

    const goOn = await heldAt(app, '2.0.0', 'the first iteration', (state) => state.iterations > 0);
    const matching = [{ 'x-canary': 'yes' }, { cookie: 'a=b; canary=always' }];
    await until('the canary answers', async () => {
      const answers = await clients.askMany(20, matching[0]);
      return byVersion(answers)['2.0.0'] === 20;
    });
    for (const headers of matching) {
      expect(byVersion(await clients.askMany(all, headers))).toEqual({ '2.0.0': all });
    }
    for (const headers of [{}, { 'x-canary': 'no' }, { cookie: 'canary=never' }]) {
      expect(byVersion(await clients.askMany(all, headers))).toEqual({ '1.0.0': all });
    }

    await goOn();
    expect((await app.ending()).outcome).toBe('promoted');
    for (const headers of [{}, ...matching]) {
      expect(byVersion(await clients.askMany(100, headers))).toEqual({ '2.0.0': 100 });
    }
  });
});

it('Blue/Green shows users the new version only after its checks, without losing a request', async () => {
  const app = await stage.open('blue-green', { analysis: iterations(2) });
  await app.initialised();
  const clients = stage.clientsOf(app);
  await until('answers', async () => (await clients.ask()).status === 200);
  const since = Date.now() + 1_000;
  await stage.traffic.send(100, { host: app.host });

  const goOn = await heldAt(app, '2.0.0', 'the second iteration', (state) => state.iterations > 1);
  expect(byVersion(await clients.askMany(all))).toEqual({ '1.0.0': all });

  await goOn();
  expect((await app.ending()).outcome).toBe('promoted');
  expect(byVersion(await clients.askMany(100))).toEqual({ '2.0.0': 100 });
  const counted = await stage.traffic.counted(since, Date.now());
  await stage.traffic.send(0);
  expect(counted.requests).toBeGreaterThan(500);
  expect(counted.failed).toBe(0);
});

it('mirroring gives the canary copies, and users the answers of the primary', async () => {
  const app = await stage.open('mirror', {
    ...{ provider: 'gatewayapi:v1', env },
    analysis: { ...iterations(2), mirror: true },
  });
  await app.initialised();
  const clients = stage.clientsOf(app);

  const goOn = await heldAt(app, '2.0.0', 'the first iteration', (state) => state.mirrored);
  await until('copies', async () => {
    await clients.ask();
    return (await stage.requestsTo(app, 'web')) > 0;
  });
  const before = await stage.requestsTo(app, 'web');
  expect(byVersion(await clients.askMany(all))).toEqual({ '1.0.0': all });
  await until(
    'all copies',
    async () => (await stage.requestsTo(app, 'web')) >= before + all * 0.99,
  );

  await goOn();
  expect((await app.ending()).outcome).toBe('promoted');
  expect(byVersion(await clients.askMany(100))).toEqual({ '2.0.0': 100 });
});

it('session affinity keeps clients on the canary, and takes its cookie back afterwards', async () => {
  const app = await stage.open('affinity', {
    ...{ provider: 'gatewayapi:v1', env },
    analysis: { stepWeight: 50, sessionAffinity: { cookieName: 'at', maxAge: 3600 } },
  });
  await app.initialised();
  const clients = stage.clientsOf(app);

  const goOn = await heldAt(app, '2.0.0', 'weight 50', (state) => state.weight === 50);
  const first = await until('an answer of the canary', async () => {
    const answer = await clients.ask();
    return answer.version === '2.0.0' && answer;
  });
  const [cookie = ''] = first.setCookies[0]?.split(';') ?? [];
  expect(first.setCookies).toEqual([`${cookie}; Max-Age=3600`]);
  expect(cookie).toMatch(/^at=[a-zA-Z]{10}$/);
  expect((await app.status()).sessionAffinityCookie).toBe(cookie);
  expect(byVersion(await clients.askMany(all, { cookie }))).toEqual({ '2.0.0': all });
  expect(Object.keys(byVersion(await clients.askMany(200))).sort()).toEqual(['1.0.0', '2.0.0']);

  await goOn();
  expect((await app.ending()).outcome).toBe('promoted');
  await until('the end of the cookie', async () => {
    const { setCookies } = await clients.ask({ cookie });
    return setCookies.length === 1 && setCookies[0] === `${cookie}; Max-Age=-1`;
  });
  expect((await clients.ask()).setCookies).toEqual([]);
  expect(await app.status()).toMatchObject({
    sessionAffinityCookie: '',
    previousSessionAffinityCookie: cookie,
  });
});

it('without a router, pods are the share of the traffic, and none is missed', async () => {
  const app = await stage.open('replicas', {
    ...{ provider: 'kubernetes', replicas: 4, labels: { part: 'web' } },
    analysis: { shift: 'replicas', stepWeight: 25, maxWeight: 50 },
  });
  await app.initialised();
  const { namespace } = app.canary;
  const since = Date.now() + 1_000;
  const url = `http://web.${namespace}/`;
  await stage.traffic.send(100, { url, host: '', keepAlive: false });

  const goOn = await heldAt(app, '2.0.0', 'weight 50', (state) => state.weight === 50);
  expect([await replicasOf(app, 'web-primary'), await replicasOf(app, 'web')]).toEqual([2, 2]);
  const halfway = Date.now();
  const half = await until('answers', async () => {
    const seen = await stage.traffic.counted(halfway, Date.now());
    return seen.requests > 200 && seen;
  });
  expect(Math.abs(shareOf(half, '2.0.0') - 50)).toBeLessThan(10);

  await goOn();
  expect((await app.ending()).outcome).toBe('promoted');
  expect([await replicasOf(app, 'web-primary'), await replicasOf(app, 'web')]).toEqual([4, 0]);
  expect(await app.tag('web-primary')).toBe('2.0.0');
  const counted = await stage.traffic.counted(since, Date.now());
  await stage.traffic.send(0);
  expect(counted.requests).toBeGreaterThan(500);
  expect(counted.failed).toBe(0);
});

/** Releases an image and holds the release where this is true; resolves with what lets it go on. */
async function heldAt(
  app: App,
  tag: string,
  what: string,
  is: (state: Awaited<ReturnType<App['untilState']>>) => boolean,
): Promise<() => Promise<void>> {
  await app.setImage(tag, env);
  const { revision } = await app.untilState(
    what,
    (state) => state.images.some((image) => image.endsWith(`:${tag}`)) && is(state),
    90_000,
  );
  const order = { actor: 'a test', revision };
  await stage.sluice.order(app.canary, 'pause', order);
  return async () => {
    await stage.sluice.order(app.canary, 'resume', order);
  };
}

async function replicasOf(app: App, name: 'web' | 'web-primary'): Promise<number | undefined> {
  return (await app.deployment(name)).spec.replicas;
}
