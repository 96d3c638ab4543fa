import type { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';

import { changedSignal, whyQuery } from '../../workflows/messages.js';
import { failureOf } from './failure-of.js';
import { aPlan, inWeights, failed } from './fake-cluster.js';
import { Rig, type ReleaseHandle } from './rig.js';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.open();
}, 120_000);
afterAll(() => rig.close());

async function replays(handle: ReleaseHandle): Promise<void> {
  await Worker.runReplayHistory({ workflowBundle: rig.bundle }, await handle.fetchHistory());
}

describe('a release', () => {
  it('shifts traffic step by step, promotes, and replays', async () => {
    const { cluster, start } = rig.canary();

    const handle = await start();

    await expect(handle.result()).resolves.toEqual({ outcome: 'promoted', revision: 'v2' });
    expect(cluster.deeds).toEqual([
      'scale up',
      'await canary',
      'check 0',
      'route 20',
      'check 20',
      'route 40',
      'check 40',
      'promote',
      'await primary',
      'route 0',
      'finish',
    ]);
    expect(cluster.events).toEqual([
      'New revision detected! Scaling up podinfo.test',
      'Starting canary analysis for podinfo.test',
      'Advance podinfo.test canary weight 20',
      'Advance podinfo.test canary weight 40',
      'Copying podinfo.test template spec to podinfo-primary.test',
      'Routing all traffic to primary',
      'Promotion completed! Scaling down podinfo.test',
    ]);
    expect(cluster.status).toMatchObject({
      phase: 'Succeeded',
      canaryWeight: 0,
      lastAppliedSpec: 'v2',
      lastPromotedSpec: 'v2',
    });
    await replays(handle);
  });

  it('initialises a new canary', async () => {
    const { cluster, start } = rig.canary();
    cluster.status = {};

    const handle = await start();

    await expect(handle.result()).resolves.toEqual({ outcome: 'initialised', revision: 'v2' });
    expect(cluster.deeds).toEqual(['prepare', 'await primary', 'initialise']);
    expect(cluster.events).toEqual(['Initialization done! podinfo.test']);
  });

  it('has nothing to do for the promoted revision', async () => {
    const { cluster, start } = rig.canary();
    cluster.revision = 'v1';

    const handle = await start();

    await expect(handle.result()).resolves.toEqual({ outcome: 'unchanged', revision: 'v1' });
    expect(cluster.deeds).toEqual([]);
  });

  it('rolls back at the threshold and fails with the deciding check', async () => {
    const { cluster, start } = rig.canary();
    cluster.checks.push(failed, failed);

    const handle = await start();
    const failure = await failureOf(handle);

    expect(failure.type).toBe('AnalysisFailed');
    expect(failure.details?.[0]).toMatchObject({
      revision: 'v2',
      check: 'request-success-rate',
      value: 42,
      threshold: '>= 99',
    });
    expect(cluster.deeds.slice(-3)).toEqual(['check 20', 'check 20', 'roll back']);
    expect(cluster.events.slice(-2)).toEqual([
      'Rolling back podinfo.test failed checks threshold reached 2',
      'Canary failed! Scaling down podinfo.test',
    ]);
    expect(cluster.status).toMatchObject({ phase: 'Failed', canaryWeight: 0, failedChecks: 0 });
    await replays(handle);
  });

  it('rolls back when the canary pods never come', async () => {
    const { cluster, start } = rig.canary();
    cluster.pods.push({
      ready: false,
      reason: 'deployment "podinfo" exceeded its progress deadline',
    });

    const failure = await failureOf(await start());

    expect(failure.type).toBe('DeadlineExceeded');
    expect(cluster.deeds).toEqual(['scale up', 'await canary', 'roll back']);
  });

  it('sends everything to the canary when the primary breaks during promotion', async () => {
    const { cluster, start } = rig.canary();
    cluster.pods.push({ ready: true }, { ready: false, reason: 'crashing' });

    const failure = await failureOf(await start());

    expect(failure.type).toBe('DeadlineExceeded');
    expect(cluster.deeds.at(-1)).toBe('route 100');
    expect(cluster.status).toMatchObject({ phase: 'Failed', canaryWeight: 100 });
    expect(cluster.events.at(-1)).toBe(
      'Promotion of podinfo.test failed, primary not ready: crashing',
    );
  });

  it('waits for lost pods and goes on with a check at once', async () => {
    const { cluster, start } = rig.canary();
    cluster.checks.push({ verdict: 'unready', role: 'canary', reason: 'pods lost' });

    await (await start()).result();

    expect(cluster.deeds.slice(3, 8)).toEqual([
      'route 20',
      'check 20',
      'await canary',
      'check 20',
      'route 40',
    ]);
  });

  it('shifts back in steps when the manifest asks for it', async () => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ strategy: inWeights(50), stepWeightPromotion: 30 });

    await (await start()).result();

    expect(cluster.deeds.slice(-3)).toEqual(['route 20', 'route 0', 'finish']);
    expect(cluster.events).toContain('Advance podinfo.test primary weight 80');
  });

  it('promotes without analysis when the manifest skips it', async () => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ skipAnalysis: true });

    await (await start()).result();

    expect(cluster.deeds).toEqual([
      'scale up',
      'await canary',
      'promote',
      'await primary',
      'finish',
    ]);
    expect(cluster.events.at(-1)).toBe(
      'Promotion completed! Canary analysis was skipped for podinfo.test',
    );
  });

  it('restarts for a newer revision in a run of its own', async () => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ intervalMs: 2_000 });
    const handle = await start();
    await rig.until(handle, ({ weight }) => weight === 20);

    cluster.plan = aPlan();
    cluster.revision = 'v3';
    await handle.signal(changedSignal, { revision: 'v3', generation: 1 });

    await expect(handle.result()).resolves.toEqual({ outcome: 'promoted', revision: 'v3' });
    expect(cluster.events).toContain('New revision detected! Restarting analysis for podinfo.test');
    expect(cluster.deeds.slice(3, 8)).toEqual([
      'route 20',
      'route 0',
      'await canary',
      'check 0',
      'route 20',
    ]);
    expect(cluster.deeds.filter((deed) => deed === 'scale up')).toHaveLength(1);
  });

  it('takes the release back when the target returns to the promoted revision', async () => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ intervalMs: 5_000 });
    const handle = await start();
    await rig.until(handle, ({ weight }) => weight === 20);

    cluster.revision = 'v1';
    await handle.signal(changedSignal, { revision: 'v1', generation: 1 });

    expect((await failureOf(handle)).type).toBe('Reverted');
    expect(cluster.deeds.at(-1)).toBe('roll back');
  });

  it('never promotes a revision it has not analysed', async () => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ strategy: inWeights(50) });
    const promote = cluster.promote;
    let changed = false;
    cluster.promote = (input) => {
      if (!changed) cluster.revision = 'v3';
      changed = true;
      return promote(input);
    };

    const handle = await start();

    await expect(handle.result()).resolves.toEqual({ outcome: 'promoted', revision: 'v3' });
    expect(cluster.deeds.filter((deed) => deed === 'check 50')).toHaveLength(2);
  });

  it('makes a canary safe that a lost run left mid-way', async () => {
    const { cluster, start } = rig.canary();
    cluster.status = {
      phase: 'Progressing',
      canaryWeight: 40,
      lastAppliedSpec: 'v2',
      lastPromotedSpec: 'v1',
    };

    const failure = await failureOf(await start());

    expect(failure.type).toBe('Abandoned');
    expect(cluster.deeds).toEqual(['roll back']);
  });

  it('finishes a promotion that a lost run left mid-way', async () => {
    const { cluster, start } = rig.canary();
    cluster.status = {
      phase: 'Promoting',
      canaryWeight: 40,
      lastAppliedSpec: 'v2',
      lastPromotedSpec: 'v1',
    };

    await (await start()).result();

    expect(cluster.deeds).toEqual(['promote', 'await primary', 'route 0', 'finish']);
  });

  it('fails at once, with the reason, for a manifest that cannot be released', async () => {
    const { cluster, start } = rig.canary();
    cluster.surveyed = { kind: 'invalid', problems: ['deployment podinfo.test not found'] };

    const failure = await failureOf(await start());

    expect(failure.type).toBe('InvalidSpec');
    expect(failure.message).toBe('deployment podinfo.test not found');
    expect(cluster.events).toEqual(['deployment podinfo.test not found']);
  });

  it('retries an activity until the cluster answers again', async () => {
    const { cluster, start } = rig.canary();
    cluster.faults.route = [new Error('connection refused'), new Error('connection refused')];

    await (await start()).result();

    expect(cluster.deeds.filter((deed) => deed === 'route 20')).toHaveLength(1);
  });

  it('rolls back when an activity says the manifest is at fault', async () => {
    const { cluster, start } = rig.canary();
    cluster.faults.route = [ApplicationFailure.nonRetryable('no such match', 'InvalidSpec')];

    const failure = await failureOf(await start());

    expect(failure.type).toBe('InvalidSpec');
    expect(failure.message).toContain('no such match');
    expect(cluster.deeds.at(-1)).toBe('roll back');
  });

  it('stays safe and waits when not even the rollback is possible, and goes on once it is', async () => {
    const { cluster, start } = rig.canary();
    const impossible = () => ApplicationFailure.nonRetryable('no such match', 'InvalidSpec');
    cluster.faults.route = [impossible()];
    cluster.faults.rollBack = [impossible()];
    const handle = await start();
    await rig.until(handle, ({ blocked }) => blocked !== undefined);

    expect((await handle.query(whyQuery))?.waitingFor).toBe(
      'a change of the manifest: no such match',
    );
    await handle.signal(changedSignal, { revision: 'v2', generation: 2 });

    expect((await failureOf(handle)).type).toBe('InvalidSpec');
    expect(cluster.deeds.at(-1)).toBe('roll back');
  });

  it('goes on in a fresh run, where it was, before its history grows long', async () => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ strategy: inWeights(10, 20, 30, 40, 50, 60) });

    const handle = await start({ kind: 'change' }, 60);

    await expect(handle.result()).resolves.toEqual({ outcome: 'promoted', revision: 'v2' });
    expect(cluster.deeds.filter((deed) => deed.startsWith('route'))).toEqual(
      [10, 20, 30, 40, 50, 60, 0].map((weight) => `route ${String(weight)}`),
    );
    const last = await rig.client.workflow.getHandle(handle.workflowId).describe();
    expect(last.runId).not.toBe(handle.firstExecutionRunId);
  });

  it('puts everything back before it closes as cancelled', async () => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ intervalMs: 5_000 });
    const handle = await start();
    await rig.until(handle, ({ weight }) => weight === 20);

    await handle.cancel();

    const error: unknown = await handle.result().catch((reason: unknown) => reason);
    expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
    expect(cluster.deeds.at(-1)).toBe('roll back');
  });
});

describe('a worker that stops', () => {
  it('leaves the release as it is, and another one goes on', async () => {
    const { cluster, start } = rig.canary();
    cluster.plan = aPlan({ intervalMs: 1_500 });
    const handle = await start();
    await rig.until(handle, ({ weight }) => weight === 20);

    await rig.stopWorker();
    const deeds = cluster.deeds.length;
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(cluster.deeds).toHaveLength(deeds);
    await rig.startWorker();

    await expect(handle.result()).resolves.toMatchObject({ outcome: 'promoted' });
    expect(cluster.deeds.filter((deed) => deed.startsWith('route'))).toEqual([
      'route 20',
      'route 40',
      'route 0',
    ]);
  });
});
