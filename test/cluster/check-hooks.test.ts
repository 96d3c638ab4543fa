import type { MoveInput } from '../../activities/contract.js';
import type { Deps } from '../../activities/deps.js';
import { createActivities } from '../../activities/index.js';
import type { Kube } from '../../activities/kube.js';
import { applyRoutes } from '../../activities/routing.js';
import type { Canary } from '../../domain/canary.js';
import type { Shift } from '../../domain/moves.js';
import { toCanary } from '../../domain/routes.js';
import { vectorOf } from '../providers/prometheus-server.js';
import type { AnalysisRig } from './analysis-rig.js';
import { environmentOf, openHooksRig, type HooksRig } from './hooks-rig.js';

let hooks: HooksRig;
let rig: AnalysisRig;

beforeAll(async () => {
  hooks = await openHooksRig(`checks-${String(process.pid)}`);
  rig = hooks.base;
});
afterAll(() => rig.stop());
beforeEach(() => hooks.beginTest());
afterEach(() => hooks.endTest());

const metrics = [{ name: 'request-success-rate', thresholdRange: { min: 99 } }];
const aCanary = (...webhooks: object[]): Promise<Canary> =>
  rig.aCanary({ analysis: { metrics, webhooks } });

/** The step from 10 to 20 percent. */
function stepOf({ name, namespace }: Canary): Shift {
  const message = `Advance ${name}.${namespace} canary weight 20`;
  return {
    routes: toCanary(20),
    cookies: {},
    report: {
      key: '7/step',
      status: { phase: 'Progressing', canaryWeight: 20 },
      after: [{ type: 'Normal', message }],
    },
  };
}

async function checkOf(
  canary: Canary,
  change: Partial<MoveInput<'check'>> = {},
): Promise<MoveInput<'check'>> {
  return { ...(await rig.inputOf(canary)), ...change };
}

describe('a check with webhooks', () => {
  it('asks the rollback hooks first, and the first that agrees ends it', async () => {
    const canary = await aCanary(
      hooks.hook('smoke', 'rollout'),
      hooks.hook('first', 'rollback'),
      hooks.hook('second', 'rollback'),
      hooks.hook('third', 'rollback'),
    );
    await applyRoutes(rig.deps, canary, { routes: toCanary(90), cookies: {} });
    hooks.server.answerAt('/first', 403);

    const result = await hooks.run('check', await checkOf(canary, { then: { gates: [] } }));

    expect(result).toEqual({ verdict: 'rollback', hook: 'second' });
    expect(hooks.server.paths).toEqual(['/first', '/second']);
    expect(rig.metrics.asked).toEqual([]);
    expect(await rig.weightOf(canary)).toBe(90);
    expect(await rig.eventsOf(canary)).toEqual([
      'Normal Rollback hook first not signaling a rollback',
      'Warning Rollback check second passed',
    ]);
  });

  it('does not ask the rollback hooks while pods are missing', async () => {
    const canary = await aCanary(hooks.hook('back', 'rollback'));
    await rig.scaleUpInVain(canary.name);

    expect(await hooks.run('check', await checkOf(canary))).toMatchObject({ verdict: 'unready' });
    expect(hooks.server.paths).toEqual([]);
  });

  it('tells the hooks who asks, why, and under which key', async () => {
    const canary = await aCanary(
      hooks.hook('back', 'rollback', { metadata: { team: 'a' } }),
      hooks.hook('smoke', 'rollout'),
    );
    await hooks.setStatus(canary, {
      phase: 'WaitingPromotion',
      lastAppliedSpec: 'x',
      failedChecks: 0,
    });
    hooks.server.answerAt('/back', 404);
    rig.metrics.answer(200, vectorOf('100'));

    await hooks.run('check', await checkOf(canary));

    const { name, namespace } = canary;
    const checksum = expect.stringMatching(/^[0-9a-f]{16}$/) as unknown;
    expect(hooks.server.requests.map(({ body }) => body)).toEqual([
      { name, namespace, phase: 'WaitingPromotion', checksum, metadata: { team: 'a' } },
      { name, namespace, phase: 'Progressing', checksum },
    ]);
    expect(hooks.server.requests.map(({ headers }) => headers['idempotency-key'])).toEqual([
      'a-run/7/0',
      'a-run/7/1',
    ]);
  });

  it('fails with the first rollout hook that does, before any metric', async () => {
    const canary = await aCanary(
      hooks.hook('load', 'rollout'),
      hooks.hook('smoke', ''),
      hooks.hook('never', 'rollout'),
      hooks.hook('other', 'pre-rollout'),
    );
    hooks.server.answerAt('/smoke', { status: 400, body: 'broken' });

    const result = await hooks.run('check', await checkOf(canary, { failedChecks: 1 }));

    const reason = `Halt ${canary.name}.${rig.namespace} advancement external check smoke failed broken`;
    expect(result).toEqual({
      verdict: 'failed',
      readings: [],
      repaired: false,
      check: 'smoke',
      reason,
    });
    expect(hooks.server.paths).toEqual(['/load', '/smoke']);
    expect(rig.metrics.asked).toEqual([]);
    expect(await rig.eventsOf(canary)).toEqual([`Warning ${reason}`]);
    expect(await rig.failedChecksOf(canary)).toBe(2);
  });

  it('opens with the hooks before the rollout, and no metrics, and makes the first step', async () => {
    const canary = await aCanary(
      hooks.hook('one', 'pre-rollout'),
      hooks.hook('two', 'pre-rollout'),
      hooks.hook('smoke', 'rollout'),
    );
    const starting = { type: 'Normal', message: 'Starting canary analysis' } as const;
    const input = await checkOf(canary, {
      hooks: 'pre-rollout',
      then: { gates: [], step: stepOf(canary) },
      report: { key: '7', before: [starting] },
    });

    const results = [await hooks.run('check', input)];
    const told = await rig.eventsOf(canary);
    await applyRoutes(rig.deps, canary, { routes: toCanary(10), cookies: {} });
    results.push(await hooks.run('check', input));

    const passed = { verdict: 'passed', readings: [], repaired: false };
    expect(results).toEqual([passed, passed]);
    expect(hooks.server.paths).toEqual(['/one', '/two', '/one', '/two']);
    expect(rig.metrics.asked).toEqual([]);
    expect(told).toEqual([
      'Normal Starting canary analysis',
      'Normal Pre-rollout check one passed',
      'Normal Pre-rollout check two passed',
      `Normal Advance ${canary.name}.${rig.namespace} canary weight 20`,
    ]);
    expect(await rig.eventsOf(canary)).toEqual(told);
    expect(await rig.weightOf(canary)).toBe(20);
    expect(await hooks.statusOf(canary)).toMatchObject({ phase: 'Progressing', canaryWeight: 20 });
  });

  it('fails with a hook before the rollout, and makes no step', async () => {
    const canary = await aCanary(
      hooks.hook('one', 'pre-rollout'),
      hooks.hook('two', 'pre-rollout'),
    );
    hooks.server.answerAt('/one', { status: 404, body: 'gone' });

    const result = await hooks.run(
      'check',
      await checkOf(canary, { hooks: 'pre-rollout', then: { gates: [], step: stepOf(canary) } }),
    );

    expect(result).toMatchObject({ verdict: 'failed', check: 'one' });
    expect(hooks.server.paths).toEqual(['/one']);
    expect(await rig.eventsOf(canary)).toEqual([
      `Warning Halt ${canary.name}.${rig.namespace} advancement pre-rollout check one failed gone`,
    ]);
    expect(await rig.weightOf(canary)).toBe(10);
  });

  it('fails with a time-out that is none, and makes no request', async () => {
    const canary = await aCanary(hooks.hook('smoke', 'rollout', { timeout: '5sec' }));

    expect(await hooks.run('check', await checkOf(canary))).toMatchObject({
      reason: expect.stringContaining('timeout "5sec"'),
    });
    expect(hooks.server.paths).toEqual([]);
  });

  it('is called off in the middle of a hook, and does not go on', async () => {
    const canary = await aCanary(hooks.hook('smoke', 'rollout'), hooks.hook('next', 'rollout'));
    const input = await checkOf(canary, { then: { gates: [], step: stepOf(canary) } });
    const environment = environmentOf();
    hooks.server.answerAt('/smoke', (response) => {
      environment.cancel('CANCELLED');
      response.writeHead(200).end();
    });

    await expect(environment.run(createActivities(rig.deps).check, input)).rejects.toThrow();
    expect(hooks.server.paths).toEqual(['/smoke']);
    expect(await rig.weightOf(canary)).toBe(10);
    expect(await rig.eventsOf(canary)).toEqual([]);
  });
});

describe('the gates behind a check', () => {
  const gates = ['confirm-traffic-increase', 'confirm-promotion'] as const;

  beforeEach(() => rig.metrics.answer(200, vectorOf('100')));

  it('are asked in order; one that is closed is told of once and keeps the step back', async () => {
    const canary = await aCanary(
      hooks.hook('promotion', 'confirm-promotion'),
      hooks.hook('traffic', 'confirm-traffic-increase'),
    );
    const step = stepOf(canary);
    const told = { type: 'confirm-promotion', hook: 'promotion' } as const;
    hooks.server.answerAt('/promotion', 403);

    const first = await hooks.run('check', await checkOf(canary, { then: { gates, step } }));
    const next = { then: { gates, told, step }, report: { key: '8' } };
    const again = await hooks.run('check', await checkOf(canary, next));

    expect(first).toEqual({
      verdict: 'passed',
      readings: [expect.objectContaining({ passed: true })],
      repaired: false,
      closed: told,
    });
    expect(again).toEqual(first);
    expect(hooks.server.paths).toEqual(['/traffic', '/promotion', '/traffic', '/promotion']);
    expect(await rig.eventsOf(canary)).toEqual([
      'Normal Confirm-traffic-increase check traffic passed',
      `Warning Halt ${canary.name}.${rig.namespace} advancement waiting for promotion approval promotion`,
      'Normal Confirm-traffic-increase check traffic passed',
    ]);
    expect(await hooks.statusOf(canary)).toMatchObject({ phase: 'WaitingPromotion' });
    expect(await rig.weightOf(canary)).toBe(10);
  });

  it('are each told of, also when one closes behind another', async () => {
    const canary = await aCanary(
      hooks.hook('traffic', 'confirm-traffic-increase'),
      hooks.hook('promotion', 'confirm-promotion'),
    );
    hooks.server.answerAt('/traffic', 403, 200);
    hooks.server.answerAt('/promotion', 403);
    const told = { type: 'confirm-traffic-increase', hook: 'traffic' } as const;

    await hooks.run('check', await checkOf(canary, { then: { gates } }));
    expect(await hooks.statusOf(canary)).not.toHaveProperty('phase');
    const next = { then: { gates, told }, report: { key: '8' } };
    await hooks.run('check', await checkOf(canary, next));

    const halt = `Warning Halt ${canary.name}.${rig.namespace} advancement waiting for`;
    expect(await rig.eventsOf(canary)).toEqual([
      `${halt} traffic increase approval traffic`,
      'Normal Confirm-traffic-increase check traffic passed',
      `${halt} promotion approval promotion`,
    ]);
    expect(await hooks.statusOf(canary)).toMatchObject({ phase: 'WaitingPromotion' });
  });

  it('let the step be made when all are open', async () => {
    const canary = await aCanary(hooks.hook('traffic', 'confirm-traffic-increase'));
    const then = { gates: [gates[0]], step: stepOf(canary) };

    const result = await hooks.run('check', await checkOf(canary, { then }));

    expect(result).not.toHaveProperty('closed');
    expect(await rig.eventsOf(canary)).toEqual([
      'Normal Confirm-traffic-increase check traffic passed',
      `Normal Advance ${canary.name}.${rig.namespace} canary weight 20`,
    ]);
    expect(await rig.weightOf(canary)).toBe(20);
  });

  it('are not asked when the check fails', async () => {
    const canary = await aCanary(hooks.hook('traffic', 'confirm-traffic-increase'));
    rig.metrics.answer(200, vectorOf('1'));

    await hooks.run('check', await checkOf(canary, { then: { gates: [gates[0]] } }));

    expect(hooks.server.paths).toEqual([]);
  });
});

describe('a check that was cut off behind its step', () => {
  const found = { readings: [{ metric: 'm', threshold: 'any', passed: true }], repaired: true };

  /** A cluster that takes the routes but not the status. */
  const cutOff = (): Deps => {
    const patch: Kube['patch'] = () => Promise.reject(new Error('connection lost'));
    return { ...rig.deps, kube: { ...rig.kube, patch } };
  };

  it('is not taken back but told of by the next attempt', async () => {
    const canary = await aCanary(hooks.hook('smoke', 'rollout'));
    rig.metrics.answer(200, vectorOf('100'));
    const input = await checkOf(canary, { then: { gates: [], step: stepOf(canary) } });
    const remembered: unknown[] = [];
    const environment = environmentOf();
    environment.on('heartbeat', (details: unknown) => remembered.push(details));

    await expect(environment.run(createActivities(cutOff()).check, input)).rejects.toThrow('lost');
    expect(await rig.weightOf(canary)).toBe(20);
    rig.metrics.answer(200, vectorOf('1'));
    const heartbeatDetails = remembered.at(-1);
    const result = await hooks.run('check', input, { attempt: 2, heartbeatDetails });

    expect(result).toEqual({
      verdict: 'passed',
      readings: [expect.objectContaining({ metric: 'request-success-rate', value: 100 })],
      repaired: false,
    });
    expect(hooks.server.paths).toEqual(['/smoke']);
    expect(await rig.weightOf(canary)).toBe(20);
    expect(await hooks.statusOf(canary)).toMatchObject({ canaryWeight: 20 });
    expect(await rig.eventsOf(canary)).toEqual([
      // Of the first attempt, by whatever runs activities.
      'Warning connection lost',
      `Normal Advance ${canary.name}.${rig.namespace} canary weight 20`,
    ]);
  });

  it('is told apart from routes that somebody else changed', async () => {
    const canary = await aCanary();
    rig.metrics.answer(200, vectorOf('1'));
    await applyRoutes(rig.deps, canary, { routes: toCanary(20), cookies: {} });
    const input = await checkOf(canary, { then: { gates: [], step: stepOf(canary) } });

    expect(await hooks.run('check', input)).toMatchObject({ verdict: 'failed', repaired: true });
    expect(await rig.weightOf(canary)).toBe(10);
  });

  it('is checked anew when the step moves no traffic', async () => {
    const canary = await aCanary();
    rig.metrics.answer(200, vectorOf('1'));
    const step = { ...stepOf(canary), routes: toCanary(10) };
    const input = await checkOf(canary, { then: { gates: [], step } });

    const result = await hooks.run('check', input, { attempt: 2, heartbeatDetails: found });
    expect(result).toMatchObject({ verdict: 'failed' });
  });

  it('is checked anew when the step had not been made', async () => {
    const canary = await aCanary();
    rig.metrics.answer(200, vectorOf('1'));
    const input = await checkOf(canary, { then: { gates: [], step: stepOf(canary) } });

    const result = await hooks.run('check', input, { attempt: 2, heartbeatDetails: found });
    expect(result).toMatchObject({ verdict: 'failed', repaired: false });
    expect(await rig.weightOf(canary)).toBe(10);
  });
});

describe('a check that cannot be decided', () => {
  it('is told of once, counts no failure, and makes no step', async () => {
    const canary = await aCanary();
    const input = await checkOf(canary, { then: { gates: [], step: stepOf(canary) } });
    const manifest = (await rig.find(canary))!;
    const patient = metrics.map((metric) => ({ ...metric, onNoData: 'hold' }));
    const spec = manifest.spec as { analysis: object };
    const watched = {
      ...manifest,
      spec: { ...spec, analysis: { ...spec.analysis, metrics: patient } },
      status: { lastAppliedSpec: input.revision },
    };
    const deps = { ...rig.deps, canaries: { get: () => watched } };
    rig.metrics.answer(200, vectorOf());

    const results = [
      await hooks.run('check', input, { deps }),
      await hooks.run('check', input, { deps }),
    ];

    expect(results[0]).toMatchObject({
      verdict: 'undecided',
      policy: 'hold',
      check: 'request-success-rate',
      readings: [{ metric: 'request-success-rate', passed: false }],
    });
    expect(results[1]).toEqual(results[0]);
    expect(await rig.eventsOf(canary)).toEqual([
      expect.stringMatching(
        /^Warning Halt advancement no values found .* \(on hold until there is a value\)$/,
      ),
    ]);
    expect(await rig.failedChecksOf(canary)).toBe(0);
    expect(await rig.weightOf(canary)).toBe(10);
  });
});
