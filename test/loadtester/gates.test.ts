import { join } from 'node:path';

import fc from 'fast-check';

import { keyOf } from '../../loadtester/gates/gates.js';
import { aCall, openRig, type Rig } from './rig.js';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

const one = aCall();

describe('gates in a folder', () => {
  it('stay open though the process is killed, and closed though it starts again', async () => {
    const place = ['--gates', `folder:${join(rig.folder, 'killed')}`];
    const first = await rig.start(place);
    await first.post('/gate/open', one);
    await first.post('/rollback/open', one);
    await first.post('/rollback/close', one);
    expect(await first.end('SIGKILL')).toBe('SIGKILL');

    const second = await rig.start(place);
    expect(await second.post('/gate/check', one)).toEqual({ status: 200, text: 'Approved' });
    expect((await second.post('/rollback/check', one)).status).toBe(403);
  });

  it('are shared by processes', async () => {
    const place = ['--gates', `folder:${join(rig.folder, 'shared')}`];
    const [a, b] = await Promise.all([rig.start(place), rig.start(place)]);

    await a.post('/gate/open', one);
    expect((await b.post('/gate/check', one)).status).toBe(200);
    await b.post('/gate/close', one);
    expect((await a.post('/gate/check', one)).status).toBe(403);
  });

  it('of any name can be opened', async () => {
    const tester = await rig.start(['--gates', `folder:${join(rig.folder, 'names')}`]);
    for (const name of ['../../up', 'a/b', 'ü', 'x'.repeat(300), ' ', '\0']) {
      const strange = aCall(undefined, { name });
      expect((await tester.post('/gate/check', strange)).status).toBe(403);
      expect((await tester.post('/gate/open', strange)).status).toBe(202);
      expect((await tester.post('/gate/check', strange)).status).toBe(200);
    }
  });
});

it('in memory are closed by a restart, as in Flagger', async () => {
  const first = await rig.start(['--gates', 'memory']);
  await first.post('/gate/open', one);
  await first.end('SIGKILL');

  const second = await rig.start(['--gates', 'memory']);
  expect((await second.post('/gate/check', one)).status).toBe(403);
});

it('need a cluster unless it is said where else they are kept', async () => {
  const { code, said } = await rig.runToEnd([], { KUBECONFIG: '', HOME: rig.folder });
  expect(code).toBe(1);
  expect(said).toContain('no cluster is configured');
  expect(said).toContain('--gates folder:PATH');
});

describe('the key of a switch', () => {
  it('can be read', () => {
    expect(keyOf('gate', { namespace: 'test', name: 'my-app.v1' })).toBe('gate__test__my-app.v1');
  });

  it('fits a ConfigMap and is not that of another', () => {
    const text = fc.oneof(fc.stringMatching(/^[-_.a-f0-9]{0,6}$/), fc.string({ maxLength: 300 }));
    const name = fc.record({ namespace: text, name: text });
    fc.assert(
      fc.property(name, name, (a, b) => {
        const [one, other] = [keyOf('gate', a), keyOf('gate', b)];
        const same = a.name === b.name && a.namespace === b.namespace;
        return /^[-._a-zA-Z0-9]{1,253}$/.test(one) && (one === other) === same;
      }),
      { numRuns: 2_000 },
    );
  });
});
