import type { Kube } from '../../../activities/kube.js';
import { receiverNamed, receiverOf } from '../../../activities/notifiers/receivers.js';
import type { KubeObject, ObjectRef } from '../../../domain/objects.js';

const name = { namespace: 'ops', name: 'on-call' };

/** A cluster that holds one AlertProvider, and one Secret or none. */
function cluster(spec: object | undefined, secret?: object, annotations = {}): Kube {
  const find = ({ kind, namespace, name: of }: ObjectRef): Promise<KubeObject | undefined> => {
    const metadata = { name: of, namespace, annotations };
    const isThere = namespace === 'ops' && of === (kind === 'Secret' ? 'hidden' : 'on-call');
    if (!isThere || (kind === 'Secret' && secret === undefined)) return Promise.resolve(undefined);
    return Promise.resolve(
      kind === 'Secret'
        ? { apiVersion: 'v1', kind, metadata, data: secret }
        : { apiVersion: 'flagger.app/v1beta1', kind, metadata, ...(spec && { spec }) },
    );
  };
  return { find } as unknown as Kube;
}

const encoded = (text: string): string => Buffer.from(text).toString('base64');
const secretRef = { name: 'hidden' };

describe('an AlertProvider', () => {
  it('has a name and a channel where it names none', async () => {
    const kube = cluster({ type: 'slack', address: 'https://a.test/1' });
    expect(await receiverNamed(kube, name)).toEqual({
      type: 'slack',
      config: { address: new URL('https://a.test/1'), channel: 'general', username: 'flagger' },
    });
  });

  it('has all it says', async () => {
    const spec = {
      ...{ type: 'msteams', address: 'https://a.test/1', channel: 'c', username: 'u' },
      proxy: 'https://user:word@proxy.test:8443',
    };
    const kube = cluster(spec, undefined, { 'sluice.dev/msteams-format': 'workflow' });
    expect(await receiverNamed(kube, name)).toEqual({
      type: 'msteams',
      config: {
        address: new URL('https://a.test/1'),
        channel: 'c',
        username: 'u',
        teamsFormat: 'workflow',
      },
      proxy: new URL('https://user:word@proxy.test:8443'),
    });
  });

  it('has the address and the token of its Secret, and no other', async () => {
    const data = { address: encoded('https://secret.test/1\n'), token: encoded('t\n') };
    const kube = cluster({ type: 'slack', address: 'https://a.test/1', secretRef }, data);
    expect((await receiverNamed(kube, name))?.config).toMatchObject({
      address: new URL('https://secret.test/1'),
      token: 't',
    });
  });

  it.each([{ type: 'slack' }, { type: 'slack', address: '' }, undefined])(
    'without any address is nobody: %j',
    async (spec) => {
      expect(await receiverNamed(cluster(spec), name)).toBeUndefined();
    },
  );

  it.each<[string, object, object | undefined, string]>([
    ['whose Secret is missing', { secretRef }, undefined, 'secret hidden.ops not found'],
    [
      'whose Secret has no address',
      { secretRef, address: 'https://a.test/planted' },
      { token: encoded('planted') },
      'secret hidden.ops does not contain an address',
    ],
    [
      'of an unknown type',
      { type: 'email', address: 'https://a.test/planted' },
      undefined,
      'spec.type is not one of slack, msteams, discord, rocket, gchat, webhook',
    ],
    [
      'whose address is none',
      { secretRef },
      { address: encoded('planted') },
      'its address is no http or https URL',
    ],
    [
      'whose address is only a path',
      { address: '/planted' },
      undefined,
      'its address is no http or https URL',
    ],
    [
      'whose proxy is none',
      { address: 'https://a.test', proxy: 'socks5://user:planted@p' },
      undefined,
      'its proxy is no http or https URL',
    ],
  ])('%s is an error without its values', async (_, spec, secret, message) => {
    const kube = cluster({ type: 'slack', ...spec }, secret);
    const error: unknown = await receiverNamed(kube, name).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ message });
    expect(message).not.toContain('planted');
  });

  it('that does not exist is an error', async () => {
    const kube = cluster({ type: 'slack', address: 'https://a.test' });
    await expect(receiverNamed(kube, { namespace: 'test', name: 'on-call' })).rejects.toThrow(
      'alert provider on-call.test not found',
    );
  });

  it('with a format nobody knows is an error', async () => {
    const spec = { type: 'msteams', address: 'https://a.test' };
    const kube = cluster(spec, undefined, { 'sluice.dev/msteams-format': 'card' });
    await expect(receiverNamed(kube, name)).rejects.toThrow(
      'sluice.dev/msteams-format is not one of connector, workflow',
    );
  });
});

it('takes a proxy without a scheme for one with http', () => {
  const address = 'https://a.test';
  const { proxy } = receiverOf({
    ...{ type: 'slack', address, proxy: 'proxy.test:3128' },
  });
  expect(proxy).toEqual(new URL('http://proxy.test:3128'));
});
