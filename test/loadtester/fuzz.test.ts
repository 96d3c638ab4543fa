import { request } from 'node:http';

import fc from 'fast-check';

import { openRig, type LoadTester, type Rig } from './rig.js';

let rig: Rig;
let tester: LoadTester;
beforeAll(async () => {
  rig = await openRig();
  tester = await rig.start();
});
afterAll(() => rig.close());

const paths = ['/', '/gate/check', '/gate/open', '/rollback/close', '/x'];
const types = ['cmd', 'bash', 'helm', 'ngrinder', 'concord', 'k6', 'job', '', 'toString'];

/** Fields that are there or not, and mostly of the wrong kind; no command ever has words. */
const almostCall = fc.record(
  {
    name: fc.oneof(fc.string(), fc.jsonValue()),
    namespace: fc.oneof(fc.string(), fc.jsonValue()),
    metadata: fc.oneof(
      fc.jsonValue(),
      fc.record(
        {
          type: fc.oneof(fc.constantFrom(...types), fc.string()),
          clone: fc.jsonValue(),
          template: fc.string(),
          script: fc.constant(''),
          'env.=': fc.string(),
          ['__proto__']: fc.jsonValue(),
        },
        { requiredKeys: ['type'] },
      ),
    ),
  },
  { requiredKeys: [] },
);
const body = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.json(),
  almostCall.map((value) => JSON.stringify(value)),
);

it('any body is answered, and what is wrong with 4xx', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), body, async (path, sent) => {
      const { status } = await tester.post(path, sent);
      return [200, 202, 400, 403].includes(status) || (status === 500 && isRun(sent));
    }),
    { numRuns: 600 },
  );
  expect(tester.child.exitCode).toBeNull();
  expect((await tester.get('/healthz')).text).toBe('OK');
}, 60_000);

/** Tasks that may be understood, and fail here: no Helm, no cluster, no Concord. */
function isRun(sent: string): boolean {
  return /"type":"(bash|helm|concord|k6|job)"/.test(sent);
}

it('any path and header is answered', async () => {
  const { hostname, port } = new URL(tester.url);
  await fc.assert(
    fc.asyncProperty(fc.stringMatching(/^[!-~]{0,40}$/), (path) => {
      return new Promise<boolean>((resolve, reject) => {
        const sent = request({ hostname, port, path: `/${path}`, method: 'POST' }, (answer) => {
          answer.resume();
          resolve([200, 307, 400, 403].includes(answer.statusCode ?? 0));
        });
        sent.setHeader('Idempotency-Key', path);
        sent.on('error', reject).end('{}');
      });
    }),
    { numRuns: 300 },
  );
}, 60_000);
