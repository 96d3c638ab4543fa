import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';

import { provideTools } from '../../sandbox/tools/provide.js';
import { until } from '../e2e/until.js';
import { aCall, openRig, type Rig } from './rig.js';

let rig: Rig;
let path: string;
// Building it takes a while, once per machine.
beforeAll(async () => {
  const { hey = '' } = await provideTools(['hey'], { report: (line) => console.error(line) });
  path = `${dirname(hey)}:${process.env['PATH'] ?? ''}`;
  rig = await openRig();
}, 300_000);
afterAll(() => rig.close());

it('loads as canaries are loaded: one run for all webhooks, which goes on between them', async () => {
  let requests = 0;
  const app = createServer((_, response) => {
    requests += 1;
    response.end();
  }).listen(0, '127.0.0.1');
  await once(app, 'listening');
  const url = `http://127.0.0.1:${String((app.address() as AddressInfo).port)}/`;
  const tester = await rig.start(['--gates', 'memory'], { PATH: path });
  const task = aCall({ type: 'cmd', cmd: `hey -z 10m -q 50 -c 2 ${url}`, logCmdOutput: 'true' });
  try {
    for (let seen = 0; seen < 3; seen += 1) {
      expect(await tester.post('/', task)).toEqual({ status: 202, text: '' });
      const before = requests;
      await until('there is load', () => Promise.resolve(requests > before + 20));
    }
    expect(await tester.metric('sluice_loadtester_tasks_running{type="cmd"}')).toBe(1);
    expect(await tester.metric('sluice_loadtester_tasks_twins_total{type="cmd"}')).toBe(2);

    expect(await tester.end()).toBe(0);
    const after = requests;
    await once(app.close(), 'close');
    expect(requests).toBe(after);
  } finally {
    app.closeAllConnections();
    app.close();
  }
});

it('answers with what hey tells', async () => {
  const tester = await rig.start(['--gates', 'memory'], { PATH: path });
  const cmd = `hey -n 50 -c 5 ${tester.url}/healthz`;
  const { status, text } = await tester.post(
    '/',
    aCall({ type: 'bash', cmd, returnCmdOutput: 'true' }),
  );
  expect(status).toBe(200);
  expect(text).toContain('[200]\t50 responses');
});
