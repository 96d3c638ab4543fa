import { parseCanary } from '../../domain/manifest.js';
import { canaryOf, defaults, manifest, match, parse } from './some-manifests.js';

describe('the weights of an analysis', () => {
  it.each([
    ['step 20 max 50 overshoots as in Flagger', { stepWeight: 20, maxWeight: 50 }, [20, 40, 60]],
    ['step 10 max 30', { stepWeight: 10, maxWeight: 30 }, [10, 20, 30]],
    ['no maxWeight means 100', { stepWeight: 50 }, [50, 100]],
    ['a step beyond 100 is all at once', { stepWeight: 150 }, [100]],
    ['a list is taken as it is', { stepWeights: [1, 2, 10, 80] }, [1, 2, 10, 80]],
    ['a list past 100 ends at 100', { stepWeights: [1, 2, 10, 200] }, [1, 2, 10, 100]],
    ['stepWeight wins over stepWeights', { stepWeight: 30, stepWeights: [5, 60] }, [30, 60]],
  ])('%s', (_name, analysis, weights) => {
    expect(canaryOf({ analysis }).analysis.strategy).toMatchObject({ kind: 'weighted', weights });
  });
});

describe('the strategy of a manifest', () => {
  const gateway = 'gatewayapi:v1';
  const blueGreen = { kind: 'blue-green', iterations: 3, mirror: false, routed: true };

  it.each([
    ['contour', { iterations: 3 }, blueGreen],
    ['contour', { iterations: 3, match: [] }, blueGreen],
    ['contour', { iterations: 3, match }, { kind: 'ab-testing', iterations: 3 }],
    ['contour', { iterations: 0, stepWeights: [5] }, weighted([5], false)],
    ['contour', { iterations: 0, stepWeights: [5], match }, weighted([5], false)],
    ['contour', { shift: 'traffic', stepWeights: [5] }, weighted([5], false)],
    [gateway, { stepWeights: [5], mirror: true }, weighted([5], true)],
    [gateway, { iterations: 3, mirror: true }, { ...blueGreen, mirror: true }],
    ['kubernetes', { iterations: 3 }, { ...blueGreen, routed: false }],
    ['kubernetes', { stepWeight: 10 }, { ...blueGreen, iterations: 10, routed: false }],
    ['kubernetes', { stepWeights: [9, 1] }, { ...blueGreen, iterations: 10, routed: false }],
    ['kubernetes', { iterations: 3, match }, { ...blueGreen, routed: false }],
    ['kubernetes', { iterations: 3, mirror: true }, { ...blueGreen, routed: false }],
    [
      'kubernetes',
      { shift: 'replicas', stepWeights: [5, 50] },
      { kind: 'replicas', weights: [5, 50] },
    ],
  ])('with provider %s and %j', (provider, analysis, strategy) => {
    expect(canaryOf({ provider, analysis }).analysis.strategy).toEqual(strategy);
  });

  it('with the default provider follows that one', () => {
    const parsed = parseCanary(manifest({}), { ...defaults, provider: 'kubernetes' });

    expect(parsed.ok && parsed.canary.analysis.strategy.kind).toBe('blue-green');
  });

  it.each([
    ['contour', match],
    ['kubernetes', []],
  ])('with provider %s has the conditions %j', (provider, conditions) => {
    const { analysis } = canaryOf({ provider, analysis: { iterations: 3, match } });

    expect(analysis.match).toEqual(conditions);
  });

  const progressive = [
    'Progressive traffic is not supported when using the kubernetes provider',
    'Setting canaryAnalysis.iterations: 10',
  ];
  const abTesting = 'A/B testing is not supported when using the kubernetes provider';

  it.each([
    ['weights without a router', 'kubernetes', { stepWeight: 10 }, progressive],
    ['conditions without a router', 'kubernetes', { iterations: 3, match }, [abTesting]],
    ['both', 'kubernetes', { stepWeight: 5, match }, [abTesting, ...progressive]],
    ['iterations alone', 'kubernetes', { iterations: 3 }, []],
    ['pods that move', 'kubernetes', { shift: 'replicas', stepWeight: 5 }, []],
    [
      'mirroring without a router',
      'kubernetes',
      { iterations: 3, mirror: true },
      ['Mirroring is not supported when using the kubernetes provider'],
    ],
    [
      'mirroring in A/B testing',
      gateway,
      { iterations: 3, match, mirror: true },
      ['Mirroring is not supported in A/B testing'],
    ],
    ['what can be done as written', gateway, { stepWeight: 5, mirror: true }, []],
  ])('warns of %s', (_name, provider, analysis, warnings) => {
    expect(parse({ provider, analysis })).toMatchObject({ ok: true, warnings });
    expect(parse({ provider, analysis, skipAnalysis: true })).toMatchObject({ warnings: [] });
  });

  it('warns of what the routes of the older Gateway API have no field for', () => {
    const service = { port: 80, timeout: '5s', corsPolicy: {}, hosts: ['a.b'] };

    expect(parse({ provider: 'gatewayapi:v1', service })).toMatchObject({ warnings: [] });
    expect(parse({ provider: 'gatewayapi:v1beta1', service })).toMatchObject({
      warnings: [
        'spec.service.timeout is left out by gatewayapi:v1beta1, gatewayapi:v1 knows it',
        'spec.service.corsPolicy is left out by gatewayapi:v1beta1, gatewayapi:v1 knows it',
      ],
    });
  });

  it('may have no steps when there is no analysis', () => {
    const { analysis } = canaryOf({ skipAnalysis: true, analysis: {} });

    expect(analysis.strategy).toEqual(weighted([], false));
  });

  function weighted(weights: readonly number[], mirror: boolean): object {
    return { kind: 'weighted', weights, mirror };
  }
});
