import type { MoveInput } from '../../activities/contract.js';
import type { Deps } from '../../activities/deps.js';
import { createActivities } from '../../activities/index.js';
import type { Canary } from '../../domain/canary.js';
import type { EventDelivery } from '../../domain/deliveries.js';
import type { AnalysisRig } from './analysis-rig.js';
import { environmentOf, openHooksRig, refOf, type HooksRig } from './hooks-rig.js';

let hooks: HooksRig;
let rig: AnalysisRig;

beforeAll(async () => {
  hooks = await openHooksRig(`hooks-${String(process.pid)}`);
  rig = hooks.base;
});
afterAll(() => rig.stop());
beforeEach(() => hooks.beginTest());
afterEach(() => hooks.endTest());

const aCanary = (...webhooks: object[]): Promise<Canary> => rig.aCanary({ analysis: { webhooks } });

describe('the hooks behind the end', () => {
  const inputOf = (canary: Canary): MoveInput<'conclude'> => ({
    canary: refOf(canary),
    report: { key: '9', after: [{ type: 'Normal', message: 'Promotion completed!' }] },
  });

  it('are each called once, with the phase the release ended in', async () => {
    const canary = await aCanary(
      hooks.hook('one', 'post-rollout'),
      hooks.hook('two', 'post-rollout'),
    );
    await hooks.setStatus(canary, { phase: 'Succeeded' });

    await hooks.run('conclude', inputOf(canary));

    expect(hooks.server.requests.map(({ path, body: { phase } }) => [path, phase])).toEqual([
      ['/one', 'Succeeded'],
      ['/two', 'Succeeded'],
    ]);
    expect(await rig.eventsOf(canary)).toEqual([
      'Normal Post-rollout check one passed',
      'Normal Post-rollout check two passed',
      'Normal Promotion completed!',
    ]);
  });

  it('that fail are called again, and the others are not', async () => {
    const canary = await aCanary(
      hooks.hook('one', 'post-rollout'),
      hooks.hook('two', 'post-rollout'),
    );
    hooks.server.answer(404);
    const remembered: unknown[] = [];
    const first = environmentOf();
    first.on('heartbeat', (details: unknown) => remembered.push(details));

    const attempt = first.run(createActivities(rig.deps).conclude, inputOf(canary));
    await expect(attempt).rejects.toMatchObject({ nextRetryDelay: 2_000 });
    expect(hooks.server.paths).toEqual(['/one', '/two']);
    await hooks.run('conclude', inputOf(canary), {
      attempt: 2,
      heartbeatDetails: remembered.at(-1),
    });

    expect(hooks.server.paths).toEqual(['/one', '/two', '/one']);
    expect(hooks.server.requests.map(({ headers }) => headers['idempotency-key'])).toEqual([
      'a-run/9/0',
      'a-run/9/1',
      'a-run/9/0',
    ]);
    expect(await rig.eventsOf(canary)).toEqual([
      'Normal Post-rollout check two passed',
      'Warning post-rollout hooks are called again: one failed HTTP 404',
      'Normal Post-rollout check one passed',
      'Normal Promotion completed!',
    ]);
  });

  it('are given up in the end', async () => {
    const canary = await aCanary(
      hooks.hook('one', 'post-rollout'),
      hooks.hook('two', 'post-rollout'),
    );
    hooks.server.answerAt('/one', { status: 403, body: 'never' });

    await hooks.run('conclude', inputOf(canary), { attempt: 5 });

    expect(hooks.server.paths).toEqual(['/one', '/two']);
    expect(await rig.eventsOf(canary)).toEqual([
      'Warning Post-rollout hook one failed never',
      'Normal Post-rollout check two passed',
      'Normal Promotion completed!',
    ]);
  });
});

describe('the gate before a rollout', () => {
  const inputOf = (canary: Canary): MoveInput<'awaitGate'> => ({
    canary: refOf(canary),
    everyMs: 30,
    report: { key: '3', status: { phase: 'Waiting' } },
  });

  it('is asked until it opens, and told of once', async () => {
    const canary = await aCanary(
      hooks.hook('first', 'confirm-rollout'),
      hooks.hook('second', 'confirm-rollout'),
      hooks.hook('other', 'confirm-promotion'),
    );
    let asked = 0;
    hooks.server.answerAt('/second', (response) => {
      asked += 1;
      response.writeHead(asked < 4 ? 403 : 200).end();
    });

    await hooks.run('awaitGate', inputOf(canary));

    expect(hooks.server.paths).toEqual(Array(4).fill(['/first', '/second']).flat());
    const keys = hooks.server.requests.map(({ headers }) => headers['idempotency-key']);
    expect(new Set(keys).size).toBe(8);
    expect(hooks.server.requests.map(({ body: { phase } }) => phase)).toEqual([
      ...['', ''],
      ...Array<string>(6).fill('Waiting'),
    ]);
    expect(await rig.eventsOf(canary)).toEqual([
      'Normal Confirm-rollout check first passed',
      `Warning Halt ${canary.name}.${rig.namespace} advancement waiting for approval second`,
      'Normal Confirm-rollout check second passed',
    ]);
    expect(await hooks.statusOf(canary)).toMatchObject({ phase: 'Waiting' });
  });

  it('is not told of twice by a second attempt', async () => {
    const canary = await aCanary(hooks.hook('gate', 'confirm-rollout'));
    hooks.server.answerAt('/gate', 403);

    for (const attempt of [1, 2]) {
      const environment = environmentOf({ attempt });
      const before = hooks.server.requests.length;
      const waiting = environment.run(createActivities(rig.deps).awaitGate, inputOf(canary));
      waiting.catch(() => undefined);
      while (hooks.server.requests.length < before + 3)
        await new Promise((go) => setTimeout(go, 10));
      environment.cancel('CANCELLED');
      await expect(waiting).rejects.toThrow();
    }

    expect(await rig.eventsOf(canary)).toEqual([
      `Warning Halt ${canary.name}.${rig.namespace} advancement waiting for approval gate`,
    ]);
  });

  it('leaves the phase alone when it is open', async () => {
    const canary = await aCanary(hooks.hook('gate', 'confirm-rollout'));

    await hooks.run('awaitGate', inputOf(canary));

    expect((await hooks.statusOf(canary)).phase).toBeUndefined();
  });
});

describe('the outbox', () => {
  const handedOver: EventDelivery[] = [];
  const deps = (eventWebhook = ''): Deps => ({
    ...rig.deps,
    settings: { ...rig.deps.settings, eventWebhook },
    outbox: {
      add: (_canary, deliveries) => {
        for (const delivery of deliveries) {
          if (delivery.kind === 'event-hook') handedOver.push(delivery);
        }
        return Promise.resolve();
      },
    },
  });
  const report = {
    key: '5',
    before: [{ type: 'Normal', message: 'New revision detected! Scaling up podinfo.test' }],
    status: { phase: 'Waiting' },
    after: [
      { type: 'Warning', message: 'one' },
      { type: 'Normal', message: 'two' },
    ],
  } as const;

  beforeEach(() => void handedOver.splice(0));

  it('gets every event for every event hook of the manifest, without its address', async () => {
    const canary = await aCanary(
      hooks.hook('smoke', 'rollout'),
      hooks.hook('all', 'event'),
      hooks.hook('more', 'event'),
    );

    await hooks.run('tell', { canary: refOf(canary), report }, { deps: deps('http://other.test') });

    expect(
      handedOver.map(({ key, hook, event, phase }) => [key, hook, event.message, phase]),
    ).toEqual([
      ['a-run/5/before/0/0', { name: 'all', index: 1 }, report.before[0].message, 'Progressing'],
      ['a-run/5/before/0/1', { name: 'more', index: 2 }, report.before[0].message, 'Progressing'],
      ['a-run/5/after/0/0', { name: 'all', index: 1 }, 'one', ''],
      ['a-run/5/after/0/1', { name: 'more', index: 2 }, 'one', ''],
      ['a-run/5/after/1/0', { name: 'all', index: 1 }, 'two', ''],
      ['a-run/5/after/1/1', { name: 'more', index: 2 }, 'two', ''],
    ]);
    expect(JSON.stringify(handedOver)).not.toContain('http');
  });

  it('gets the same again from another attempt', async () => {
    const canary = await aCanary(hooks.hook('all', 'event'));
    await hooks.run('tell', { canary: refOf(canary), report }, { deps: deps() });
    const keys = handedOver.map(({ key }) => key);

    await hooks.run('tell', { canary: refOf(canary), report }, { deps: deps(), attempt: 2 });

    expect(handedOver.map(({ key }) => key)).toEqual([...keys, ...keys]);
    expect(await rig.eventsOf(canary)).toHaveLength(3);
  });

  it("gets events for the worker's own hook when the manifest names none", async () => {
    const canary = await aCanary(hooks.hook('smoke', 'rollout'));

    await hooks.run('tell', { canary: refOf(canary), report }, { deps: deps('http://own.test') });

    expect(handedOver).toHaveLength(3);
    expect(handedOver[0]).not.toHaveProperty('hook');
  });

  it('gets nothing when there is nobody to deliver to', async () => {
    const canary = await aCanary(hooks.hook('smoke', 'rollout'));

    await hooks.run('tell', { canary: refOf(canary), report }, { deps: deps() });

    expect(handedOver).toEqual([]);
  });
});
