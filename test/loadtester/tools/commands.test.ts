import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';

import { aCall, openRig, pathTo, type Answered, type LoadTester, type Rig } from '../rig.js';

/** What canaries' webhooks call by name besides `hey`: the load tester's image has it. */
let rig: Rig;
let tester: LoadTester;

beforeAll(async () => {
  const bats = fileURLToPath(new URL('../../../node_modules/bats/bin', import.meta.url));
  rig = await openRig();
  tester = await rig.start(['--gates', 'memory'], {
    PATH: [bats, await pathTo('ghz')].join(delimiter),
  });
});
afterAll(() => rig.close());

function run(cmd: string): Promise<Answered> {
  return tester.post('/', aCall({ type: 'bash', cmd, returnCmdOutput: 'true' }));
}

describe('ghz', () => {
  const { TEMPORAL_ADDRESS: server = '' } = process.env;
  let call: string;
  beforeAll(async () => {
    const proto = await rig.write(
      'health.proto',
      `syntax = "proto3";
package grpc.health.v1;
message HealthCheckRequest { string service = 1; }
message HealthCheckResponse { int32 status = 1; }
service Health { rpc Check(HealthCheckRequest) returns (HealthCheckResponse); }
`,
    );
    call = `ghz --insecure --proto ${proto} --call grpc.health.v1.Health.Check -n 50 -c 5`;
  });

  it('calls a gRPC service, and its summary is the answer', async () => {
    const data = JSON.stringify({ service: 'temporal.api.workflowservice.v1.WorkflowService' });
    const { status, text } = await run(`${call} -d '${data}' ${server}`);
    expect({ status, text }).toEqual({ status: 200, text: expect.stringMatching(/Count:\s+50\n/) });
    expect(text).toMatch(/\[OK\]\s+50 responses/);
  });

  it('is content with calls that fail: the canary is judged by its metrics', async () => {
    const { status, text } = await run(`${call} 127.0.0.1:1`);
    expect({ status, text }).toEqual({
      status: 200,
      text: expect.stringMatching(/\[Unavailable\]\s+50 responses/),
    });
  });
});

describe('bats', () => {
  it('runs tests, and what it prints is the answer', async () => {
    const file = await rig.write('good.bats', '@test "one and one" {\n  [ $((1 + 1)) -eq 2 ]\n}\n');
    expect(await run(`bats --tap ${file}`)).toEqual({
      status: 200,
      text: expect.stringContaining('ok 1 one and one\n'),
    });
  });

  it('fails with a test that fails, and says which', async () => {
    const file = await rig.write('bad.bats', '@test "one and two" {\n  [ $((1 + 2)) -eq 2 ]\n}\n');
    const { status, text } = await run(`bats --tap ${file}`);
    expect(status).toBe(500);
    expect(text).toContain('not ok 1 one and two\n');
  });
});
