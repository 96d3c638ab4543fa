import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { until } from '../e2e/until.js';
import { aCall, exists, isRunning, openRig, type LoadTester, type Rig } from './rig.js';

let rig: Rig;
let tester: LoadTester;
/**
 * Where programs of the tests are found before those of the machine. They print the words they got,
 * which real ones do not; real ones of k6 and helm are run in tools/.
 */
let programs: string;

beforeAll(async () => {
  rig = await openRig();
  programs = join(rig.folder, 'programs');
  await mkdir(programs);
  // Each prints its words, a line each, and fails for the word `fail`.
  for (const name of ['helm', 'kubectl', 'k6']) {
    const script = `#!/bin/sh\necho ${name}\nfor word in "$@"; do echo "<$word>"; done
[ "$1" = fail ] && exit 3\ncase "$*" in *-) cat;; esac\necho "$SECRET"\nexit 0\n`;
    await writeFile(join(programs, name), script);
    await chmod(join(programs, name), 0o755);
  }
  tester = await start('60s');
});
afterAll(() => rig.close());

function start(timeout: string): Promise<LoadTester> {
  const path = `${programs}:${process.env['PATH'] ?? ''}`;
  return rig.start(['--gates', 'memory', '--timeout', timeout], { PATH: path });
}

const returned = { returnCmdOutput: 'true' };

describe('bash', () => {
  it.each<[string, Record<string, string>, number, string]>([
    ['answers without the output', { cmd: 'echo a' }, 200, ''],
    ['answers with it when asked', { cmd: 'echo a', ...returned }, 200, 'a\n'],
    ['takes 1 for yes', { cmd: 'echo a', returnCmdOutput: '1' }, 200, 'a\n'],
    ['takes any other word for no', { cmd: 'echo a', returnCmdOutput: 'yes' }, 200, ''],
    [
      'has both outputs in order',
      { cmd: 'echo a; echo b >&2; echo c', ...returned },
      200,
      'a\nb\nc\n',
    ],
    ['succeeds without a script', {}, 200, ''],
    ['is bash', { cmd: '[[ a == a ]] && echo {1..3}', ...returned }, 200, '1 2 3\n'],
    ['fails with its status', { cmd: 'false' }, 500, 'command false failed: : exit status 1'],
    [
      'fails with its output',
      { cmd: 'echo a; exit 7' },
      500,
      'command echo a; exit 7 failed: a\n: exit status 7',
    ],
    [
      'fails for a signal',
      { cmd: 'kill -9 $$' },
      500,
      'command kill -9 $$ failed: : signal: killed',
    ],
    ['has variables', { cmd: 'echo $A', 'env.A': 'short', ...returned }, 200, 'short\n'],
    [
      'fails for what cannot be run',
      { cmd: 'a\0b' },
      500,
      'command a\0b failed: : ERR_INVALID_ARG_VALUE',
    ],
  ])('%s', async (_, metadata, status, text) => {
    expect(await tester.post('/', aCall({ type: 'bash', ...metadata }))).toEqual({ status, text });
  });

  it('runs each request, though its twin runs', async () => {
    const file = join(rig.folder, 'bash-twins');
    const cmd = `echo ran >> ${file}; until [ $(wc -l < ${file}) = 2 ]; do sleep 0.05; done`;
    const answers = await Promise.all(
      [1, 2].map(() => tester.post('/', aCall({ type: 'bash', cmd }))),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  });

  it('keeps the end of an output that is too long', async () => {
    const cmd = 'yes | head -c 3000000; echo end';
    const { text } = await tester.post('/', aCall({ type: 'bash', cmd, ...returned }));

    expect(text).toHaveLength(1024 * 1024);
    expect(text.endsWith('y\nend\n')).toBe(true);
  });
});

describe.each([
  ['helm', 'helm'],
  ['helmv3', 'helm'],
  ['kubectl', 'kubectl'],
])('%s', (type, program) => {
  it.each<[string, string[]]>([
    ['test  a\n b', ['test', 'a', 'b']],
    ['$HOME;  *', ['$HOME;', '*']],
    ['-o jsonpath={[?(@.type=="Ready")]}', ['-o', 'jsonpath={[?(@.type=="Ready")]}']],
    [`patch -p '{"a": {"b": 1}}' x`, ['patch', '-p', '{"a": {"b": 1}}', 'x']],
    [`a "b c" don't`, ['a', 'b c', `don't`]],
    ['', []],
  ])('has the words of %j', async (cmd, words) => {
    const { text } = await tester.post('/', aCall({ type, cmd, ...returned }));
    expect(text.trimEnd().split('\n')).toEqual([program, ...words.map((word) => `<${word}>`)]);
  });

  it('fails with its output', async () => {
    expect(await tester.post('/', aCall({ type, cmd: 'fail' }))).toEqual({
      status: 500,
      text: `command fail failed: ${program}\n<fail>\n: exit status 3`,
    });
  });
});

it('says when a program is not there', async () => {
  const bare = await rig.start(['--gates', 'memory'], { PATH: '/usr/bin:/bin' });
  const { status, text } = await bare.post('/', aCall({ type: 'helm', cmd: 'list' }));
  expect(status).toBe(500);
  expect(text).toMatch(/^command list failed: .*helm: not found\n: exit status 127$/);
});

describe('cmd', () => {
  it('is the type of a task without one, and answers at once', async () => {
    const file = join(rig.folder, 'cmd-done');
    const cmd = `until [ -e ${file} ]; do sleep 0.05; done; echo "done" > ${file}`;

    expect(await tester.post('/', aCall({ cmd }))).toEqual({ status: 202, text: '' });
    expect(await tester.metric('sluice_loadtester_tasks_running{type="cmd"}')).toBe(1);
    await writeFile(file, '');
    await until('it has run', async () => (await readFile(file, 'utf8')) === 'done\n');
  });

  it('may be empty', async () => {
    expect(await tester.post('/', aCall({ cmd: '' }))).toEqual({ status: 202, text: '' });
  });

  it('runs once in a storm of a hundred requests, however short it is', async () => {
    const file = join(rig.folder, 'storm');
    const storm = Array.from({ length: 100 }, () =>
      tester.post('/', aCall({ type: 'cmd', cmd: `echo ran >> ${file}; sleep 3` })),
    );
    const answers = await Promise.all(storm);
    const other = aCall({ cmd: `echo ran >> ${file}; sleep 3` }, { name: 'other' });
    await tester.post('/', other);
    await until('all have ended', async () => {
      const running = await tester.metric('sluice_loadtester_tasks_running{type="cmd"}');
      return running === 0;
    });

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    // That of the other canary is another.
    expect(await readFile(file, 'utf8')).toBe('ran\nran\n');
  });

  it('runs again once it has ended', async () => {
    const file = join(rig.folder, 'again');
    const task = aCall({ cmd: `echo ran >> ${file}` });
    await until('it has run twice', async () => {
      await tester.post('/', task);
      return (await exists(file)) && (await readFile(file, 'utf8')).split('\n').length > 2;
    });
  });
});

describe('the time-out', () => {
  let quick: LoadTester;
  beforeAll(async () => {
    quick = await start('1s');
  });

  /** A shell whose grandchild writes its id, and outlives it if only the shell is killed. */
  const family = (file: string): string =>
    `(sh -c 'echo $$ > ${file}; sleep 300; true'; true); true`;
  const idIn = (file: string): Promise<number> =>
    until('the grandchild runs', async () => {
      return (await exists(file)) && Number(await readFile(file, 'utf8'));
    });

  it('of a script somebody waits for kills its grandchildren too', async () => {
    const file = join(rig.folder, 'grandchild-1');
    const cmd = family(file);

    const { status, text } = await quick.post('/', aCall({ type: 'bash', cmd }));

    expect({ status, text }).toEqual({
      status: 500,
      text: `command ${cmd} failed: : signal: killed`,
    });
    const pid = await idIn(file);
    await until('it is gone', async () => !(await isRunning(pid)));
  });

  it('of a command in the background kills its grandchildren too, and frees its place', async () => {
    const file = join(rig.folder, 'grandchild-2');
    const task = aCall({ cmd: family(file) });

    await quick.post('/', task);
    const pid = await idIn(file);
    await until('it was killed', async () => !(await isRunning(pid)));
    await until('it runs again', async () => {
      await quick.post('/', task);
      return Number(await readFile(file, 'utf8')) !== pid;
    });
  });

  it('is not put off by a process that has left the group', async () => {
    const file = join(rig.folder, 'daemon');
    const cmd = `setsid sh -c 'echo $$ > ${file}; sleep 300' & sleep 300`;
    try {
      const { text } = await quick.post('/', aCall({ type: 'bash', cmd }));
      expect(text).toContain('signal: killed');
    } finally {
      process.kill(-(await idIn(file)), 'SIGKILL');
    }
  });

  it('is counted as a failure', async () => {
    expect(await quick.metric('sluice_loadtester_tasks_failed_total{type="bash"}')).toBe(2);
    expect(await quick.metric('sluice_loadtester_tasks_done_total{type="bash"}')).toBe(0);
    expect(await quick.metric('sluice_loadtester_task_duration_seconds_count{type="bash"}')).toBe(
      2,
    );
  });
});

describe('the end of the process', () => {
  it('waits for who waits, and takes nothing new', async () => {
    const one = await start('60s');
    const file = join(rig.folder, 'waited');
    const cmd = `touch ${file}; until [ ! -e ${file} ]; do sleep 0.05; done; echo ended`;
    const answer = one.post('/', aCall({ type: 'bash', cmd, ...returned }));
    await until('it runs', () => exists(file));

    const ended = one.end();
    await until('it takes nothing new', async () =>
      one.get('/healthz').then(
        () => false,
        () => true,
      ),
    );
    await rm(file);

    expect(await answer).toEqual({ status: 200, text: 'ended\n' });
    expect(await ended).toBe(0);
  });

  it('ends what runs in the background', async () => {
    const one = await start('60s');
    const file = join(rig.folder, 'ended');
    await one.post('/', aCall({ cmd: `sh -c 'echo $$ > ${file}; sleep 300; true'; true` }));
    const pid = await until('it runs', async () => {
      return (await exists(file)) && Number(await readFile(file, 'utf8'));
    });

    expect(await one.end()).toBe(0);
    await until('it is gone', async () => !(await isRunning(pid)));
  });

  it('comes at once, with what runs, for a second signal', async () => {
    const one = await start('60s');
    const file = join(rig.folder, 'hurried');
    const cmd = `echo $$ > ${file}; sleep 300`;
    const answer = one.post('/', aCall({ type: 'bash', cmd })).catch(() => undefined);
    const pid = await until('it runs', async () => {
      return (await exists(file)) && Number(await readFile(file, 'utf8'));
    });

    one.child.kill('SIGTERM');
    await until('it is stopping', () =>
      Promise.resolve(one.logs().some(({ msg }) => msg === 'stopping')),
    );
    expect(await one.end('SIGTERM')).toBe(1);
    await until('it is gone', async () => !(await isRunning(pid)));
    await answer;
  });
});

describe('secrets', () => {
  const secret = 'correct-horse-battery';

  it('in variables are masked in answers and logs', async () => {
    const metadata = { cmd: 'echo $SECRET; exit 1', 'env.SECRET': secret, logCmdOutput: 'true' };
    const { text } = await tester.post('/', aCall({ type: 'bash', ...metadata }));

    expect(text).toBe('command echo $SECRET; exit 1 failed: ***\n: exit status 1');
    const logged = tester.logs().find(({ output }) => output === '***\n');
    expect(logged).toMatchObject({ msg: 'task failed', type: 'bash', canary: 'podinfo.test' });
  });

  it('in commands are neither logged nor counted by', async () => {
    const cmd = `curl -H 'Authorization: ${secret}' http://127.0.0.1:1; echo ${secret}`;
    for (const type of ['bash', 'helm', 'kubectl']) await tester.post('/', aCall({ type, cmd }));
    await tester.post('/', aCall({ cmd }));
    await tester.post('/', aCall({ type: secret, cmd }));
    await tester.post('/', aCall({ cmd, [`env.${secret}`]: secret }));
    await until('all are done', async () => {
      return (await tester.metric('sluice_loadtester_tasks_running{type="cmd"}')) === 0;
    });

    expect(JSON.stringify(tester.logs())).not.toContain(secret);
    expect((await tester.get('/metrics')).text).not.toContain(secret);
  });
});

describe('k6', () => {
  const script = 'export default function () {}\n';

  it('has its words and the script that is sent', async () => {
    const metadata = { script, args: '--vus 2 --tag "a b"', 'env.SECRET': 'shown', ...returned };
    const { status, text } = await tester.post('/', aCall({ type: 'k6', ...metadata }));

    expect(status).toBe(200);
    expect(text).toBe(
      `k6\n<run>\n<--quiet>\n<--no-color>\n<--vus>\n<2>\n<--tag>\n<a b>\n<->\n${script}shown\n`,
    );
  });

  it('has the name of a file of the load tester', async () => {
    const metadata = { scriptFile: '/tests/a.js', ...returned };
    const { text } = await tester.post('/', aCall({ type: 'k6', ...metadata }));
    expect(text).toContain('<--no-color>\n</tests/a.js>\n');
  });

  it('may run in the background', async () => {
    const metadata = { type: 'k6', script, background: 'true' };
    expect(await tester.post('/', aCall(metadata))).toEqual({ status: 202, text: '' });
  });

  it.each<[Record<string, string>, string]>([
    [{}, 'metadata: needs exactly one of script, scriptFile, configMap'],
    [{ script, configMap: 'a' }, 'metadata: needs exactly one of script, scriptFile, configMap'],
    [{ script: '' }, 'metadata.script: must not be empty'],
    [{ script, timeout: '1 hour' }, 'metadata.timeout: has to be a duration such as'],
  ])('refuses %j', async (metadata, text) => {
    const answered = await tester.post('/', aCall({ type: 'k6', ...metadata }));
    expect(answered).toEqual({ status: 400, text: expect.stringContaining(text) });
  });
});
