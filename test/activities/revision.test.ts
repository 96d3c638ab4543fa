import { revisionOf } from '../../activities/revision.js';

const template = {
  metadata: { labels: { app: 'shop', tier: 'web' } },
  spec: { containers: [{ name: 'shop', image: 'shop:1' }, { name: 'log' }] },
};

it('names a pod template by ten hex digits, the same ones for ever', () => {
  expect(revisionOf(template)).toBe('5a1b394294');
});

it('does not care for the order of keys', () => {
  const reordered = {
    spec: { containers: [{ image: 'shop:1', name: 'shop' }, { name: 'log' }] },
    metadata: { labels: { tier: 'web', app: 'shop' } },
  };

  expect(revisionOf(reordered)).toBe(revisionOf(template));
});

it('does not care whether nothing is written as null', () => {
  const { metadata, spec } = template;
  const older = { metadata: { ...metadata, creationTimestamp: null }, spec };

  expect(revisionOf(older)).toBe(revisionOf(template));
});

it.each([
  ['an image', { ...template, spec: { containers: [{ name: 'shop', image: 'shop:2' }] } }],
  ['a label', { ...template, metadata: { labels: { app: 'shop' } } }],
  [
    'the order of containers',
    { ...template, spec: { containers: [...template.spec.containers].reverse() } },
  ],
])('changes with %s', (_name, changed) => {
  expect(revisionOf(changed)).not.toBe(revisionOf(template));
});
