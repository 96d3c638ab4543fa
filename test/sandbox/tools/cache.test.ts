import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  addToCache,
  cacheFolder,
  isCached,
  openCache,
  sweep,
  toolFolder,
} from '../../../sandbox/tools/cache.js';
import { isAtLeast } from '../../../sandbox/tools/go-compiler.js';
import { tools } from '../../../sandbox/tools/table.js';

describe('the tool cache', () => {
  let cache = '';
  beforeEach(() => (cache = mkdtempSync(join(tmpdir(), 'sluice-cache-'))));
  afterEach(() => rmSync(cache, { recursive: true }));

  it.each([
    [{ SLUICE_CACHE: '/c', XDG_CACHE_HOME: '/x' }, /^\/c$/],
    [{ SLUICE_CACHE: '', XDG_CACHE_HOME: '/x' }, /^\/x\/sluice$/],
    [{}, /\/\.cache\/sluice$/],
  ])('is where %j says', (environment, folder) => {
    expect(cacheFolder(environment)).toMatch(folder);
  });

  it('keeps a tool apart from its other versions and recipes', () => {
    const { contour } = tools;
    const folder = toolFolder(cache, 'contour', contour);
    expect(folder).toContain('contour-1.33.8-');
    expect(toolFolder(cache, 'contour', { ...contour, version: '1.34.0' })).not.toBe(folder);
    const recipe = { ...contour.recipe, package: 'example.com/other' };
    expect(toolFolder(cache, 'contour', { ...contour, recipe })).not.toBe(folder);
  });

  it('has a tool only when it is complete', async () => {
    const folder = join(cache, 'tool');
    const broken = addToCache(cache, folder, (work) => {
      writeFileSync(join(work, 'half'), '');
      return Promise.reject(new Error('out of disk'));
    });
    await expect(broken).rejects.toThrow('out of disk');
    expect(readdirSync(cache)).toEqual([]);

    await addToCache(cache, folder, (work) => {
      expect(isCached(folder)).toBe(false);
      writeFileSync(join(work, 'program'), '');
      return Promise.resolve();
    });
    expect(readdirSync(cache)).toEqual(['tool']);
  });

  it('accepts that another process was quicker', async () => {
    const folder = join(cache, 'tool');
    const fill = (work: string): Promise<void> => {
      writeFileSync(join(work, 'program'), '');
      return Promise.resolve();
    };
    await addToCache(cache, folder, async (work) => {
      await addToCache(cache, folder, fill);
      await fill(work);
    });
    expect(existsSync(join(folder, 'program'))).toBe(true);
    expect(readdirSync(cache)).toEqual(['tool']);
  });

  it('loses what killed builds left when it is swept', async () => {
    await addToCache(cache, join(cache, 'tool'), () => Promise.resolve());
    writeFileSync(join(cache, '.unfinished-abc'), '');
    writeFileSync(join(cache, 'go-build12'), '');
    await sweep(cache);
    expect(readdirSync(cache)).toEqual(['tool']);
  });

  it('says what to do when it cannot be written', async () => {
    writeFileSync(join(cache, 'file'), '');
    await expect(openCache(join(cache, 'file', 'cache'))).rejects.toThrow(
      'make HOME writable or set SLUICE_CACHE to a writable folder',
    );
  });
});

it.each([
  ['go version go1.25.8 linux/amd64', true],
  ['go version go1.25.7 linux/amd64', false],
  ['go version go1.26 linux/arm64', true],
  ['go version go1.24.13 linux/amd64', false],
  ['go version go2.0.1 linux/amd64', true],
  ['something else', false],
])('judges the compiler that says %j', (version, isNewEnough) => {
  expect(isAtLeast(version, [1, 25, 8])).toBe(isNewEnough);
});
