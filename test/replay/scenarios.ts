import { ApplicationFailure } from '@temporalio/common';

import { changedSignal, orderUpdates } from '../../workflows/messages.js';
import { aGate, aPlan, failed, inWeights, passed } from '../workflows/fake-cluster.js';
import type { ReleaseHandle, Rig } from '../workflows/rig.js';

const alice = { actor: 'alice', reason: 'to see', revision: 'v2' };

/** The main paths of a release. Each returns the handle whose history is to be kept. */
export const scenarios: Readonly<Record<string, (rig: Rig) => Promise<ReleaseHandle>>> = {
  promoted: async (rig) => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ strategy: inWeights(10, 20, 30, 40, 50) });
    return ended(await start());
  },
  initialised: async (rig) => {
    const { cluster, start } = rig.canary();
    cluster.status = {};
    return ended(await start());
  },
  'rolled back by its metrics': async (rig) => {
    const { cluster, start } = rig.canary();
    cluster.checks.push({ ...failed }, failed);
    return ended(await start());
  },
  'rolled back by a person': async (rig) => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ intervalMs: 60_000 });
    const handle = await start();
    await rig.until(handle, ({ weight }) => weight === 20);
    await handle.executeUpdate(orderUpdates.rollback, { args: [alice] });
    return ended(handle);
  },
  'rolled back in the promotion': async (rig) => {
    const { cluster, start } = rig.canary();
    cluster.pods.push({ ready: true }, 'wait');
    const handle = await start();
    await rig.until(handle, ({ stage }) => stage === 'awaiting-primary');
    await handle.executeUpdate(orderUpdates.rollback, { args: [alice] });
    return ended(handle);
  },
  'promotion failed': async (rig) => {
    const { cluster, start } = rig.canary();
    cluster.pods.push({ ready: true }, { ready: false, reason: 'crashing' });
    return ended(await start());
  },
  'paused, resumed and promoted by a person': async (rig) => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ intervalMs: 1_000 });
    const handle = await start();
    await rig.until(handle, ({ weight }) => weight === 20);
    await handle.executeUpdate(orderUpdates.pause, { args: [alice] });
    await handle.executeUpdate(orderUpdates.resume, { args: [alice] });
    await handle.executeUpdate(orderUpdates.promote, { args: [alice] });
    return ended(handle);
  },
  'superseded by a newer revision': async (rig) => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ intervalMs: 2_000 });
    const handle = await start();
    await rig.until(handle, ({ weight }) => weight === 20);
    cluster.revision = 'v3';
    cluster.plan = aPlan();
    await handle.signal(changedSignal, { revision: 'v3', generation: 1 });
    return ended(handle);
  },
  'stepped promotion, with pods lost on the way': async (rig) => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ stepWeightPromotion: 30 });
    cluster.checks.push({ verdict: 'unready', role: 'canary', reason: 'pods lost' });
    return ended(await start());
  },
  'mirrored, then with cookies': async (rig) => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({
      strategy: { kind: 'weighted', weights: [20], mirror: true },
      affinity: { cookieName: 'stay' },
    });
    return ended(await start());
  },
  'A/B testing': async (rig) => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ strategy: { kind: 'ab-testing', iterations: 3 } });
    return ended(await start());
  },
  'Blue/Green behind webhooks': async (rig) => {
    const { cluster, start } = rig.canary();
    const closed = { ...passed, closed: { type: 'confirm-promotion', hook: 'ask' } } as const;
    cluster.plan = aPlan({
      strategy: { kind: 'blue-green', iterations: 2, mirror: false, routed: true },
      hooks: { 'confirm-rollout': ['may'], 'confirm-promotion': ['ask'], 'post-rollout': ['tell'] },
    });
    cluster.checks.push(passed, closed);
    return ended(await start());
  },
  'let through by people': async (rig) => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({
      intervalMs: 1_000,
      strategy: inWeights(20),
      gates: [aGate('rollout'), aGate('traffic-increase'), aGate('promotion')],
    });
    const handle = await start();
    for (const gate of ['before-rollout', 'before-traffic-increase', 'before-promotion']) {
      await rig.until(handle, (state) => state.gate?.name === gate && state.announced);
      await handle.executeUpdate(orderUpdates.approve, { args: [alice] });
    }
    return ended(handle);
  },
  'rejected when its time was up': async (rig) => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ gates: [aGate('promotion', { timeoutMs: 200 })] });
    return ended(await start());
  },
  'held, and taken back by a person': async (rig) => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ onFailure: 'hold' });
    cluster.checks.push({ ...failed }, failed);
    const handle = await start();
    await rig.until(handle, ({ stage, announced }) => stage === 'holding' && announced);
    await handle.executeUpdate(orderUpdates.rollback, { args: [alice] });
    return ended(handle);
  },
  'kept from a newer revision, which is released behind it': async (rig) => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ intervalMs: 500, onNewRevision: 'queue' });
    const handle = await start();
    await rig.until(handle, ({ weight }) => weight === 20);
    cluster.revision = 'v3';
    await handle.signal(changedSignal, { revision: 'v3', generation: 1 });
    return ended(handle);
  },
  'recovered from a failed promotion': async (rig) => {
    const { cluster, start } = rig.canary();
    cluster.status = { ...cluster.status, phase: 'Failed', canaryWeight: 100 };
    return ended(await start());
  },
  'edited, then deleted': async (rig) => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ intervalMs: 500 });
    const handle = await start();
    await rig.until(handle, ({ weight }) => weight === 20);
    cluster.plan = aPlan({ intervalMs: 500, generation: 2 });
    await handle.signal(changedSignal, { revision: 'v2', generation: 2 });
    await rig.until(handle, ({ reconciled }) => reconciled === 2);
    cluster.surveyed = { kind: 'deleting', plan: aPlan({ generation: 3 }), status: cluster.status };
    await handle.signal(changedSignal, { revision: 'v2', generation: 3 });
    return ended(handle);
  },
  'skipped analysis': async (rig) => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ skipAnalysis: true });
    return ended(await start());
  },
  'went on in a fresh run': async (rig) => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ strategy: inWeights(10, 20, 30, 40) });
    return ended(await start({ kind: 'change' }, 60));
  },
  'told of by alerts: promoted behind webhooks': async (rig) => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ hooks: { 'confirm-rollout': ['may'], 'post-rollout': ['tell'] } });
    return ended(await start());
  },
  'told of by alerts: held, and taken back by a person': async (rig) => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ onFailure: 'hold', gates: [aGate('rollout')] });
    cluster.checks.push({ ...failed }, failed);
    const handle = await start();
    await rig.until(handle, ({ gate, announced }) => gate !== undefined && announced);
    await handle.executeUpdate(orderUpdates.approve, { args: [alice] });
    await rig.until(handle, ({ stage, announced }) => stage === 'holding' && announced);
    await handle.executeUpdate(orderUpdates.rollback, { args: [alice] });
    return ended(handle);
  },
  'told of by alerts: stuck in the promotion, and helped out': async (rig) => {
    const { cluster, start } = rig.canary();
    cluster.faults.finish = [ApplicationFailure.nonRetryable('no such target', 'InvalidSpec')];
    const handle = await start();
    await rig.until(handle, ({ blocked, announced }) => blocked !== undefined && announced);
    cluster.plan = aPlan({ generation: 2 });
    await handle.signal(changedSignal, { revision: 'v2', generation: 2 });
    return ended(handle);
  },
};

async function ended(handle: ReleaseHandle): Promise<ReleaseHandle> {
  await handle.result().catch(() => undefined);
  return handle;
}
