import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

import type { V1PodSpec } from '@kubernetes/client-node';
import { loadAll } from 'js-yaml';

import { findImage, readImageMaps } from '../../../sandbox/node/images.js';

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: { readonly template?: { readonly spec: V1PodSpec } };
}

const repository = path.resolve(import.meta.dirname, '../../..');
const folders = { repository, programs: '/programs' };
const parts = path.join(repository, 'sandbox/parts');
const maps = readImageMaps([path.join(repository, 'sandbox/images.json')]);

const manifests = readdirSync(parts)
  .flatMap((file) => loadAll(readFileSync(path.join(parts, file), 'utf8')))
  .map((document) => document as Manifest);

const podSpecs = manifests.flatMap(({ spec }) => spec?.template?.spec ?? []);
const containers = podSpecs.flatMap((spec) => [...(spec.initContainers ?? []), ...spec.containers]);

test('the image map knows every image the parts use', () => {
  const unknown = containers
    .map(({ image = '' }) => image)
    .filter((image) => findImage(maps, image, folders) === undefined);

  expect(unknown).toEqual([]);
});

test('every long-running container tells within a second when it is ready', () => {
  const periods = podSpecs
    .flatMap((spec) => spec.containers)
    .map(({ name, readinessProbe }) => [name, readinessProbe?.periodSeconds]);

  expect(periods.filter(([, seconds]) => seconds !== 1)).toEqual([]);
});

test.each([
  ['sluice/demo:2.0.0', { VERSION: '2.0.0' }],
  ['sluice/demo:2.0.0-errors', { VERSION: '2.0.0-errors', ERROR_RATE: '1' }],
  ['sluice/demo:2.0.0-slow', { VERSION: '2.0.0-slow', DELAY_MS: '1000' }],
  ['sluice/demo:2.0.0-crash', { VERSION: '2.0.0-crash', CRASH: 'true' }],
  ['sluice/demo:2.0.0-unready', { VERSION: '2.0.0-unready', NEVER_READY: 'true' }],
])('%s is the demo application with %o', (image, env) => {
  expect(findImage(maps, image, folders)?.env).toEqual(env);
});
