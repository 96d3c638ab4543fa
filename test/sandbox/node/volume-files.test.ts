import { configMapFiles, secretFiles } from '../../../sandbox/node/volume-files.js';

describe('configMapFiles', () => {
  const configMap = { data: { a: 'text' }, binaryData: { b: 'AAE=' } };

  it('makes a file of every key', () => {
    expect(configMapFiles({ name: 'c' }, configMap, 0o644)).toEqual([
      { path: 'a', content: Buffer.from('text'), mode: 0o644 },
      { path: 'b', content: Buffer.from([0, 1]), mode: 0o644 },
    ]);
  });

  it('makes files of the chosen keys only, with their own modes', () => {
    const items = [{ key: 'a', path: 'deep/a.txt', mode: 0o400 }];
    expect(configMapFiles({ name: 'c', items }, configMap, 0o644)).toEqual([
      { path: 'deep/a.txt', content: Buffer.from('text'), mode: 0o400 },
    ]);
  });

  it('says what is missing, unless it is optional', () => {
    const items = [{ key: 'z', path: 'z' }];
    expect(() => configMapFiles({ name: 'c' }, undefined, 0o644)).toThrow(
      'configmap "c" not found',
    );
    expect(() => configMapFiles({ name: 'c', items }, configMap, 0o644)).toThrow(
      'configmap "c" references non-existent config key: z',
    );
    expect(configMapFiles({ name: 'c', optional: true }, undefined, 0o644)).toEqual([]);
    expect(configMapFiles({ name: 'c', items, optional: true }, configMap, 0o644)).toEqual([]);
  });
});

it('decodes secrets', () => {
  const secret = { data: { password: 'aHVudGVyMg==' } };
  expect(secretFiles({ secretName: 's' }, secret, 0o600)).toEqual([
    { path: 'password', content: Buffer.from('hunter2'), mode: 0o600 },
  ]);
});
