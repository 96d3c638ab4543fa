import { parseCanary, weightsOf } from '../../domain/canary.js';
import { formatDuration, parseDuration } from '../../domain/duration.js';

const defaults = { provider: 'contour', minIntervalMs: 10_000 };

function manifest(spec: object): Parameters<typeof parseCanary>[0] {
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name: 'podinfo', namespace: 'test', uid: 'u', generation: 3 },
    spec: {
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'podinfo' },
      service: { port: 80 },
      analysis: { interval: '1m', threshold: 5, stepWeight: 10, maxWeight: 50 },
      ...spec,
    },
  };
}

describe('the steps of an analysis', () => {
  it.each([
    ['step 20 max 50 overshoots as in Flagger', { stepWeight: 20, maxWeight: 50 }, [20, 40, 60]],
    ['step 10 max 30', { stepWeight: 10, maxWeight: 30 }, [10, 20, 30]],
    ['no maxWeight means 100', { stepWeight: 50 }, [50, 100]],
    ['a list is taken as it is', { stepWeights: [1, 2, 10, 80] }, [1, 2, 10, 80]],
    ['a list past 100 ends at 100', { stepWeights: [1, 2, 10, 200] }, [1, 2, 10, 100]],
    ['stepWeight wins over stepWeights', { stepWeight: 30, stepWeights: [5, 60] }, [30, 60]],
    ['no step at all', { stepWeight: 0 }, []],
  ])('%s', (_name, analysis, weights) => {
    expect(weightsOf(analysis)).toEqual(weights);
  });
});

describe('a manifest', () => {
  it('gets every default', () => {
    const parsed = parseCanary(manifest({}), defaults);

    expect(parsed).toMatchObject({
      ok: true,
      canary: {
        name: 'podinfo',
        provider: 'contour',
        service: { name: 'podinfo', port: 80, targetPort: 80, portName: 'http', headless: false },
        analysis: { intervalMs: 60_000, threshold: 5, weights: [10, 20, 30, 40, 50], metrics: [] },
        progressDeadlineMs: 600_000,
        skipAnalysis: false,
        suspend: false,
      },
    });
  });

  it('fills in what a metric leaves out', () => {
    const parsed = parseCanary(
      manifest({
        analysis: {
          stepWeight: 10,
          metrics: [
            { name: 'errors', templateRef: { name: 'errors' } },
            { name: 'request-duration', threshold: 500 },
          ],
        },
      }),
      defaults,
    );

    expect(parsed.ok && parsed.canary.analysis.metrics).toEqual([
      {
        name: 'errors',
        interval: '1m',
        threshold: 0,
        variables: {},
        template: { name: 'errors', namespace: 'test' },
      },
      { name: 'request-duration', interval: '1m', threshold: 500, variables: {} },
    ]);
  });

  it.each([
    ['1s', 10_000],
    ['1m30s', 90_000],
    ['', 60_000],
    ['soon', 60_000],
  ])('with interval %j is checked every %i ms', (interval, intervalMs) => {
    const parsed = parseCanary(manifest({ analysis: { interval, stepWeight: 10 } }), defaults);

    expect(parsed.ok && parsed.canary.analysis.intervalMs).toBe(intervalMs);
  });

  it.each([
    [
      { provider: 'smoke' },
      'spec.provider: smoke is not supported (supported: contour, gatewayapi:v1)',
    ],
    [
      { targetRef: { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'x' } },
      'spec.targetRef.kind: DaemonSet is not supported yet (supported: Deployment)',
    ],
    [{ service: undefined }, 'spec.service.port: is required'],
    [
      { analysis: { stepWeight: 0 } },
      'spec.analysis.stepWeight: must be above 0 (or list spec.analysis.stepWeights)',
    ],
    [
      { analysis: { stepWeights: [10, 5] } },
      'spec.analysis.stepWeights: [10, 5] must be ascending weights above 0',
    ],
    [
      { analysis: { iterations: 5 } },
      'spec.analysis.iterations: A/B testing and Blue/Green are not supported yet (use stepWeight or stepWeights)',
    ],
    [
      {
        autoscalerRef: { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', name: 'x' },
      },
      'spec.autoscalerRef: autoscalers are not supported yet',
    ],
    [
      {
        analysis: {
          stepWeight: 10,
          webhooks: [
            { name: 'gate', type: 'confirm-promotion', url: 'http://gate/' },
            { name: 'seen', type: 'event', url: 'http://seen/' },
          ],
        },
      },
      'spec.analysis.webhooks: gate: checks and gates by webhook are not supported yet',
    ],
  ])('is refused by field: %j', (spec, problem) => {
    expect(parseCanary(manifest(spec), defaults)).toEqual({ ok: false, problems: [problem] });
  });
});

describe('durations', () => {
  it.each([
    ['1m30s', 90_000],
    ['500ms', 500],
    ['0', 0],
    ['1.5h', 5_400_000],
    ['-2s', -2_000],
    ['5', undefined],
    ['1min', undefined],
    ['', undefined],
  ])('%j is %j ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    [1_515, '1.515s'],
    [500, '500ms'],
    [0, '0s'],
    [90_000, '1m30s'],
    [3_600_000, '1h0m0s'],
  ])('%i ms prints as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});
