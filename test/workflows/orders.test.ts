import { WithStartWorkflowOperation, WorkflowUpdateFailedError } from '@temporalio/client';

import { releaseId } from '../../domain/release.js';
import {
  changedSignal,
  orderSignals,
  orderUpdates,
  planQuery,
  releaseUpdate,
  stateQuery,
  whyQuery,
} from '../../workflows/messages.js';
import { release } from '../../workflows/release.js';
import { failureOf } from './failure-of.js';
import { aPlan, inWeights } from './fake-cluster.js';
import { Rig } from './rig.js';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.open();
}, 120_000);
afterAll(() => rig.close());

const alice = { actor: 'alice', revision: 'v2' };

describe('orders', () => {
  const slow = aPlan({ intervalMs: 60_000 });

  it.each([
    ['promote', ['promote', 'await primary', 'route 0', 'finish']],
    ['retry', ['route 0', 'await canary', 'check 0', 'route 20']],
  ] as const)('%s acts at once', async (name, deeds) => {
    const { cluster, start } = rig.canary();
    cluster.plan = slow;
    const handle = await start();
    await rig.until(handle, ({ weight }) => weight === 20);
    const before = cluster.deeds.length;

    const receipt = await handle.executeUpdate(orderUpdates[name], { args: [alice] });
    while (cluster.deeds.length < before + deeds.length) await new Promise(setImmediate);

    expect(receipt.revision).toBe('v2');
    expect(cluster.deeds.slice(before)).toEqual(deeds);
    await handle.terminate();
  });

  it('rollback ends the release with who asked and why', async () => {
    const { cluster, start } = rig.canary();
    cluster.plan = slow;
    const handle = await start();
    await rig.until(handle, ({ weight }) => weight === 20);

    await handle.executeUpdate(orderUpdates.rollback, { args: [{ ...alice, reason: 'slow' }] });
    const failure = await failureOf(handle);

    expect(failure.type).toBe('RolledBack');
    expect(failure.details?.[0]).toMatchObject({ actor: 'alice', reason: 'slow' });
    expect(cluster.deeds.at(-1)).toBe('roll back');
  });

  it('rollback gives the primary its old revision back while it is being promoted', async () => {
    const { cluster, start } = rig.canary();
    cluster.pods.push({ ready: true }, 'wait');
    const handle = await start();
    await rig.until(handle, ({ stage }) => stage === 'awaiting-primary');

    await handle.executeUpdate(orderUpdates.rollback, { args: [alice] });

    expect((await failureOf(handle)).type).toBe('RolledBack');
    expect(cluster.deeds.at(-1)).toBe('roll back to 1');
  });

  it('rollback does not wait for pods', async () => {
    const { cluster, start } = rig.canary();
    cluster.pods.push('wait');
    const handle = await start();
    await rig.until(handle, ({ stage }) => stage === 'awaiting-canary');

    await handle.executeUpdate(orderUpdates.rollback, { args: [alice] });

    expect((await failureOf(handle)).type).toBe('RolledBack');
    expect(cluster.deeds).toEqual(['scale up', 'await canary', 'roll back']);
  });

  it('rollback interrupts a write that keeps failing', async () => {
    const { cluster, start } = rig.canary();
    cluster.faults.route = Array.from({ length: 100 }, () => new Error('gateway says no'));
    const handle = await start();
    await rig.until(handle, ({ stage }) => stage === 'analysing');

    await handle.executeUpdate(orderUpdates.rollback, { args: [alice] });

    expect((await failureOf(handle)).type).toBe('RolledBack');
  });

  it('pause holds and resume goes on, and the time people took is known', async () => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ intervalMs: 400 });
    const handle = await start();
    await rig.until(handle, ({ weight }) => weight === 20);

    await handle.executeUpdate(orderUpdates.pause, { args: [alice] });
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(cluster.deeds).not.toContain('check 20');
    expect(await handle.query(whyQuery)).toMatchObject({
      waitingFor: 'a person: paused by alice',
    });
    await handle.executeUpdate(orderUpdates.resume, { args: [alice] });

    await handle.result();
    expect((await handle.query(stateQuery))?.waitedForPeopleMs).toBeGreaterThanOrEqual(600);
  });

  it('spec.suspend holds until it is unset', async () => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ intervalMs: 2_000 });
    const handle = await start();
    await rig.until(handle, ({ weight }) => weight === 20);

    cluster.plan = aPlan({ suspended: true, generation: 2 });
    await handle.signal(changedSignal, { revision: 'v2', generation: 2 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await handle.query(whyQuery))?.waitingFor).toContain('spec.suspend');
    cluster.plan = aPlan({ generation: 3 });
    await handle.signal(changedSignal, { revision: 'v2', generation: 3 });

    await expect(handle.result()).resolves.toMatchObject({ outcome: 'promoted' });
  });

  it.each([
    ['approve', alice, /nothing waits for approval/],
    ['reject', alice, /nothing waits for approval .*possible now: promote, rollback, pause, retry/],
    ['resume', alice, /it is not paused/],
    ['rollback', { ...alice, revision: 'v9' }, /meant for revision v9, but the release is of v2/],
    ['rollback', { actor: '', revision: 'v2' }, /needs an actor/],
    ['rollback', { actor: 'alice' }, /needs the revision it is meant for \(now: v2\)/],
  ] as const)('%s is refused with a sentence: %j', async (name, order, sentence) => {
    const { cluster, start } = rig.canary();
    cluster.plan = slow;
    const handle = await start();
    await rig.until(handle, ({ weight }) => weight === 20);

    const error: unknown = await handle
      .executeUpdate(orderUpdates[name], { args: [order as typeof alice] })
      .catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
    expect((error as WorkflowUpdateFailedError).cause?.message).toMatch(sentence);
    expect((await handle.query(stateQuery))?.stage).toBe('analysing');
    await handle.terminate();
  });

  it('work as signals too, and a refused one changes nothing', async () => {
    const { cluster, start } = rig.canary();
    cluster.plan = slow;
    const handle = await start();
    await rig.until(handle, ({ weight }) => weight === 20);

    await handle.signal(orderSignals.rollback, { actor: 'bob', revision: 'other' });
    await handle.signal(orderSignals.promote, { actor: 'bob', revision: 'v2' });

    await expect(handle.result()).resolves.toMatchObject({ outcome: 'promoted' });
  });

  it('a request of CI sets the image and releases it, joined by a second one', async () => {
    const { cluster, canary } = rig.canary();
    cluster.plan = aPlan({ intervalMs: 1_000, strategy: inWeights(50) });
    const ask = async (image: string) => {
      const start = new WithStartWorkflowOperation(release, {
        workflowId: releaseId(canary),
        taskQueue: rig.queue,
        args: [{ canary, trigger: { kind: 'request' } }],
        workflowIdConflictPolicy: 'USE_EXISTING',
      });
      return rig.client.workflow.executeUpdateWithStart(releaseUpdate, {
        args: [{ actor: 'ci', images: { app: image } }],
        startWorkflowOperation: start,
      });
    };

    await expect(ask('v5')).resolves.toMatchObject({ revision: 'v5' });
    await expect(ask('v5')).resolves.toMatchObject({ revision: 'v5' });

    const handle = rig.client.workflow.getHandle<typeof release>(releaseId(canary));
    await expect(handle.result()).resolves.toEqual({ outcome: 'promoted', revision: 'v5' });
    expect(cluster.deeds.filter((deed) => deed === 'scale up')).toHaveLength(1);
  });

  it('the plan query tells what is done and what is to do', async () => {
    const { cluster, start } = rig.canary();
    cluster.plan = slow;
    const handle = await start();
    await rig.until(handle, ({ weight }) => weight === 20);

    const steps = await handle.query(planQuery);

    expect(steps.map(({ state }) => state)).toEqual([
      'done',
      'now',
      'to do',
      'to do',
      'to do',
      'to do',
    ]);
    await handle.terminate();
  });
});
