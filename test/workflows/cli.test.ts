import { aPlan, failed } from './fake-cluster.js';
import { CommandLine } from './cli-rig.js';

/** Far more than any of it takes on a quiet machine. */
const timeoutMs = 60_000;

let line: CommandLine;
beforeAll(async () => {
  line = await CommandLine.open();
}, 120_000);
afterAll(() => line.close());

/** A canary that stays at weight 20 until somebody does something. */
function slowCanary(): ReturnType<CommandLine['canary']> {
  const canary = line.canary();
  canary.cluster.plan = aPlan({ intervalMs: 600_000 });
  return canary;
}

describe('release and wait', () => {
  it(
    'exits with 0 when the revision was promoted',
    async () => {
      const { name, cluster } = line.canary();

      const ran = await line.sluice(`release ${name} --image app=v2 --wait`);

      expect(ran).toMatchObject({ code: 0, stdout: `${name}: revision v2 was promoted\n` });
      expect(ran.stderr).toContain(`release of ${name} accepted: revision v2 is on its way`);
      expect(cluster.deeds[0]).toBe('set v2');
      expect(await line.sluice(`wait ${name}`)).toMatchObject({ code: 0 });
      expect(await line.sluice(`wait ${name} --revision v2`)).toMatchObject({ code: 0 });
    },
    timeoutMs,
  );

  it(
    'exits with 2 and the deciding check when it was rolled back',
    async () => {
      const { name, cluster } = line.canary();
      cluster.checks.push(failed, failed);

      const ran = await line.sluice(`release ${name} --image app=v2 --wait`);

      expect(ran.code).toBe(2);
      expect(ran.stdout).toBe(
        `${name}: revision v2 was rolled back: failed checks threshold reached 2` +
          ' (request-success-rate was 42, allowed >= 99)\n',
      );
      expect(await line.json(`wait ${name}`)).toMatchObject({
        canary: name,
        revision: 'v2',
        outcome: 'rolled-back',
        cause: { type: 'AnalysisFailed', check: 'request-success-rate', value: 42 },
      });
    },
    timeoutMs,
  );

  it(
    'release tries a revision again that had failed, and wait tells of its last end',
    async () => {
      const { name, cluster } = line.canary();
      cluster.checks.push(failed, failed);
      await line.sluice(`release ${name} --image app=v2 --wait`);

      const again = await line.sluice(`release ${name} --image app=v2 --wait`);

      expect(again.code).toBe(0);
      expect(await line.json(`wait ${name}`)).toMatchObject({
        revision: 'v2',
        outcome: 'promoted',
      });
    },
    timeoutMs,
  );

  it(
    'exits with 0 when the revision had been promoted before',
    async () => {
      const { name } = line.canary();
      await line.sluice(`release ${name} --image app=v2 --wait`);

      const again = await line.sluice(`release ${name} --image app=v2 --wait`);

      expect(again).toMatchObject({ code: 0, stdout: `${name}: revision v2 needs no release\n` });
    },
    timeoutMs,
  );

  it(
    'exits with 4 for the revision that was overtaken and follows the one that overtook',
    async () => {
      const { name, cluster } = slowCanary();
      const first = line.sluice(`release ${name} --image app=v2 --wait`);
      await line.until(name, { stage: 'analysing' });
      cluster.plan = aPlan();

      const second = await line.sluice(`release ${name} --image app=v3 --wait`);

      expect(await first).toMatchObject({
        code: 4,
        stdout: `${name}: revision v2 was superseded by v3\n`,
      });
      expect(second).toMatchObject({ code: 0, stdout: `${name}: revision v3 was promoted\n` });
      expect(await line.sluice(`wait ${name} --revision v2`)).toMatchObject({ code: 4 });
    },
    timeoutMs,
  );

  it(
    'exits with 3 when time is up, and says what is waited for',
    async () => {
      const { name } = slowCanary();
      await line.sluice(`release ${name} --image app=v2`);
      await line.until(name, { stage: 'analysing' });

      const ran = await line.sluice(`wait ${name} --timeout 500ms`);

      expect(ran.code).toBe(3);
      expect(ran.stderr).toContain(
        `the release of ${name} was not over within 500ms; it waits for the next check at weight 20`,
      );
      expect(await line.json(`wait ${name} --timeout 100ms`)).toMatchObject({
        error: { kind: 'timed-out' },
      });
    },
    timeoutMs,
  );

  it(
    'waits for a revision whose release has not begun',
    async () => {
      const { name } = line.canary();
      const waiting = line.sluice(`wait ${name} --revision v2 --timeout 30s`);

      await line.sluice(`release ${name} --image app=v2`);

      expect(await waiting).toMatchObject({ code: 0 });
    },
    timeoutMs,
  );

  it(
    'says why images were refused',
    async () => {
      const { name } = line.canary();

      const ran = await line.sluice(`release ${name} --image web=v2`);

      expect(ran).toMatchObject({ code: 1, stderr: 'sluice: container: only app is known\n' });
    },
    timeoutMs,
  );
});

describe('orders', () => {
  it(
    'steer the release they are meant for, on record',
    async () => {
      const { name, cluster } = slowCanary();
      await line.sluice(`release ${name} --image app=v2`);
      await line.until(name, { stage: 'analysing' });

      const paused = await line.sluice(`pause ${name} --actor alice --reason lunch`);
      expect(paused).toMatchObject({ code: 0 });
      expect(paused.stdout).toBe(
        `${name} revision v2: pause: accepted, the canary is being analysed\n`,
      );
      expect(await line.json(`status ${name}`)).toMatchObject({
        paused: { actor: 'alice', reason: 'lunch' },
        waitingFor: 'a person: paused by alice (lunch)',
      });
      expect(await line.sluice(`pause ${name}`)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('it is paused already, by alice') as string,
      });
      expect(await line.sluice(`resume ${name} --revision v3`)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(
          'meant for revision v3, but the release is of v2',
        ) as string,
      });
      expect(await line.sluice(`approve ${name}`)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('nothing waits for approval') as string,
      });
      expect(await line.sluice(`promote ${name}`)).toMatchObject({ code: 0 });
      expect(await line.sluice(`wait ${name}`)).toMatchObject({ code: 0 });
      expect(cluster.deeds).not.toContain('route 40');
    },
    timeoutMs,
  );

  it(
    'are followed once however often they are sent with one id',
    async () => {
      const { name } = slowCanary();
      await line.sluice(`release ${name} --image app=v2`);
      await line.until(name, { stage: 'analysing' });

      const first = await line.sluice(`pause ${name} --request-id p1`);
      const second = await line.sluice(`pause ${name} --request-id p1`);

      expect(second).toEqual(first);
      expect(first.code).toBe(0);
    },
    timeoutMs,
  );

  it(
    'roll back with actor and reason in every account of it',
    async () => {
      const { name } = slowCanary();
      await line.sluice(`release ${name} --image app=v2`);
      await line.until(name, { stage: 'analysing' });

      await line.sluice(`rollback ${name} --actor bob --reason errors`);

      const end = 'revision v2 was rolled back: as bob asked: errors';
      expect(await line.sluice(`wait ${name}`)).toMatchObject({
        code: 2,
        stdout: `${name}: ${end}\n`,
      });
      expect((await line.sluice(`why ${name}`)).stdout).toContain(end);
      expect(await line.sluice(`pause ${name}`)).toMatchObject({
        code: 1,
        stderr: `sluice: nothing to pause: no release is running (${end})\n`,
      });
    },
    timeoutMs,
  );

  it(
    'retry what failed in a new run, and nothing else',
    async () => {
      const { name, cluster } = line.canary();
      cluster.checks.push(failed, failed);
      await line.sluice(`release ${name} --image app=v2 --wait`);

      expect(await line.sluice(`retry ${name} --revision v1`)).toMatchObject({ code: 1 });
      expect(await line.json(`retry ${name} --actor carol`)).toMatchObject({
        request: 'retry',
        actor: 'carol',
        revision: 'v2',
      });
      expect(await line.sluice(`wait ${name}`)).toMatchObject({ code: 0 });
      expect(await line.sluice(`retry ${name}`)).toMatchObject({
        code: 1,
        stderr: 'sluice: nothing to retry: revision v2 was promoted\n',
      });
    },
    timeoutMs,
  );
});

describe('looking', () => {
  it(
    'tells where a release stands and what it has before it',
    async () => {
      const { name } = slowCanary();
      await line.sluice(`release ${name} --image app=v2`);
      await line.until(name, { stage: 'analysing' });

      const status = await line.sluice(`status ${name}`);
      expect(status.stdout).toContain('████░░░░░░░░░░░░░░░░ 20% canary');
      expect(await line.json(`status ${name}`)).toMatchObject({
        revision: 'v2',
        running: true,
        phase: 'Progressing',
        weight: 20,
        waitingFor: 'the next check at weight 20',
        troubles: [],
        outcome: null,
      });
      const plan = await line.sluice(`plan ${name}`);
      expect(plan.stdout).toContain('▶ 20% of the traffic');
      expect(plan.stdout).toContain('○ 40% of the traffic');
    },
    timeoutMs,
  );

  it(
    'tells which activity fails and why',
    async () => {
      const { name, cluster } = line.canary();
      cluster.faults.scaleUp = Array.from({ length: 20 }, () => new Error('forbidden by RBAC'));
      await line.sluice(`release ${name} --image app=v2`);
      await line.until(name, { stage: 'scaling-up' });
      await new Promise((resolve) => setTimeout(resolve, 1_000));

      const why = await line.sluice(`why ${name}`);

      expect(why.stdout).toMatch(/! scaleUp failed \d times: forbidden by RBAC; next attempt in/);
      expect(await line.json(`why ${name}`)).toMatchObject({
        troubles: [{ kind: 'activity', activity: 'scaleUp' }],
      });
      await line.sluice(`rollback ${name}`);
    },
    timeoutMs,
  );

  it(
    'lists canaries and keeps a history of each',
    async () => {
      const { name, cluster } = line.canary();
      cluster.checks.push(failed, failed);
      await line.sluice(`release ${name} --image app=v2 --wait`);
      await line.sluice(`release ${name} --image app=v3 --wait`);

      const { runs } = await line.json(`history ${name}`);
      expect(runs).toMatchObject([
        { revision: 'v3', outcome: 'promoted', message: 'revision v3 was promoted' },
        { revision: 'v2', outcome: 'rolled-back', cause: { type: 'AnalysisFailed' } },
      ]);
      const { releases } = await line.json('list --namespace test');
      const mine = (releases as { canary: string }[]).filter(({ canary }) => canary === name);
      expect(mine).toMatchObject([{ outcome: 'promoted', revision: 'v3' }]);
      expect(await line.json('list --namespace elsewhere')).toEqual({ releases: [] });
    },
    timeoutMs,
  );

  it(
    'watches until the end, a line per change',
    async () => {
      const { name, cluster } = line.canary();
      cluster.plan = aPlan({ intervalMs: 1_500 });
      await line.sluice(`release ${name} --image app=v2`);

      const { code, stdout } = await line.sluice(`watch ${name}`);

      expect(code).toBe(0);
      const lines = stdout.trim().split('\n');
      expect(lines.at(-2)).toMatch(/^\d\d:\d\d:\d\d test\/c-\S+ v2: /);
      expect(stdout).toContain('analysing at 40%, check 1 passed');
      expect(lines.at(-1)).toContain('revision v2 was promoted');
      const { stdout: documents } = await line.sluice(`watch ${name} -o json`);
      expect(JSON.parse(documents)).toMatchObject({ canary: name, outcome: 'promoted' });
    },
    timeoutMs,
  );

  it(
    'knows when there is nothing to look at',
    async () => {
      const ran = await line.sluice('status test/nobody');

      expect(ran).toMatchObject({
        code: 1,
        stderr: `sluice: no release of test/nobody is known (cluster ${line.cluster})\n`,
      });
    },
    timeoutMs,
  );
});

describe('outages', () => {
  it(
    'are sat out by wait and named by the rest',
    async () => {
      const { name, cluster } = slowCanary();
      await line.sluice(`release ${name} --image app=v2`);
      await line.until(name, { stage: 'analysing' });
      const waiting = line.sluice(`wait ${name} --revision v2`);
      await line.stopWorker();

      const status = await line.sluice(`status ${name}`);
      expect(status.stdout).toContain('! no worker answers on task queue sluice/');
      expect(await line.sluice(`plan ${name}`)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(`no worker of cluster ${line.cluster} answers`) as string,
      });

      cluster.plan = aPlan();
      await line.startWorker();
      await line.sluice(`promote ${name}`);
      expect(await waiting).toMatchObject({ code: 0 });
    },
    timeoutMs,
  );

  it(
    'of Temporal are one line that names the address',
    async () => {
      const address = process.env['TEMPORAL_ADDRESS'];
      process.env['TEMPORAL_ADDRESS'] = '127.0.0.1:1';
      try {
        const ran = await line.sluice('status test/any');
        expect(ran).toMatchObject({
          code: 1,
          stderr: 'sluice: cannot reach Temporal at 127.0.0.1:1: nothing answers there\n',
        });
      } finally {
        process.env['TEMPORAL_ADDRESS'] = address;
      }
    },
    timeoutMs,
  );
});
