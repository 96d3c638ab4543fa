import { jest } from '@jest/globals';

import type { Stage as ReleaseStage } from '../../domain/release.js';
import { openStage, until, untilRolledOut, type App, type Stage } from './stage.js';

jest.setTimeout(120_000);

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
}, 180_000);
afterAll(() => stage.close(), 60_000);

/** The target's pods end at once, so that the next release need not wait for them. */
const env = { DRAIN_MS: '0' };
const slowStart = { ...env, START_DELAY_MS: '4000' };

describe('rollback', () => {
  let app: App;

  beforeAll(async () => {
    app = await stage.open('rollback', { env: slowStart });
  });

  it('is refused while there is nothing to go back to', async () => {
    const { revision } = await app.untilState('initialising', at('awaiting-first-primary'));
    await expect(
      stage.sluice.order(app.canary, 'rollback', { actor: 'a test', revision }),
    ).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringContaining(
        'rollback is not possible while it is being initialised (there is no earlier revision to return to)',
      ),
    });
    await app.initialised();
  });

  it('of pods that do not get ready is safe', async () => {
    await app.setImage('2-unready', env);
    await app.untilState('scaling up', at('awaiting-canary'));
    await rollBack(app, 'scaling up');
  });

  it.each([10, 20, 30, 40, 50])('at weight %i is safe', async (weight) => {
    await app.setImage(`3.${String(weight)}`, env);
    await app.untilState(`weight ${String(weight)}`, (state) => state.weight === weight);
    await rollBack(app, `weight ${String(weight)}`);
  });

  it('of a paused release is safe', async () => {
    await app.setImage('4.0.0', env);
    const { revision } = await app.untilState('weight 20', ({ weight }) => weight === 20);
    await stage.sluice.order(app.canary, 'pause', { actor: 'a test', revision });
    await rollBack(app, 'paused');
  });

  it('while promoting gives the primary its old image back', async () => {
    await app.patchCanary({ skipAnalysis: true });
    await app.setImage('5.0.0', slowStart);
    await app.untilState('promoting', at('awaiting-primary'));
    expect(await app.tag('web-primary')).toBe('5.0.0');
    await rollBack(app, 'promoting');
    await app.patchCanary({ skipAnalysis: false });
  });
});

describe('the sluice command', () => {
  let app: App;
  let name: string;

  beforeAll(async () => {
    app = await stage.open('command', { env });
    name = `${app.canary.namespace}/web`;
    await app.initialised();
  });

  it('releases and waits: 0', async () => {
    await sluice(0, `release ${name} --image web=sluice/demo:1.1.0 --wait --timeout 2m`);
    expect(await app.tag('web-primary')).toBe('1.1.0');
  });

  it('pauses, resumes and promotes', async () => {
    const { revision } = await release('1.2.0');
    await app.untilState('weight 10', ({ weight }) => weight === 10);
    await sluice(0, `pause ${name} --reason 'let me look'`);
    const { weight, paused } = await app.untilState('the pause', (state) => 'paused' in state);
    expect(paused).toMatchObject({ reason: 'let me look', revision });
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect((await stage.sluice.state(app.canary))?.weight).toBe(weight);
    expect((await app.routes()).canary).toBe(weight);

    await sluice(1, `pause ${name}`);
    await sluice(0, `resume ${name}`);
    await app.untilState('the next weight', (state) => state.weight > weight);
    await stage.sluice.order(app.canary, 'pause', { actor: 'a test', revision });
    const routes = await app.routes();
    await sluice(0, `promote ${name}`);
    await sluice(0, `wait ${name} --revision ${revision} --timeout 1m`);
    expect(await app.tag('web-primary')).toBe('1.2.0');
    expect(await lastAdvance()).toBe(routes.canary);
    expect(routes.canary).toBeLessThan(50);
  });

  it('rolls back: 2, retries, and says that a newer revision took over: 4', async () => {
    const first = await release('1.3.0');
    await app.untilState('weight 10', ({ weight }) => weight === 10);
    await sluice(0, `rollback ${name} --reason 'it looks wrong'`);
    const told = await sluice(2, `wait ${name} --revision ${first.revision} --timeout 1m`);
    expect(told).toContain('it looks wrong');
    expect(await app.tag('web-primary')).toBe('1.2.0');

    await sluice(0, `retry ${name}`);
    await app.untilState('weight 10', ({ weight }) => weight === 10);
    const second = await release('1.4.0');
    await sluice(4, `wait ${name} --revision ${first.revision} --timeout 1m`);
    await sluice(3, `wait ${name} --revision ${second.revision} --timeout 1s`);
    await sluice(0, `wait ${name} --revision ${second.revision} --timeout 1m`);
    expect(await app.tag('web-primary')).toBe('1.4.0');
  });

  async function release(tag: string): Promise<{ readonly revision: string }> {
    const answer = await sluice(
      0,
      `release ${name} --image web=sluice/demo:${tag} --actor ci -o json`,
    );
    return JSON.parse(answer) as { revision: string };
  }

  async function lastAdvance(): Promise<number> {
    const weights = (await app.events()).map((event) => / canary weight (\d+)$/.exec(event)?.[1]);
    return Number(weights.findLast((weight) => weight !== undefined));
  }

  async function sluice(code: number, words: string): Promise<string> {
    const done = await stage.exec(`sluice ${words}`);
    expect({ words, ...done }).toMatchObject({ words, code });
    return done.output;
  }
});

function at(stageOfRelease: ReleaseStage): (state: { stage: ReleaseStage }) => boolean {
  return ({ stage: now }) => now === stageOfRelease;
}

/** Orders a rollback, prints how soon all is safe, and checks what is left. */
async function rollBack(app: App, when: string): Promise<void> {
  const { revision } = await app.untilState('a revision', () => true);
  const begun = Date.now();
  await stage.sluice.order(app.canary, 'rollback', { actor: 'a test', reason: when, revision });
  const answeredMs = Date.now() - begun;
  await until(`the rollback from ${when}`, async () => {
    const [routes, target] = await Promise.all([app.routes(), app.deployment('web')]);
    return routes.canary === 0 && routes.primary === 100 && target.spec.replicas === 0;
  });
  process.stderr.write(
    `rollback from ${when}: answered after ${String(answeredMs)} ms, safe after ${String(Date.now() - begun)} ms\n`,
  );
  const status = await app.untilStatus('failure', ({ phase }) => phase === 'Failed');
  expect(status).toMatchObject({ canaryWeight: 0, lastAppliedSpec: revision });
  expect(await app.ending()).toMatchObject({
    ...{ outcome: 'rolled-back', revision },
    cause: { type: 'RolledBack', actor: 'a test', reason: when },
  });
  expect(await app.tag('web-primary')).toBe('1.0.0');
  await untilRolledOut(stage.kube, {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web-primary' },
    namespace: app.canary.namespace,
  });
}
