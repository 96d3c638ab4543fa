import { jest } from '@jest/globals';

import { openRig, same, imageOf, type Rig } from './rig.js';

jest.setTimeout(180_000);

const prefixes = { b7none: '', b7some: 'foo,lor', b7all: '*' } as const;
const rigs: Rig[] = [];

async function rigWith(name: string, flag: string): Promise<Rig> {
  const rig = await openRig(name, flag);
  rigs.push(rig);
  return rig;
}

afterAll(() => Promise.all(rigs.map((rig) => rig.close())), 60_000);

const labels = { 'foo.example/a': '1', lorem: '2', other: '3' };

it.each([
  ['b7none', {}],
  ['b7some', { 'foo.example/a': '1', lorem: '2' }],
  ['b7all', labels],
] as const)(
  same('B7', 'labels with the prefixes are on the primary, and its selector label always: %s'),
  async (name, inherited) => {
    const rig = await rigWith(name, `--include-label-prefix=${prefixes[name]}`);
    const app = await rig.open(name, {
      target: { metadata: { labels: { app: name, ...labels } } },
    });
    await app.untilPhase('Initialized');
    const expected = { ...inherited, app: `${name}-primary` };
    expect((await app.workload('primary')).metadata.labels).toEqual(expected);
    await app.setImage('2');
    await app.untilPhase('Succeeded');
    expect((await app.workload('primary')).metadata.labels).toEqual(expected);
  },
);

it(same('B12', 'without config tracking there are no copies, and names stay'), async () => {
  const rig = await rigWith('b12', '--enable-config-tracking=false');
  const envFrom = [{ configMapRef: { name: 'settings' } }];
  const app = await rig.open('untracked', {
    beside: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' } }],
    target: { podSpec: { containers: [{ name: 'app', image: imageOf('1'), envFrom }] } },
  });
  await app.untilPhase('Initialized');
  expect((await app.workload('primary')).spec.template.spec?.containers).toMatchObject([
    { envFrom },
  ]);
  expect(await app.find('v1', 'ConfigMap', 'settings-primary')).toBeUndefined();
});
