import {
  changedSignal,
  orderSignals,
  orderUpdates,
  stateQuery,
  whyQuery,
} from '../../workflows/messages.js';
import { aGate, aPlan, failed, inWeights, passed } from './fake-cluster.js';
import { failureOf } from './failure-of.js';
import { Rig } from './rig.js';

const alice = { actor: 'alice', reason: 'looks good', revision: 'v2' };
let rig: Rig;

beforeAll(async () => {
  rig = await Rig.open();
}, 60_000);

afterAll(async () => {
  await rig.close();
});

describe('a gate before the promotion', () => {
  const waiting = async (change: Parameters<typeof aPlan>[0] = {}) => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ gates: [aGate('promotion')], ...change });
    const handle = await start();
    await rig.until(handle, ({ gate, announced }) => gate !== undefined && announced);
    return { cluster, handle };
  };

  it('shows that a person is waited for, and goes on the moment one approves', async () => {
    const { cluster, handle } = await waiting({ intervalMs: 60_000, strategy: inWeights() });
    expect(cluster.status.phase).toBe('WaitingPromotion');
    expect(cluster.events).toContain(
      'Halt podinfo.test advancement waiting for promotion approval before-promotion',
    );
    expect((await handle.query(whyQuery))?.waitingFor).toBe(
      'a person: gate before-promotion before the promotion',
    );

    await handle.executeUpdate(orderUpdates.approve, { args: [alice] });

    await expect(handle.result()).resolves.toMatchObject({ outcome: 'promoted' });
    expect((await handle.query(stateQuery))?.approvals).toMatchObject([
      { gate: 'before-promotion', actor: 'alice', reason: 'looks good' },
    ]);
  });

  it('keeps checking meanwhile, and rolls back what turns bad', async () => {
    const { cluster, handle } = await waiting();

    cluster.checks.push({ ...failed }, failed);

    expect((await failureOf(handle)).type).toBe('AnalysisFailed');
    expect(cluster.deeds).not.toContain('promote');
  });

  it('rolls back when it is rejected, and says who did', async () => {
    const { handle } = await waiting();

    await handle.signal(orderSignals.reject, { ...alice, reason: 'not today' });

    const failure = await failureOf(handle);
    expect(failure.type).toBe('Rejected');
    expect(failure.message).toContain('alice rejected gate before-promotion: not today');
  });

  it.each([
    ['somebody else', { ...alice, actor: 'mallory' }, 'not for mallory to decide'],
    ['another gate', { ...alice, gate: 'other' }, 'meant for gate other'],
    ['another revision', { ...alice, revision: 'v1' }, 'meant for revision v1'],
  ])('is not opened by an approval of %s', async (_of, order, reason) => {
    const gates = [aGate('promotion', { approvers: ['alice', 'bob'] })];
    const { cluster, handle } = await waiting({ gates });

    await expect(
      handle.executeUpdate(orderUpdates.approve, { args: [order] }),
    ).rejects.toMatchObject({ cause: { message: expect.stringContaining(reason) as string } });

    expect(cluster.deeds).not.toContain('promote');
    await handle.terminate();
  });

  it('cannot be passed by an order to promote', async () => {
    const { handle } = await waiting();

    await expect(
      handle.executeUpdate(orderUpdates.promote, { args: [alice] }),
    ).rejects.toMatchObject({
      cause: { message: expect.stringContaining('has to be approved first') as string },
    });
    await handle.terminate();
  });

  it.each([
    ['approve', 'promoted'],
    ['reject', 'Rejected'],
  ] as const)('decides by itself (%s) when its time is up', async (onTimeout, end) => {
    const { handle } = await waiting({
      gates: [aGate('promotion', { timeoutMs: 300, onTimeout })],
      intervalMs: 60_000,
      strategy: inWeights(),
    });

    const outcome = await handle.result().then(
      ({ outcome: result }) => result,
      async () => (await failureOf(handle)).type,
    );

    expect(outcome).toBe(end);
  });

  it('goes on holding when its time is up, if it is told to', async () => {
    const { handle } = await waiting({
      gates: [aGate('promotion', { timeoutMs: 200, onTimeout: 'hold' })],
    });

    const { gate } = await rig.until(handle, (state) => state.gate?.deadline === undefined);

    expect(gate?.name).toBe('before-promotion');
    await handle.executeUpdate(orderUpdates.approve, { args: [alice] });
    await expect(handle.result()).resolves.toMatchObject({ outcome: 'promoted' });
  });

  it('opens when it is taken out of the manifest', async () => {
    const { cluster, handle } = await waiting();

    cluster.plan = aPlan({ generation: 2 });
    await handle.signal(changedSignal, { revision: 'v2', generation: 2 });

    await expect(handle.result()).resolves.toMatchObject({ outcome: 'promoted' });
    expect(cluster.deeds).toContain('reconcile');
  });

  it('still waits after the worker was replaced', async () => {
    const { handle } = await waiting({ intervalMs: 60_000, strategy: inWeights() });
    await rig.stopWorker();
    await rig.startWorker();

    await handle.executeUpdate(orderUpdates.approve, { args: [alice] });

    await expect(handle.result()).resolves.toMatchObject({ outcome: 'promoted' });
  });
});

describe('a gate before the rollout', () => {
  it('keeps the target from being scaled up, and is asked again for a newer revision', async () => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ gates: [aGate('rollout')] });
    const handle = await start();
    await rig.until(handle, ({ announced }) => announced);
    expect(cluster.status.phase).toBe('Waiting');
    expect(cluster.deeds).not.toContain('scale up');

    cluster.revision = 'v3';
    await handle.signal(changedSignal, { revision: 'v3', generation: 1 });
    const newest = rig.client.workflow.getHandle(handle.workflowId);
    const next = await rig.until(
      newest as typeof handle,
      (state) => state.revision === 'v3' && state.announced,
    );

    expect(next.gate?.name).toBe('before-rollout');
    await newest.executeUpdate(orderUpdates.approve, { args: [{ ...alice, revision: 'v3' }] });
    await expect(newest.result()).resolves.toMatchObject({ outcome: 'promoted', revision: 'v3' });
  });
});

describe('a gate before an increase', () => {
  it('is asked before each step', async () => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ gates: [aGate('traffic-increase')] });
    const handle = await start();
    for (const weight of [0, 20]) {
      await rig.until(
        handle,
        (state) => state.weight === weight && state.gate !== undefined && state.announced,
      );
      await handle.executeUpdate(orderUpdates.approve, { args: [alice] });
    }

    await expect(handle.result()).resolves.toMatchObject({ outcome: 'promoted' });
    expect(cluster.deeds.filter((deed) => deed.startsWith('route'))).toEqual([
      'route 20',
      'route 40',
      'route 0',
    ]);
  });
});

it('an approval moves no traffic to a revision that came just before it', async () => {
  const { cluster, start } = rig.canary();
  cluster.plan = aPlan({ gates: [aGate('traffic-increase')] });
  const handle = await start();
  await rig.until(handle, ({ gate, announced }) => gate !== undefined && announced);

  cluster.revision = 'v3';
  await handle.executeUpdate(orderUpdates.approve, { args: [alice] });

  const newest = rig.client.workflow.getHandle(handle.workflowId) as typeof handle;
  const { approvals } = await rig.until(
    newest,
    (state) => state.revision === 'v3' && state.gate !== undefined && state.announced,
  );
  expect(approvals).toEqual([]);
  expect(cluster.deeds).not.toContain('route 20');
  await newest.terminate();
});

describe('gates by webhook', () => {
  it('before the rollout are asked until they agree', async () => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ hooks: { 'confirm-rollout': ['ask'] } });
    cluster.gateClosed = true;
    const handle = await start();
    await rig.until(handle, ({ stage }) => stage === 'gating');
    expect((await handle.query(whyQuery))?.waitingFor).toContain('confirm-rollout');

    cluster.gateClosed = false;

    await expect(handle.result()).resolves.toMatchObject({ outcome: 'promoted' });
  });

  it('before the promotion are asked with every check, and hold it', async () => {
    const { cluster, start } = rig.canary();
    const closed = { ...passed, closed: { type: 'confirm-promotion', hook: 'ask' } } as const;
    cluster.plan = aPlan({ strategy: inWeights(20), hooks: { 'confirm-promotion': ['ask'] } });
    cluster.checks.push(closed, closed);
    const handle = await start();

    await expect(handle.result()).resolves.toMatchObject({ outcome: 'promoted' });
    expect(cluster.deeds.filter((deed) => deed === 'check 20')).toHaveLength(3);
  });
});

describe('a release that fails may be held', () => {
  it('for a person to decide', async () => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ onFailure: 'hold' });
    cluster.checks.push({ ...failed }, failed);
    const handle = await start();
    await rig.until(handle, ({ stage, announced }) => stage === 'holding' && announced);
    expect(cluster.deeds).not.toContain('roll back');

    await handle.executeUpdate(orderUpdates.retry, { args: [alice] });

    await expect(handle.result()).resolves.toMatchObject({ outcome: 'promoted' });
  });
});

describe('a newer revision', () => {
  it.each(['queue', 'refuse'] as const)('is put back while one is released: %s', async (policy) => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ intervalMs: 300, onNewRevision: policy });
    const handle = await start();
    await rig.until(handle, ({ weight }) => weight === 20);

    cluster.revision = 'v3';
    await handle.signal(changedSignal, { revision: 'v3', generation: 1 });

    const revision = policy === 'queue' ? 'v3' : 'v2';
    await expect(handle.result()).resolves.toEqual({ outcome: 'promoted', revision });
    expect(cluster.deeds.filter((deed) => deed.startsWith('put back'))).toEqual(
      policy === 'queue' ? ['put back v2', 'put back v3'] : ['put back v2'],
    );
    expect(cluster.deeds.filter((deed) => deed === 'promote')).toHaveLength(
      policy === 'queue' ? 2 : 1,
    );
  });
});

it('a Canary that is being deleted is given back what it took, in the middle of a release', async () => {
  const { cluster, start } = rig.canary();
  cluster.plan = aPlan({ intervalMs: 60_000 });
  const handle = await start();
  await rig.until(handle, ({ weight }) => weight === 20);

  cluster.surveyed = { kind: 'deleting', plan: aPlan({ generation: 2 }), status: cluster.status };
  await handle.signal(changedSignal, { revision: 'v2', generation: 2 });

  await expect(handle.result()).resolves.toMatchObject({ outcome: 'reverted' });
  expect(cluster.deeds.at(-1)).toBe('revert');
});
