import { jest } from '@jest/globals';

import { aPlan } from './fake-cluster.js';
import { Rig, type ReleaseHandle } from './rig.js';

/**
 * 30 days of a check every 10 minutes are 4,320 checks, here a few milliseconds apart; by default
 * fewer are made, in runs shortened as much, so that the suite stays short. All of them:
 * `LONG_CANARY_CHECKS=4320 npm test -- cluster`.
 */
const aMonth = 4_320;
const checks = Number(process.env['LONG_CANARY_CHECKS'] ?? 240);
/** As many fresh runs as the whole month has. */
const maxEvents = Math.ceil((4_000 * checks) / aMonth);
const restarts = 3;

jest.setTimeout(120_000 + checks * 500);

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.open();
}, 120_000);
afterAll(() => rig.close(), 60_000);

it(`a canary of ${String(checks)} checks is promoted, over many runs and restarts of the worker`, async () => {
  const { cluster, start } = rig.canary();
  cluster.plan = aPlan({ strategy: { kind: 'ab-testing', iterations: checks }, intervalMs: 1 });
  const begun = Date.now();
  const handle = await start({ kind: 'change' }, maxEvents);
  for (const part of Array.from({ length: restarts }, (_, place) => (place + 1) / (restarts + 1))) {
    await until(() => checksOf(cluster.deeds) >= checks * part);
    await rig.stopWorker();
    await rig.startWorker();
  }

  await expect(handle.result()).resolves.toEqual({ outcome: 'promoted', revision: 'v2' });
  const tookMs = Date.now() - begun;

  expect(cluster.status).toMatchObject({ phase: 'Succeeded', lastPromotedSpec: 'v2' });
  expect(cluster.events.filter((text) => text.startsWith('Advance'))).toEqual(
    Array.from(
      { length: checks },
      (_, done) => `Advance podinfo.test canary iteration ${String(done + 1)}/${String(checks)}`,
    ),
  );
  expect(cluster.deeds.filter((deed) => deed === 'promote')).toHaveLength(1);

  const runs = await runsOf(handle);
  const events = Math.max(...runs.map(({ length }) => length));
  const bytes = Math.max(...runs.map(({ size }) => size));
  process.stderr.write(
    `long canary: ${String(checksOf(cluster.deeds))} checks in ${String(tookMs)} ms, ${String(runs.length)} runs, ` +
      `${String(restarts)} restarts; largest history ${String(events)} events, ${String(bytes)} bytes\n`,
  );
  expect(runs.length).toBeGreaterThan(5);
  // What goes over into the next run must not grow from run to run.
  const [, second = 0, ...later] = runs.map(({ size }) => size);
  expect(Math.max(...later)).toBeLessThan(second * 1.5);
  expect(events).toBeLessThan(maxEvents + 100);
});

function checksOf(deeds: readonly string[]): number {
  return deeds.filter((deed) => deed.startsWith('check')).length;
}

async function until(isReached: () => boolean): Promise<void> {
  while (!isReached()) await new Promise((resolve) => setTimeout(resolve, 20));
}

type HistoryEvent = NonNullable<
  Awaited<ReturnType<ReleaseHandle['fetchHistory']>>['events']
>[number];

/** Length and size of the history of each run, first to last. */
async function runsOf({
  workflowId,
  firstExecutionRunId,
}: ReleaseHandle): Promise<{ readonly length: number; readonly size: number }[]> {
  const runs: { length: number; size: number }[] = [];
  let runId = firstExecutionRunId;
  while (runId !== '') {
    const run = rig.client.workflow.getHandle(workflowId, runId);
    const { historyLength, historySize = 0 } = await run.describe();
    runs.push({ length: historyLength, size: historySize });
    const last: HistoryEvent | undefined = (await run.fetchHistory()).events?.at(-1);
    runId = last?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? '';
  }
  return runs;
}
