import { findImage, imageTag } from '../../../sandbox/node/images.js';
import type { ImageMap } from '../../../sandbox/node/images.js';

const builtIn: ImageMap = {
  'sluice/demo:*': {
    workdir: '{repo}/sandbox',
    entrypoint: ['node', 'demo.js'],
    cmd: ['--version', '{tag}', '{programs}'],
    env: { VERSION: '{tag}' },
  },
  'sluice/*': { entrypoint: ['general'] },
  'nginx:latest': { entrypoint: ['nginx'] },
};

const folders = { repository: '/repo', programs: '/programs' };

describe('findImage', () => {
  it('fills in the folders and the tag', () => {
    expect(findImage([builtIn], 'sluice/demo:1.2.3', folders)).toEqual({
      workdir: '/repo/sandbox',
      entrypoint: ['node', 'demo.js'],
      cmd: ['--version', '1.2.3', '/programs'],
      env: { VERSION: '1.2.3' },
    });
  });

  it('prefers the glob with the most literal characters within a map', () => {
    expect(findImage([builtIn], 'sluice/worker:dev', folders)?.entrypoint).toEqual(['general']);
    expect(findImage([builtIn], 'sluice/demo:1', folders)?.entrypoint).toEqual(['node', 'demo.js']);
  });

  it('prefers a later map to an earlier one, however specific', () => {
    const own: ImageMap = { '*': { entrypoint: ['mine'] } };
    expect(findImage([builtIn, own], 'sluice/demo:1', folders)?.entrypoint).toEqual(['mine']);
  });

  it('takes a reference without a tag for the tag latest', () => {
    expect(findImage([builtIn], 'nginx', folders)?.entrypoint).toEqual(['nginx']);
  });

  it('answers nothing for an image no map knows', () => {
    expect(findImage([builtIn], 'ghcr.io/sluice/demo:1', folders)).toBeUndefined();
  });
});

describe('imageTag', () => {
  it.each([
    ['web', 'latest'],
    ['web:1.0', '1.0'],
    ['registry:5000/web', 'latest'],
    ['registry:5000/web:2@sha256:abc', '2'],
  ])('reads the tag of %s as %s', (reference, tag) => {
    expect(imageTag(reference)).toBe(tag);
  });
});
