import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { until } from '../e2e/until.js';
import { aCall, openRig, type LoadTester, type Rig } from './rig.js';

interface Asked {
  readonly what: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let rig: Rig;
let tester: LoadTester;
let service: Server;
let url: string;
let asked: Asked[];
/** What the service answers next, in JSON or as it is; the last for good. */
let answers: unknown[];

beforeAll(async () => {
  rig = await openRig();
  tester = await rig.start();
  service = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      const { method, url: path, headers } = request;
      asked.push({ what: `${String(method)} ${String(path)}`, headers, body });
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
    });
  }).listen(0, '127.0.0.1');
  await once(service, 'listening');
  url = `http://127.0.0.1:${String((service.address() as AddressInfo).port)}`;
});
beforeEach(() => {
  asked = [];
  answers = [{}];
});
afterAll(async () => {
  await rig.close();
  service.closeAllConnections();
  service.close();
});

/** What the load tester logged last of a type of task. */
async function ended(type: string, name: string): Promise<unknown> {
  const record = await until(`the task of ${name} has ended`, () =>
    Promise.resolve(
      tester
        .logs()
        .find((one) => one['canary'] === `${name}.test` && String(one['msg']) !== 'task started'),
    ),
  );
  expect(record['type']).toBe(type);
  return record['cause'] ?? record['msg'];
}

describe('ngrinder', () => {
  const password = 'test-pass-word';
  const metadata = {
    type: 'ngrinder',
    clone: '960',
    username: 'admin',
    passwd: Buffer.from(password).toString('base64'),
    pollInterval: '20ms',
  };
  const running = { status: [{ status_id: 'TESTING' }] };
  const clone = 'POST /base/perftest/api/960/clone_and_start';
  const status = 'GET /base/perftest/api/7/status';
  const send = (name: string, over: object = {}): ReturnType<LoadTester['post']> =>
    tester.post('/', aCall({ ...metadata, server: `${url}/base/`, ...over }, { name }));

  it('starts a copy of a test, and waits for its end', async () => {
    answers = [{ id: 7 }, running, 'no JSON', running, { status: [{ status_id: 'FINISHED' }] }];

    expect(await send('good')).toEqual({ status: 202, text: '' });
    expect(await ended('ngrinder', 'good')).toBe('task done');

    expect(asked.map(({ what }) => what)).toEqual([clone, status, status, status, status]);
    const [first] = asked;
    expect(first?.headers.authorization).toBe(
      `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`,
    );
    expect([first?.body, first?.headers['content-type']]).toEqual(['', undefined]);
    expect(JSON.stringify(tester.logs())).not.toContain(password);
  });

  it.each<[string, unknown[], string]>([
    ['failing', [{ id: 7 }, { status: [{ status_id: 'STOP_BY_ERROR' }] }], 'test 7: STOP_BY_ERROR'],
    ['cancelled', [{ id: 7 }, { status: [{ status_id: 'CANCELED' }] }], 'test 7: CANCELED'],
    ['unknown', [{ id: 7 }, { status: [{ status_id: 'UNKNOWN' }] }], 'test 7: UNKNOWN'],
    ['refused', [{ success: false }], 'nGrinder did not start a copy of test 960'],
    ['without-id', [{}], 'nGrinder did not say which test is the copy of 960'],
    ['broken', ['<html>'], 'HTTP 200 without an object in JSON'],
  ])('fails when the test is %s', async (name, said, cause) => {
    answers = said;
    await send(name);
    expect(await ended('ngrinder', name)).toContain(cause);
  });

  it('fails when nobody answers, without the password in the logs', async () => {
    await send('nobody', { server: 'http://127.0.0.1:1/' });
    expect(await ended('ngrinder', 'nobody')).toContain('POST http://127.0.0.1:1/perftest/api/960');
  });

  it('stops the test at the time-out', async () => {
    const quick = await rig.start(['--gates', 'memory', '--timeout', '300ms']);
    answers = [{ id: 7 }, running];
    await quick.post('/', aCall({ ...metadata, server: `${url}/base/` }));
    await until('it is stopped', () =>
      Promise.resolve(asked.at(-1)?.what === 'PUT /base/perftest/api/7?action=stop'),
    );
  });

  it.each<[object, string]>([
    [{ server: 'ftp://a' }, 'metadata.server: has to be an http or https address'],
    [{ server: 'http://a:b@c' }, 'metadata.server: has to be an http or https address'],
    [{ clone: 'x' }, 'metadata.clone: has to be a whole number'],
    [{ passwd: '%%' }, 'metadata.passwd: has to be base64'],
    [{ pollInterval: 'soon' }, 'metadata.pollInterval: has to be a duration'],
    [{ pollInterval: '0s' }, 'metadata.pollInterval: has to be a duration'],
  ])('refuses %j', async (over, text) => {
    expect(await send('refused', over)).toEqual({
      status: 400,
      text: expect.stringContaining(text),
    });
    expect(asked).toEqual([]);
  });

  it.each(['server', 'clone', 'username', 'passwd'])('needs %s', async (field) => {
    const { [field]: _, ...rest } = { ...metadata, server: url } as Record<string, string>;
    expect(await tester.post('/', aCall(rest))).toEqual({
      status: 400,
      text: `metadata.${field}: is required`,
    });
  });
});

describe('concord', () => {
  const key = 'the-api-key';
  let metadata: Record<string, string>;
  beforeAll(async () => {
    const apiKeyPath = join(rig.folder, 'key');
    await writeFile(apiKeyPath, `${key}\n`);
    metadata = {
      ...{ type: 'concord', server: `${url}/replaced`, org: 'o', project: 'p', repo: 'r' },
      ...{ entrypoint: 'e', apiKeyPath, endpoint: 'http://app' },
      ...{ 'arguments.first': '1', 'arguments.second': 'two' },
    };
  });
  const send = (over: object = {}): ReturnType<LoadTester['post']> =>
    tester.post('/', aCall({ ...metadata, ...over }));

  it('starts a process, and waits for its end', async () => {
    answers = [{ instanceId: 'i', ok: true }, { status: 'RUNNING' }, { status: 'FINISHED' }];

    expect(await send({ pollInterval: '1' })).toEqual({ status: 200, text: '' });

    const poll = 'GET /api/v1/process/i';
    expect(asked.map(({ what }) => what)).toEqual(['POST /api/v1/process', poll, poll]);
    expect(asked.map(({ headers }) => headers.authorization)).toEqual([key, key, key]);
    const [sent] = asked;
    expect(sent?.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
    expect(
      [...(sent?.body ?? '').matchAll(/name="([^"]*)"\r\n\r\n([^\r]*)/g)].map(([, name, value]) => [
        name,
        value,
      ]),
    ).toEqual([
      ...[
        ['org', 'o'],
        ['project', 'p'],
        ['repo', 'r'],
        ['entryPoint', 'e'],
      ],
      ...[
        ['arguments.endpoint', 'http://app'],
        ['arguments.first', '1'],
      ],
      ['arguments.second', 'two'],
    ]);
  });

  it.each(['FAILED', 'CANCELLED', 'TIMED_OUT'])(
    'fails for a process that is %s',
    async (status) => {
      answers = [{ instanceId: 'i' }, { status }];
      const text = `command concord failed: : process i: ${status}`;
      expect(await send()).toEqual({ status: 500, text });
    },
  );

  it('fails when the time is over, all in all', async () => {
    answers = [{ instanceId: 'i' }, { status: 'RUNNING' }];
    const text = 'command concord failed: : it did not finish in time';
    expect(await send({ pollInterval: '1', pollTimeout: '2' })).toEqual({ status: 500, text });
  });

  it.each<[object, string]>([
    [{ 'arguments.endpoint': 'x' }, 'metadata.arguments.endpoint: use metadata.endpoint'],
    [{ pollInterval: '0' }, 'metadata.pollInterval: has to be a whole number of at least 1'],
    [{ pollTimeout: 'x' }, 'metadata.pollTimeout: has to be a whole number of at least 1'],
    [{ apiKeyPath: '/no/such' }, 'metadata.apiKeyPath: has to be a file'],
  ])('fails for %j', async (over, text) => {
    expect(await send(over)).toEqual({ status: 500, text: expect.stringContaining(text) });
    expect(asked).toEqual([]);
  });

  it('fails when the path of the key is that of a folder', async () => {
    const apiKeyPath = join(rig.folder, 'a-folder');
    await mkdir(apiKeyPath);
    expect((await send({ apiKeyPath })).text).toContain('metadata.apiKeyPath: has to be a file');
  });

  it.each(['server', 'org', 'project', 'repo', 'entrypoint', 'apiKeyPath', 'endpoint'])(
    'needs %s',
    async (field) => {
      const { [field]: _, ...rest } = metadata;
      expect(await tester.post('/', aCall(rest))).toEqual({
        status: 500,
        text: `command concord failed: : metadata.${field}: is required`,
      });
    },
  );

  it('never logs the key', () => {
    expect(JSON.stringify(tester.logs())).not.toContain(key);
  });
});
