import { changedSignal, orderUpdates } from '../../workflows/messages.js';
import { aPlan, failed } from '../workflows/fake-cluster.js';
import type { ReleaseHandle, Rig } from '../workflows/rig.js';

const alice = { actor: 'alice', reason: 'to see', revision: 'v2' };

/** The main paths of a release. Each returns the handle whose history is to be kept. */
export const scenarios: Readonly<Record<string, (rig: Rig) => Promise<ReleaseHandle>>> = {
  promoted: async (rig) => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ weights: [10, 20, 30, 40, 50] });
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
  'skipped analysis': async (rig) => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ skipAnalysis: true });
    return ended(await start());
  },
  'went on in a fresh run': async (rig) => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ weights: [10, 20, 30, 40] });
    return ended(await start({ kind: 'change' }, 60));
  },
};

async function ended(handle: ReleaseHandle): Promise<ReleaseHandle> {
  await handle.result().catch(() => undefined);
  return handle;
}
