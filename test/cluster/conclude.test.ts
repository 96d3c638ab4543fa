import { jest } from '@jest/globals';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Worker, type WorkflowBundle } from '@temporalio/worker';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';

import { createActivities } from '../../activities/index.js';
import { silence } from '../activities/hook-server.js';
import { quietRuntime } from '../workflows/rig.js';
import type { conclude } from './conclude-workflow.js';
import { openHooksRig, refOf, type HooksRig } from './hooks-rig.js';

jest.setTimeout(60_000);

const taskQueue = `conclude-${randomUUID()}`;
let hooks: HooksRig;
let env: TestWorkflowEnvironment;
let bundle: WorkflowBundle;

beforeAll(async () => {
  quietRuntime();
  hooks = await openHooksRig(`conclude-${String(process.pid)}`);
  const address = process.env['TEMPORAL_ADDRESS'] ?? '';
  env = await TestWorkflowEnvironment.createFromExistingServer({ address });
  bundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('./conclude-workflow.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
}, 120_000);
afterAll(async () => {
  await hooks.base.stop();
  await env.teardown();
});
beforeEach(() => hooks.beginTest());
afterEach(() => hooks.endTest());

/** Runs a worker until the work it is there for is done. */
async function withWorker<T>(work: () => Promise<T>): Promise<T> {
  const worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue,
    workflowBundle: bundle,
    activities: { conclude: createActivities(hooks.base.deps).conclude },
    maxHeartbeatThrottleInterval: '200 ms',
    shutdownGraceTime: '100 ms',
    stickyQueueScheduleToStartTimeout: '1 second',
  });
  return worker.runUntil(work);
}

async function begin(): Promise<{ result(): Promise<void>; events(): Promise<string[]> }> {
  const webhooks = [hooks.hook('one', 'post-rollout'), hooks.hook('two', 'post-rollout')];
  const canary = await hooks.base.aCanary({ analysis: { webhooks } });
  const handle = await env.client.workflow.start<typeof conclude>('conclude', {
    workflowId: randomUUID(),
    taskQueue,
    args: [{ canary: refOf(canary), report: { key: '9' } }],
  });
  return { result: () => handle.result(), events: () => hooks.base.eventsOf(canary) };
}

const passed = ['Normal Post-rollout check one passed', 'Normal Post-rollout check two passed'];

it('calls a hook that failed again, and no other', async () => {
  const { result, events } = await begin();
  hooks.server.answer(500);

  await withWorker(result);

  expect(hooks.server.paths).toEqual(['/one', '/two', '/one']);
  expect((await events()).filter((event) => event.startsWith('Normal'))).toEqual(
    [...passed].reverse(),
  );
});

it('goes on behind the hooks that were called when its worker is replaced', async () => {
  const { result, events } = await begin();
  hooks.server.answer(200, silence);

  await withWorker(async () => {
    while (hooks.server.paths.length < 2) await new Promise((go) => setTimeout(go, 20));
  });
  await withWorker(result);

  expect(hooks.server.paths).toEqual(['/one', '/two', '/two']);
  expect(await events()).toEqual(passed);
});
