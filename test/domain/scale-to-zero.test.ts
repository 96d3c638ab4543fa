import type { PodTemplate } from '../../domain/objects.js';
import { isScaledToZero, scaledToZero, scaledUp } from '../../domain/scale-to-zero.js';

const containers = [{ name: 'podinfo' }];

it.each<[string, PodTemplate]>([
  ['without a node selector', { spec: { containers } }],
  ['with a node selector of its own', { spec: { containers, nodeSelector: { disk: 'ssd' } } }],
  ['without anything', {}],
])('a template %s is the same after it was scaled to zero and up again', (_name, template) => {
  const atRest = scaledToZero(template);

  expect([isScaledToZero(template), isScaledToZero(atRest)]).toEqual([false, true]);
  expect(atRest.spec?.['nodeSelector']).toEqual({
    ...(template.spec?.['nodeSelector'] as object),
    'flagger.app/scale-to-zero': 'true',
  });
  expect(scaledUp(atRest)).toEqual({ ...template, spec: template.spec ?? {} });
});

it('a template that has pods stays what it is', () => {
  const template = { spec: { containers, nodeSelector: {} } };

  expect(scaledUp(template)).toBe(template);
});
