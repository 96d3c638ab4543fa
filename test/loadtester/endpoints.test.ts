import { request } from 'node:http';

import { aCall, openRig, type LoadTester, type Rig } from './rig.js';

let rig: Rig;
let tester: LoadTester;

beforeAll(async () => {
  rig = await openRig();
  tester = await rig.start();
});
afterAll(() => rig.close());

const call = aCall();
const ok = { status: 200, text: 'OK' };
const approved = { status: 200, text: 'Approved' };
const forbidden = { status: 403, text: 'Forbidden' };
const accepted = { status: 202, text: '' };

it.each([
  ['/healthz', ok],
  ['/gate/approve', ok],
  ['/gate/halt', forbidden],
])('%s needs no body', async (path, answer) => {
  expect(await tester.get(path)).toEqual(answer);
  expect(await tester.post(path, '')).toEqual(answer);
  expect(await tester.post(path, 'no JSON')).toEqual(answer);
});

it('/metrics tells what a process and tasks are counted by', async () => {
  const { status, text } = await tester.get('/metrics');

  expect(status).toBe(200);
  expect(text).toContain('process_cpu_seconds_total');
  expect(text).toContain('sluice_loadtester_tasks_running{type="cmd"} 0');
});

describe.each(['gate', 'rollback'])('the %s', (what) => {
  it('is closed until it is opened, and after it is closed', async () => {
    const one = aCall(undefined, { name: `${what}-of-a` });

    expect(await tester.post(`/${what}/check`, one)).toEqual(forbidden);
    expect(await tester.post(`/${what}/open`, one)).toEqual(accepted);
    expect(await tester.post(`/${what}/open`, one)).toEqual(accepted);
    expect(await tester.post(`/${what}/check`, one)).toEqual(approved);
    expect(await tester.post(`/${what}/close`, one)).toEqual(accepted);
    expect(await tester.post(`/${what}/close`, one)).toEqual(accepted);
    expect(await tester.post(`/${what}/check`, one)).toEqual(forbidden);
  });

  it.each(['check', 'open', 'close'])('needs a body to %s', async (act) => {
    const answers = await Promise.all(
      ['', 'no JSON', '[]', 'null', '{"name":1}'].map((body) =>
        tester.post(`/${what}/${act}`, body),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400]);
  });

  it('takes a name and a namespace that are missing for empty ones', async () => {
    expect(await tester.post(`/${what}/open`, '{}')).toEqual(accepted);
    expect(await tester.post(`/${what}/check`, { name: '', namespace: '' })).toEqual(approved);
    expect(await tester.post(`/${what}/close`, '{}')).toEqual(accepted);
  });
});

it('tells a gate of a canary from its rollback switch, and from other canaries', async () => {
  await tester.post('/gate/open', { name: 'a', namespace: 'b.c' });

  const others = [
    ['/rollback/check', { name: 'a', namespace: 'b.c' }],
    ['/gate/check', { name: 'a.b', namespace: 'c' }],
    ['/gate/check', { name: 'rollback.a', namespace: 'b.c' }],
  ] as const;
  for (const [path, other] of others) expect(await tester.post(path, other)).toEqual(forbidden);
});

it.each(['/', '/foo', '/gate/unknown', '/healthz/', '/constructor'])(
  '%s runs a task',
  async (path) => {
    const task = aCall({ type: 'bash', cmd: 'echo ran', returnCmdOutput: 'true' });
    expect(await tester.post(path, task)).toEqual({ status: 200, text: 'ran\n' });
  },
);

it.each([
  ['//gate//open', '/gate/open'],
  ['/gate/../gate/./check?a=//b', '/gate/check?a=//b'],
])('redirects %s', async (path, location) => {
  const { hostname, port } = new URL(tester.url);
  const answered = await new Promise((resolve, reject) => {
    // `fetch` would clean the path itself.
    const sent = request({ hostname, port, path, method: 'POST' }, ({ statusCode, headers }) => {
      resolve({ statusCode, location: headers.location });
    });
    sent.on('error', reject).end(JSON.stringify(call));
  });
  expect(answered).toEqual({ statusCode: 307, location });
});

it('takes a body with any method and content type', async () => {
  const { hostname, port } = new URL(tester.url);
  const byGet = aCall(undefined, { name: 'by-get' });
  const body = JSON.stringify(byGet);
  const headers = { 'Content-Type': 'a/form', 'Content-Length': body.length };
  const options = { hostname, port, path: '/gate/open', method: 'GET', headers };
  const status = await new Promise((resolve, reject) => {
    const sent = request(options, ({ statusCode }) => resolve(statusCode));
    sent.on('error', reject).end(body);
  });

  expect(status).toBe(202);
  expect(await tester.post('/gate/check', byGet)).toEqual(approved);
});

it('answers in plain text', async () => {
  const { headers } = await fetch(`${tester.url}/gate/halt`);
  expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
});

describe('a body that is not understood', () => {
  it.each<[unknown, string]>([
    ['', 'the body is empty'],
    ['{', 'the body is not understood'],
    ['[]', 'the body is not understood'],
    ['"secret"', 'the body is not understood'],
    [{ name: 5 }, 'name: has to be a text'],
    [{ namespace: {} }, 'namespace: has to be a text'],
    [{ phase: 5 }, 'phase: has to be a text'],
    [{ checksum: true }, 'checksum: has to be a text'],
    [{ metadata: 'a' }, 'metadata: has to be an object of texts'],
    [{ metadata: ['a'] }, 'metadata: has to be an object of texts'],
    [{ metadata: { cmd: 5 } }, 'metadata.cmd: has to be a text'],
    [call, 'metadata not found in payload'],
    [aCall({}), 'metadata not found in payload'],
    [aCall({ type: 'nope' }), 'metadata.type: unknown task type (known: cmd, bash, helm'],
    [aCall({ type: '' }), 'metadata.type: unknown task type'],
    [aCall({ type: 'cmd' }), 'metadata.cmd: is required'],
    [aCall({ a: 'b' }), 'metadata.cmd: is required'],
    [aCall({ cmd: 'true', 'env.a-b': '1' }), 'metadata.env.a-b: is no name of a variable'],
  ])('%j is refused with the field', async (body, text) => {
    const answered = await tester.post('/', body);

    expect(answered.status).toBe(400);
    expect(answered.text).toContain(text);
    expect(answered.text).not.toContain('secret');
  });

  it('is refused when it is too long', async () => {
    const answered = await tester.post('/', aCall({ cmd: 'x'.repeat(5 * 1024 * 1024) }));
    expect(answered).toEqual({ status: 413, text: 'the body: at most 4194304 bytes' });
  });
});

describe('with a rule for namespaces', () => {
  beforeAll(async () => {
    tester = await rig.start(['--gates', 'memory', '-namespace-regexp', '(?i)^team-A']);
  });

  const inside = aCall({ type: 'bash' }, { namespace: 'team-a-1' });
  const outside = aCall({ type: 'bash' }, { namespace: 'other' });

  it.each(['/', '/gate/check', '/gate/open', '/gate/close'])('%s', async (path) => {
    expect((await tester.post(path, inside)).text).not.toBe(
      path === '/gate/check' ? '' : 'Forbidden',
    );
    expect(await tester.post(path, outside)).toEqual(forbidden);
  });

  it.each(['/rollback/check', '/rollback/open', '/rollback/close'])('%s', async (path) => {
    expect(await tester.post(path, outside)).toEqual(forbidden);
  });

  it('is looked at before the metadata, and after the JSON', async () => {
    expect(await tester.post('/', { namespace: 'other' })).toEqual(forbidden);
    expect((await tester.post('/', '{')).status).toBe(400);
  });

  it.each(['/gate/approve', '/healthz'])('%s answers all', async (path) => {
    expect(await tester.post(path, outside)).toEqual(ok);
  });
});

describe('the command line', () => {
  it.each([
    [['--port', '70000'], 'allowed: 0 to 65535'],
    [['--timeout', '5'], 'allowed: a duration above 0'],
    [['--namespace-regexp', '('], '--namespace-regexp'],
    [['--log-level', 'loud'], 'allowed: debug, info'],
    [['--gates', 'redis'], 'allowed: configmap:[NAMESPACE/]NAME, folder:PATH, memory'],
    [['--nope'], "unknown option '--nope'"],
  ])('%j is refused', async (args, said) => {
    const ended = await rig.runToEnd(args);

    expect(ended.code).toBe(2);
    expect(ended.said).toContain(said);
  });

  it("takes Flagger's flags, with one dash", async () => {
    const flags = ['-timeout=2h', '-namespace-regexp=', '-log-level=warning', '-zap-encoding=json'];
    const one = await rig.start(['--log-level=info', ...flags.slice(0, 2), '--gates=memory']);
    expect(await one.end()).toBe(0);
    const { said } = await rig.runToEnd([...flags, '-zap-replace-globals=false', '-h']);
    expect(said).toContain('Usage: loadtester');
  });
});
