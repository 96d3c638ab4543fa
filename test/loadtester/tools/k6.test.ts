import { connectKube } from '../../../activities/kube.js';
import type { KubeObject } from '../../../domain/objects.js';
import { until } from '../../e2e/until.js';
import { aCall, openRig, pathTo, type Answered, type LoadTester, type Rig } from '../rig.js';
import { openApp, type App } from './app.js';
import { groupsBelow, namesIn } from './processes.js';

let rig: Rig;
let app: App;
let env: Readonly<Record<string, string>>;
let tester: LoadTester;

beforeAll(async () => {
  // It would tell its makers of each run.
  env = { PATH: await pathTo('k6'), K6_NO_USAGE_REPORT: 'true' };
  rig = await openRig();
  app = await openApp();
  tester = await start();
});
afterAll(async () => {
  await rig.close();
  await app.close();
});

function start(...args: readonly string[]): Promise<LoadTester> {
  return rig.start(['--gates', 'memory', ...args], env);
}

const script = `import http from 'k6/http';
export default function () {
  http.get(__ENV.APP, { headers: { 'x-token': __ENV.TOKEN || 'none' } });
}
`;
const strict = `${script}export const options = { thresholds: { http_req_failed: ['rate==0'] } };\n`;
const failures = 'sluice_loadtester_tasks_failed_total{type="k6"}';

interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly namespace?: string;
}

function send(
  path: string,
  metadata: Readonly<Record<string, string>>,
  { headers = {}, ...over }: SendOptions = {},
): Promise<Answered> {
  const all = { type: 'k6', 'env.APP': app.url(path), returnCmdOutput: 'true', ...metadata };
  return tester.post('/', aCall(all, over), headers);
}

it('runs a script that is sent, with its arguments, and answers with its summary', async () => {
  const { status, text } = await send('/sent', {
    script: strict,
    args: '--vus 2 --iterations 10 --tag "name=a b"',
  });

  expect({ status, text }).toEqual({ status: 200, text: expect.stringMatching(/\biterations\b/) });
  expect(text).toMatch(/http_req_failed\.*: 0\.00% +0 out of 10/);
  expect(text).not.toContain('\u001b');
  expect(app.asked('/sent')).toHaveLength(10);
});

it('says nothing when nobody asked for the summary', async () => {
  expect(await send('/quiet', { script, returnCmdOutput: 'false' })).toEqual({
    status: 200,
    text: '',
  });
  expect(app.asked('/quiet')).toHaveLength(1);
});

it('runs a file of the load tester, which may import what lies beside it', async () => {
  await rig.write('beside.js', `export const path = '/beside';\n`);
  const file = await rig.write(
    'main.js',
    `import http from 'k6/http';
import { path } from './beside.js';
export default () => http.get(__ENV.APP + path);\n`,
  );
  expect((await send('/file', { scriptFile: file })).status).toBe(200);
  expect(app.asked('/file/beside')).toHaveLength(1);
});

it('runs a script in a ConfigMap', async () => {
  const namespace = 'default';
  const name = `scripts-${String(process.pid)}`;
  const type = { apiVersion: 'v1', kind: 'ConfigMap' };
  const kube = connectKube();
  const data = { 'load.js': script };
  await kube.create({ ...type, metadata: { namespace, name }, data } as KubeObject);
  try {
    const metadata = { configMap: name, key: 'load.js' };
    expect((await send('/stored', metadata, { namespace })).status).toBe(200);
    expect(app.asked('/stored')).toHaveLength(1);
  } finally {
    await kube.remove({ ...type, namespace, name });
  }
});

it('fails when a threshold is crossed', async () => {
  const before = await tester.metric(failures);
  const { status, text } = await send('/bad/strict', { script: strict });

  expect(status).toBe(500);
  expect(text).toMatch(/^command k6 run failed: [^]*: exit status 99$/);
  expect(text).toContain(`thresholds on metrics 'http_req_failed' have been crossed`);
  expect(app.asked('/bad/strict')).toHaveLength(1);
  expect(await tester.metric(failures)).toBe(before + 1);
  expect(tester.logs()).toContainEqual(
    expect.objectContaining({ msg: 'task failed', type: 'k6', cause: 'exit status 99' }),
  );
});

it('does not fail for requests and checks that failed when there is no threshold on them', async () => {
  const lenient = `import http from 'k6/http';
import { check } from 'k6';
export default () => check(http.get(__ENV.APP), { 'is fine': ({ status }) => status === 200 });\n`;
  const { status, text } = await send('/bad/lenient', { script: lenient });
  expect(status).toBe(200);
  expect(text).toContain('✗ is fine');
  expect(text).toMatch(/http_req_failed\.*: 100\.00%/);
});

it('fails for a script that cannot be run, and says where', async () => {
  const { status, text } = await send('/none', {
    script: 'export default function () {\n  1 +\n}',
  });
  expect(status).toBe(500);
  expect(text).toMatch(/^command k6 run failed: [^]*Line 3:0 Unexpected[^]*: exit status 107$/);
});

it('keeps what variables hold from answers, and gives it to the script', async () => {
  const token = 'correct-horse-battery';
  const talkative = `${script}console.log(\`it is \${__ENV.TOKEN}\`);\n`;
  const { status, text } = await send('/secret', { script: talkative, 'env.TOKEN': token });

  expect(status).toBe(200);
  expect(text).toContain('it is ***');
  expect(text).not.toContain(token);
  expect(app.asked('/secret').map((headers) => headers['x-token'])).toEqual([token]);
});

it('is one run for all attempts at a call', async () => {
  const call = { script, args: '--duration 2s --iterations 5' };
  const headers = { 'Idempotency-Key': 'run/1/0' };
  const [one, other] = await Promise.all([
    send('/attempts', call, { headers }),
    send('/attempts', call, { headers }),
  ]);
  expect(one.status).toBe(200);
  expect(other).toEqual(one);
  expect(app.asked('/attempts')).toHaveLength(5);
});

it('runs beside others', async () => {
  const [one, other] = await Promise.all([
    send('/one', { script, args: '--vus 1 --iterations 5' }),
    send('/other', { script, args: '--vus 1 --iterations 5' }),
  ]);
  expect([one.status, other.status]).toEqual([200, 200]);
  expect(app.asked('/one')).toHaveLength(5);
  expect(app.asked('/other')).toHaveLength(5);
});

/** Loads until it is ended. */
const endless = { script, args: '--vus 2 --duration 10m' };

/** Nothing is left of some process groups, nor asks for a path. */
async function expectEnded(groups: readonly number[], path: string): Promise<void> {
  expect(groups).toHaveLength(1);
  await until('its processes are gone', async () => (await namesIn(groups)).length === 0);
  const before = app.asked(path).length;
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(app.asked(path)).toHaveLength(before);
}

describe('the end of a run', () => {
  it('comes with its time-out', async () => {
    const one = await start();
    const metadata = { ...endless, type: 'k6', timeout: '5s', 'env.APP': app.url('/timeout') };
    const answer = one.post('/', aCall(metadata));
    await until('there is load', () => Promise.resolve(app.asked('/timeout').length > 20));
    const groups = await groupsBelow(one.child.pid);
    expect(await namesIn(groups)).toEqual(['k6']);

    const { status, text } = await answer;
    expect(status).toBe(500);
    // Without a summary, for which there was no time.
    expect(text).toBe('command k6 run failed: : signal: killed');
    expect(await one.metric(failures)).toBe(1);
    await expectEnded(groups, '/timeout');
  });

  it('comes with the time-out of the script that runs it, for all of the group', async () => {
    const one = await start('--timeout', '5s');
    const file = await rig.write('endless.js', script);
    const cmd = `(k6 run --quiet ${endless.args} ${file}; true); true`;
    const metadata = { type: 'bash', cmd, 'env.APP': app.url('/shell') };
    const answer = one.post('/', aCall(metadata));
    await until('there is load', () => Promise.resolve(app.asked('/shell').length > 20));
    const groups = await groupsBelow(one.child.pid);
    expect(await namesIn(groups)).toEqual(['bash', 'bash', 'k6']);

    expect(await answer).toEqual({
      status: 500,
      text: expect.stringMatching(/: signal: killed$/),
    });
    await expectEnded(groups, '/shell');
  });

  it('comes with that of the load tester, for a run in the background', async () => {
    const one = await start();
    const metadata = { ...endless, type: 'k6', background: 'true', 'env.APP': app.url('/back') };
    expect(await one.post('/', aCall(metadata))).toEqual({ status: 202, text: '' });
    await until('there is load', () => Promise.resolve(app.asked('/back').length > 20));
    expect(await one.post('/', aCall(metadata))).toEqual({ status: 202, text: '' });
    expect(await one.metric('sluice_loadtester_tasks_running{type="k6"}')).toBe(1);
    const groups = await groupsBelow(one.child.pid);

    expect(await one.end()).toBe(0);
    await expectEnded(groups, '/back');
  });
});
