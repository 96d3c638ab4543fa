import { jest } from '@jest/globals';

import type { Config } from '../../domain/configs.js';
import { differs, imageOf, openRig, same, type AppOptions, type Rig } from './rig.js';

jest.setTimeout(180_000);

let rig: Rig;

beforeAll(async () => {
  rig = await openRig('configs');
}, 60_000);

afterAll(() => rig.close(), 60_000);

describe('configs', () => {
  it.concurrent(
    same('B10', 'one that is annotated as not tracked has no copy, and the primary reads it'),
    async () => {
      const options = reading('off', { 'flagger.app/config-tracking': 'disabled' });
      const app = await rig.open('off', options);
      await app.untilPhase('Initialized');
      expect(await app.find('v1', 'ConfigMap', 'off-primary')).toBeUndefined();
      expect((await app.workload('primary')).spec.template.spec?.containers).toMatchObject([
        { envFrom: [{ configMapRef: { name: 'off' } }] },
      ]);
    },
  );

  it.concurrent(same('B11', 'one that is annotated with another key is tracked'), async () => {
    const options = reading('on', { 'example.com/config-tracking': 'disabled' });
    const app = await rig.open('on', options);
    await app.untilPhase('Initialized');
    expect(await app.find('v1', 'ConfigMap', 'on-primary')).toMatchObject({
      data: { colour: 'blue' },
    });
    expect((await app.workload('primary')).spec.template.spec?.containers).toMatchObject([
      { envFrom: [{ configMapRef: { name: 'on-primary' } }] },
    ]);
  });

  it.concurrent(
    same('B13', 'one that two canaries share has one copy with two owners; the last one writes it'),
    async () => {
      const first = await rig.open('one', reading('shared'));
      await first.untilPhase('Initialized');
      const { beside: _, ...options } = reading('shared');
      const second = await rig.open('two', options);
      await second.untilPhase('Initialized');
      const copy = (): Promise<Config | undefined> =>
        first.find<Config>('v1', 'ConfigMap', 'shared-primary');
      const owners = (await copy())?.metadata.ownerReferences ?? [];
      expect(owners.map(({ name, controller }) => [name, controller]).sort()).toEqual([
        ['one', false],
        ['two', true],
      ]);
      const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: rig.namespace, name: 'shared' };
      await rig.kube.patch(ref, { data: { colour: 'green' } });
      await Promise.all([first, second].map((app) => app.untilPhase('Succeeded')));
      expect((await copy())?.data).toEqual({ colour: 'green' });
      expect((await copy())?.metadata.ownerReferences).toHaveLength(2);
    },
  );

  it.concurrent(
    differs('B13', 'binary data is neither noticed nor copied', 'it is content like any other'),
    async () => {
      const app = await rig.open('binary', reading('binary'));
      await app.untilPhase('Initialized');
      const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: rig.namespace, name: 'binary' };
      await rig.kube.patch(ref, { binaryData: { picture: 'AAEC' } });
      await app.untilPhase('Succeeded');
      expect(await app.find('v1', 'ConfigMap', 'binary-primary')).toMatchObject({
        binaryData: { picture: 'AAEC' },
      });
    },
  );

  it.concurrent.each([
    ['silent', {}],
    ['false', { optional: false }],
  ])(same('B15', 'one that is not optional has to be there: %s'), async (how, optional) => {
    const name = `needed-${how}`;
    const { beside: _, ...options } = reading(name, {}, optional);
    const app = await rig.open(name, options);
    await app.until('word of it', async () =>
      (await app.events()).some(
        (event) => event.startsWith('Warning ') && event.includes(`configmap ${name}.test`),
      ),
    );
    expect(await app.find('apps/v1', 'Deployment', `${name}-primary`)).toBeUndefined();
    expect((await app.workload('target')).spec.replicas).toBe(1);
  });

  it.concurrent(same('B15', 'one that is optional may be missing: true'), async () => {
    const { beside: _, ...options } = reading('spare', {}, { optional: true });
    const app = await rig.open('spare', options);
    await app.untilPhase('Initialized');
    expect((await app.workload('primary')).spec.template.spec?.containers).toMatchObject([
      { envFrom: [{ configMapRef: { name: 'spare' } }] },
    ]);
  });
});

/** A target with a ConfigMap as its environment. */
function reading(
  name: string,
  annotations: Readonly<Record<string, string>> = {},
  optional: { readonly optional?: boolean } = {},
): AppOptions {
  const config: Config = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, annotations },
    data: { colour: 'blue' },
  };
  const envFrom = [{ configMapRef: { name, ...optional } }];
  const containers = [{ name: 'app', image: imageOf('1'), envFrom }];
  return { beside: [config], target: { podSpec: { containers } } };
}
