import { jest } from '@jest/globals';

import type { WaitingGate } from '../../domain/release.js';
import { killApiServer, killTemporal, killWorker } from './blows.js';
import { openStage, until, type App, type AppOptions, type Stage } from './stage.js';

jest.setTimeout(240_000);

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
}, 180_000);
afterAll(() => stage.close(), 60_000);

const actor = 'a test';
/** The target's pods end at once, so that the next release need not wait for them. */
const env = { DRAIN_MS: '0' };

/** Twenty steps, each of which a person has to agree to. */
const gated: AppOptions = {
  env,
  analysis: {
    ...{ interval: '1s', maxWeight: 100, stepWeight: 5 },
    gates: [{ name: 'sign-off', before: 'traffic-increase', approvers: [actor] }],
  },
};

describe('a gate before each increase', () => {
  let app: App;

  beforeAll(async () => {
    app = await stage.open('gates', gated);
    await app.initialised();
  });

  it('lets the traffic shift the moment it is approved', async () => {
    await app.setImage('1.1.0');
    const times: number[] = [];
    for (let weight = 5; weight <= 100; weight += 5) {
      const { revision } = await waitingAt(app, weight - 5);
      expect((await app.routes()).canary).toBe(weight - 5);
      const begun = Date.now();
      const order = stage.sluice.order(app.canary, 'approve', { actor, revision });
      while ((await app.routes()).canary !== weight);
      times.push(Date.now() - begun);
      await order;
    }
    expect(await app.ending()).toMatchObject({ outcome: 'promoted' });

    const sorted = [...times].sort((a, b) => a - b);
    const at = (part: number): string => String(sorted[Math.ceil(sorted.length * part) - 1]);
    tell(`from approval to weight: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, of ${times.join(' ')}`);
  });

  it('is not opened for a newer revision by approvals of the one before', async () => {
    await app.setImage('1.2.0');
    const { revision: old } = await waitingAt(app, 0);
    await stage.sluice.order(app.canary, 'approve', { actor, revision: old });
    await waitingAt(app, 5);

    await app.setImage('1.3.0');
    await app.untilState('the newer revision', ({ revision }) => revision !== old);
    const refusals: unknown[] = [];
    for (let tries = 0; tries < 100; tries++) {
      refusals.push(await approvalOf(app, old));
    }

    const { revision, approvals } = await waitingAt(app, 0);
    expect(refusals).toEqual(
      Array.from({ length: 100 }, () => expect.objectContaining({ kind: 'refused' }) as unknown),
    );
    tell(`approvals of an older revision: ${String(refusals.length)} of 100 refused`);
    expect(approvals).toEqual([]);
    expect((await app.routes()).canary).toBe(0);
    // The same order for the revision that is there is taken: nothing else was wrong with them.
    await stage.sluice.order(app.canary, 'approve', { actor, revision });
    await waitingAt(app, 5);
  });
});

it('an approval that crosses a newer revision moves no traffic to it', async () => {
  const app = await stage.open('gate-crossed', gated);
  await app.initialised();
  await app.setImage('1.1.0');
  for (let round = 1; round <= 10; round++) {
    const { revision } = await waitingAt(app, 0);
    await app.setImage(`1.1.${String(round)}`);
    // Whether it is taken depends on who is faster; what it may do does not.
    await approvalOf(app, revision);
    await app.untilState('the newer revision', (state) => state.revision !== revision);
  }
  await waitingAt(app, 0);
  expect((await app.events()).filter((event) => event.includes('Advance'))).toEqual([]);
});

describe('a gate that waits', () => {
  let app: App;
  let before: WaitingGate | undefined;

  beforeAll(async () => {
    app = await stage.open('gate-kept', gated);
    await app.initialised();
    await app.setImage('1.1.0');
    const { revision } = await waitingAt(app, 0);
    await stage.sluice.order(app.canary, 'approve', { actor, revision });
    before = (await waitingAt(app, 5)).gate;
  }, 120_000);

  it.each([
    ['the worker', () => killWorker(stage)],
    ['Temporal', () => killTemporal(stage)],
    ['the API server', () => killApiServer(stage, app)],
  ])('still waits when %s was killed', async (_what, kill) => {
    await kill();
    const { checks } = await waitingAt(app, 5);
    const after = await app.untilState('another check', (state) => state.checks > checks);

    expect(after.gate).toEqual(before);
    expect(after.weight).toBe(5);
    expect(await app.routes()).toEqual({ primary: 95, canary: 5 });
  });

  it('is opened by an approval then', async () => {
    const { revision } = await waitingAt(app, 5);
    await stage.sluice.order(app.canary, 'approve', { actor, revision });
    await until('the next weight', async () => (await app.routes()).canary === 10);
  });
});

describe('a gate whose time is up', () => {
  it.each([
    ['approve', 'traffic-increase', 0, 50],
    ['reject', 'promotion', 50, 0],
  ] as const)('decides by itself: %s', async (onTimeout, gateBefore, weight, then) => {
    const app = await stage.open(`gate-${onTimeout}`, {
      env,
      analysis: {
        ...{ interval: '10s', maxWeight: 50, stepWeight: 50 },
        gates: [{ name: 'sign-off', before: gateBefore, timeout: '3s', onTimeout }],
      },
    });
    await app.initialised();
    await app.setImage('1.1.0');
    const { gate } = await app.untilState(
      'the gate',
      (state) => state.gate !== undefined && state.weight === weight,
    );
    await until(`weight ${String(then)}`, async () => (await app.routes()).canary === then);
    tell(`time-out (${onTimeout}) acted ${String(Date.now() - (gate?.deadline ?? NaN))} ms late`);

    const ending = await app.ending();
    if (onTimeout === 'approve') {
      expect(ending).toMatchObject({ outcome: 'promoted' });
    } else {
      expect(ending).toMatchObject({ outcome: 'rolled-back', cause: { type: 'Rejected' } });
    }
    expect(await app.tag('web-primary')).toBe(onTimeout === 'approve' ? '1.1.0' : '1.0.0');
  });
});

/** The state in which the release waits for a person at this weight, its last check passed. */
function waitingAt(app: App, weight: number): ReturnType<App['untilState']> {
  return app.untilState(
    `the gate at weight ${String(weight)}`,
    (state) =>
      state.weight === weight &&
      state.gate !== undefined &&
      state.announced &&
      state.lastCheck?.verdict === 'passed',
  );
}

/** What an approval was refused with; undefined when it was taken. */
async function approvalOf(app: App, revision: string): Promise<unknown> {
  try {
    await stage.sluice.order(app.canary, 'approve', { actor, revision });
    return undefined;
  } catch (error) {
    return error;
  }
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
