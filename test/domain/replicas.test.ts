import type { Deployment } from '../../domain/objects.js';
import { promotedPrimary } from '../../domain/primary.js';
import {
  intendedReplicas,
  isLending,
  lendingPrimary,
  podsFor,
  restoredPrimary,
  routesOfPods,
} from '../../domain/replicas.js';
import { toCanary } from '../../domain/routes.js';

describe('the pods for a share of the traffic', () => {
  it.each<[total: number, weight: number, primary: number, canary: number]>([
    [10, 0, 10, 0],
    [10, 10, 9, 1],
    [10, 50, 5, 5],
    [10, 99, 1, 10],
    [10, 100, 0, 10],
    [4, 10, 3, 1],
    [4, 40, 2, 2],
    [3, 50, 1, 2],
    [1, 0, 1, 0],
    [1, 1, 1, 1],
    [1, 50, 1, 1],
    [1, 99, 1, 1],
    [1, 100, 0, 1],
    [2, 1, 1, 1],
    [2, 75, 1, 2],
  ])('of %i at %i% are %i and %i', (total, weight, primary, canary) => {
    expect(podsFor(total, toCanary(weight))).toEqual({ primary, canary });
  });

  it('are never fewer than meant, and at most one more', () => {
    for (let total = 1; total <= 40; total += 1) {
      for (let weight = 0; weight <= 100; weight += 1) {
        const { primary, canary } = podsFor(total, toCanary(weight));

        expect(primary + canary).toBeGreaterThanOrEqual(total);
        expect(primary + canary).toBeLessThanOrEqual(total + 1);
        expect([primary > 0, canary > 0]).toEqual([weight < 100, weight > 0]);
      }
    }
  });

  it('tell the share, as far as they can', () => {
    expect(routesOfPods(10, { primary: 7, canary: 3 }, [10, 20, 30])).toEqual(toCanary(30));
    expect(routesOfPods(1, { primary: 1, canary: 1 }, [20, 10, 30])).toEqual(toCanary(20));
    expect(routesOfPods(10, { primary: 7, canary: 4 }, [10, 20, 30, 40])).toBeUndefined();
  });
});

describe('a primary', () => {
  const primary = (replicas?: number, annotations?: Record<string, string>): Deployment => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web-primary', namespace: 'test', ...(annotations && { annotations }) },
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      selector: { matchLabels: { app: 'web-primary' } },
      template: {},
    },
  });

  it('remembers how many pods it is meant to have, until it has them again', () => {
    const atRest = primary(10, { note: 'theirs' });
    const first = lendingPrimary(atRest, 9);
    const second = lendingPrimary(first, 5);

    expect([first, second].map(({ spec }) => spec.replicas)).toEqual([9, 5]);
    expect(second.metadata.annotations).toEqual({ note: 'theirs', 'sluice.dev/replicas': '10' });
    expect([atRest, first, second].map(intendedReplicas)).toEqual([10, 10, 10]);
    expect([atRest, first, second].map(isLending)).toEqual([false, true, true]);
    expect(restoredPrimary(second)).toEqual(atRest);
    expect(restoredPrimary(atRest)).toBe(atRest);
  });

  it.each<[string, Deployment, number]>([
    ['none said', primary(), 1],
    ['none wanted', primary(0), 1],
    ['a number nobody can read', primary(3, { 'sluice.dev/replicas': 'many' }), 3],
    ['a number below one', primary(3, { 'sluice.dev/replicas': '0' }), 3],
  ])('is meant to have, with %s, %#', (_, given, expected) => {
    expect(intendedReplicas(given)).toBe(expected);
  });

  it('keeps its share of the pods when it is promoted', () => {
    const target: Deployment = {
      ...primary(3),
      metadata: { name: 'web', namespace: 'test' },
      spec: { replicas: 3, selector: { matchLabels: { app: 'web' } }, template: {} },
    };
    const source = {
      target,
      selector: { label: 'app', value: 'web' },
      rules: { selectorLabels: ['app'], includeLabelPrefixes: [] },
      revision: 'r2',
      id: 'an-id',
    };
    const state = { state: '1', autoscaled: false };
    const promoted = promotedPrimary(lendingPrimary(primary(10), 7), source, state);

    expect(promoted.spec.replicas).toBe(7);
    expect(intendedReplicas(promoted)).toBe(10);
    expect(promotedPrimary(primary(10), source, state).spec.replicas).toBe(3);
  });
});
