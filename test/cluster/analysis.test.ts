import { createActivities } from '../../activities/index.js';
import { probeProviders } from '../../activities/metrics/probe.js';
import { applyRoutes } from '../../activities/routing.js';
import type { KubeObject } from '../../domain/objects.js';
import { toCanary } from '../../domain/routes.js';
import type { CanaryParts } from '../activities/a-canary.js';
import { vectorOf } from '../providers/prometheus-server.js';
import { anEnvironment, openRig, type AnalysisRig } from './analysis-rig.js';

const namespace = `analysis-${String(process.pid)}`;
const planted = 'planted-token-7';
let rig: AnalysisRig;

beforeAll(async () => {
  rig = await openRig(namespace);
});
afterAll(() => rig.stop());
beforeEach(() => rig.beginTest());
afterEach(() => rig.endTest());

const builtIns = {
  metrics: [
    { name: 'request-success-rate', thresholdRange: { min: 99 }, interval: '30s' },
    { name: 'request-duration', thresholdRange: { max: 500 } },
  ],
};
const byTemplate = (name: string, metric: object = {}) => ({
  metrics: [{ name: 'latency', templateRef: { name }, thresholdRange: { max: 1 }, ...metric }],
});

describe('a check', () => {
  it('passes when every metric does', async () => {
    const canary = await rig.aCanary({ analysis: builtIns });
    rig.metrics.answer(200, vectorOf('100'));

    expect(await rig.check(canary)).toEqual({
      verdict: 'passed',
      repaired: false,
      readings: [
        { metric: 'request-success-rate', value: 100, threshold: '>= 99%', passed: true },
        { metric: 'request-duration', value: 100, threshold: '<= 500ms', passed: true },
      ],
    });
    expect(rig.told.measured).toEqual([
      ['request-success-rate', 100],
      ['request-duration', 0.1],
    ]);
    expect(rig.metrics.asked[0]?.query).toContain(
      `envoy_cluster_name=~"${namespace}_${canary.service.name}-canary_[0-9a-zA-Z-]+"}[30s]`,
    );
    expect(rig.metrics.asked[1]?.query).toContain('[1m]');
    expect(rig.told.checks).toBe(1);
    expect(await rig.warningsOf(canary)).toEqual([]);
  });

  it('fails on the first metric out of bounds, counts it and tells of it, once', async () => {
    const canary = await rig.aCanary({ analysis: builtIns });
    rig.metrics.answer(200, vectorOf('98'));

    const failed = await rig.check(canary, { failedChecks: 1 });
    await rig.check(canary, { failedChecks: 1 });

    const reason = `Halt ${canary.name}.${namespace} advancement success rate 98.00% < 99%`;
    expect(failed).toEqual({
      verdict: 'failed',
      repaired: false,
      check: 'request-success-rate',
      reason,
      readings: [{ metric: 'request-success-rate', value: 98, threshold: '>= 99%', passed: false }],
    });
    expect(rig.told.measured[0]).toEqual(['request-success-rate', 98]);
    expect(await rig.warningsOf(canary)).toEqual([['Warning', reason]]);
    expect(await rig.failedChecksOf(canary)).toBe(2);
  });

  it('asks inline queries before templates', async () => {
    await rig.createTemplate('order', 'template {{ interval }}');
    const canary = await rig.aCanary({
      analysis: {
        metrics: [
          {
            name: 'request-success-rate',
            query: 'inline',
            templateRef: { name: 'order' },
            threshold: 1,
          },
          { name: 'other', query: 'second', threshold: 1 },
        ],
      },
    });
    rig.metrics.answer(200, vectorOf('1'));

    expect((await rig.check(canary)).verdict).toBe('passed');
    expect(rig.metrics.asked.map(({ query }) => query.trim().split('(')[0]?.trim())).toEqual([
      '',
      'inline',
      'second',
      'template 1m',
    ]);
  });

  it('asks nothing before the canary has begun', async () => {
    const canary = await rig.aCanary({ analysis: builtIns }, 0);

    expect(await rig.check(canary, { routes: toCanary(0), hooks: 'none' })).toEqual({
      verdict: 'passed',
      readings: [],
      repaired: false,
    });
    expect(rig.metrics.asked).toEqual([]);
  });

  it('uses the metrics server of the Canary', async () => {
    const canary = await rig.aCanary({
      spec: { metricsServer: `${rig.metrics.address}/tenant` },
      analysis: builtIns,
    });
    rig.metrics.answer(200, vectorOf('100'));

    await rig.check(canary);

    expect(rig.metrics.asked[0]?.path).toBe('/tenant/api/v1/query');
  });

  it('repairs the routes, tells of it and keeps the weight', async () => {
    const canary = await rig.aCanary();
    await applyRoutes(rig.deps, canary, { routes: toCanary(90), cookies: {} });

    expect(await rig.check(canary)).toMatchObject({ verdict: 'passed', repaired: true });
    expect(await rig.check(canary)).toMatchObject({ verdict: 'passed', repaired: false });
    expect(await rig.warningsOf(canary)).toEqual([
      [
        'Warning',
        `Routes of ${canary.name}.${namespace} were changed by someone else, restored canary weight 10`,
      ],
    ]);
  });

  it('is about the target as it was when the analysis began', async () => {
    const canary = await rig.aCanary();

    expect(await rig.check(canary, { revision: 'older' })).toEqual({
      verdict: 'changed',
      revision: (await rig.inputOf(canary)).revision,
    });
  });

  it.each([
    ['primary', '-primary', (name: string) => `${name}.${namespace}`],
    ['canary', '', (name: string) => `canary deployment ${name}.${namespace}`],
  ] as const)('finds the %s unready', async (role, suffix, subject) => {
    const canary = await rig.aCanary();
    const name = `${canary.name}${suffix}`;
    await rig.scaleUpInVain(name);

    // How far the rollout has come is the word of a controller, which may be quicker.
    const { reason, ...found } = { reason: '', ...(await rig.check(canary)) };
    expect(found).toEqual({ verdict: 'unready', role });
    expect(reason.startsWith(`${subject(name)} not ready: waiting for rollout to finish: 0 `)).toBe(
      true,
    );
  });

  it('is not over when the cluster cannot answer', async () => {
    const canary = await rig.aCanary(byTemplateOf('any'));
    const broken = { ...rig.kube, find: () => Promise.reject(new Error('connection refused')) };

    await expect(rig.check(canary, {}, { ...rig.deps, kube: broken })).rejects.toThrow(
      'connection refused',
    );
  });

  it('is called off with its activity', async () => {
    const canary = await rig.aCanary({ analysis: builtIns });
    rig.metrics.hang();
    const environment = anEnvironment();
    const running = environment.run(createActivities(rig.deps).check, await rig.inputOf(canary));
    setTimeout(() => environment.cancel('TIMED_OUT'), 200);

    await expect(running).rejects.toThrow();
    expect(await rig.warningsOf(canary)).toEqual([]);
    expect(await rig.failedChecksOf(canary)).toBe(0);
  });
});

describe('a check that cannot measure fails', () => {
  const failing = async (parts: CanaryParts): Promise<string> => {
    const canary = await rig.aCanary(parts);
    const result = await rig.check(canary);
    if (result.verdict !== 'failed') throw new Error(result.verdict);
    expect(await rig.warningsOf(canary)).toEqual([['Warning', result.reason]]);
    expect(await rig.failedChecksOf(canary)).toBe(1);
    return result.reason;
  };

  it('without data', async () => {
    rig.metrics.answer(200, vectorOf());

    expect(await failing({ analysis: builtIns })).toMatch(
      /^Halt advancement no values found for contour metric request-success-rate probably app-\d+\.analysis-\d+ is not receiving traffic: running query failed: no values found$/,
    );
  });

  it('when Prometheus refuses', async () => {
    rig.metrics.answer(400, 'parse error');

    expect(await failing({ analysis: builtIns })).toBe(
      'Prometheus query failed: HTTP 400: parse error',
    );
    expect(await failing({ analysis: { metrics: [{ name: 'mine', query: '((' }] } })).toBe(
      'Prometheus query failed for mine: HTTP 400: parse error',
    );
  });

  it('when Prometheus cannot be reached', async () => {
    await rig.metrics.stop();

    expect(await failing({ analysis: builtIns })).toMatch(
      /^Prometheus query failed: http:\/\/127\.0\.0\.1:\d+\/api\/v1\/query: connect ECONNREFUSED/,
    );
  });

  it('when the address of Prometheus is none', async () => {
    expect(await failing({ spec: { metricsServer: 'me:secret@prom' }, analysis: builtIns })).toBe(
      'Error building Prometheus client for prom the address must be a URL such as http://prometheus:9090',
    );
  });

  it('with an inline query that cannot be rendered', async () => {
    expect(
      await failing({ analysis: { metrics: [{ name: 'mine', query: '{{ foo }}' }] } }),
    ).toMatch(
      /^Prometheus query failed for mine: query render error: line 1: "foo" is not defined \(allowed: name, /,
    );
  });

  it('with nothing to ask', async () => {
    expect(await failing({ analysis: { metrics: [{ name: 'mine' }] } })).toBe(
      'Metric query failed for no usable metrics template and query were configured',
    );
  });

  it('without its template', async () => {
    expect(await failing(byTemplateOf('missing'))).toBe(
      `Metric template missing.${namespace} error: not found`,
    );
  });

  it('without the Secret of its template', async () => {
    await rig.createTemplate('unsecret', 'up', { secretRef: { name: 'absent' } });

    expect(await failing(byTemplateOf('unsecret'))).toBe(
      `Metric template unsecret.${namespace} secret absent error: not found`,
    );
  });

  it('without what its provider needs', async () => {
    await rig.createTemplate('elsewhere', 'up', { type: 'datadog' });

    expect(await failing(byTemplateOf('elsewhere'))).toBe(
      `Metric template elsewhere.${namespace} provider datadog error: secretRef is missing, for a Secret with datadog_api_key`,
    );
  });

  it('with a template that cannot be rendered', async () => {
    await rig.createTemplate('unrendered', '\n{{ variables.missing }}');

    expect(await failing(byTemplateOf('unrendered', { templateVariables: { a: 'b' } }))).toBe(
      `Metric template unrendered.${namespace} query render error: line 2: variable "missing" is missing in templateVariables (it has: a)`,
    );
  });

  it('when the provider of the template refuses', async () => {
    await rig.createTemplate('refused', 'up');
    rig.metrics.answer(503, 'busy');

    expect(await failing(byTemplateOf('refused'))).toBe(
      'Metric query failed for latency: HTTP 503: busy',
    );
  });

  it('without data from a template', async () => {
    await rig.createTemplate('silent', 'up');
    rig.metrics.answer(200, vectorOf('NaN'));

    expect(await failing(byTemplateOf('silent'))).toBe(
      'Halt advancement no values found for custom metric: latency: no values found',
    );
  });
});

describe('a template', () => {
  it('is asked with its Secret, headers and variables, in a namespace of its own', async () => {
    const data = { token: Buffer.from(`${planted}\n`).toString('base64') };
    await rig.kube.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'login', namespace },
      data,
    } as KubeObject);
    await rig.createTemplate('whole', '{{ namespace }} {{ target }} {{ variables.x }}', {
      secretRef: { name: 'login' },
      headers: { 'X-Scope-OrgID': ['a'] },
    });
    const canary = await rig.aCanary(byTemplateOf('whole', { templateVariables: { x: 'y' } }));
    rig.metrics.answer(401, `no: ${planted}`);

    const result = await rig.check(canary);

    expect(rig.metrics.asked[0]).toMatchObject({
      query: `${namespace} ${canary.target.name} y`,
      authorization: `Bearer ${planted}`,
    });
    expect(result).toMatchObject({ reason: 'Metric query failed for latency: HTTP 401: no: ***' });
    expect(
      JSON.stringify([result, await rig.warningsOf(canary), await rig.find(canary)]),
    ).not.toContain(planted);
  });
});

describe('the probe of the providers', () => {
  const probe = async (parts: CanaryParts) => {
    const canary = await rig.aCanary(parts);
    return anEnvironment().run(() => probeProviders(rig.deps, canary));
  };

  it('tells that all are there', async () => {
    await rig.createTemplate('probed', 'up');
    rig.metrics.answer(200, vectorOf('1'));

    expect(
      await probe({
        analysis: { metrics: [...builtIns.metrics, ...byTemplate('probed').metrics] },
      }),
    ).toEqual({
      type: 'Normal',
      message: 'all the metrics providers are available!',
    });
    expect(rig.metrics.asked.map(({ query }) => query)).toEqual([
      'vector(1)',
      'vector(1)',
      'vector(1)',
    ]);
  });

  it('is left out with the analysis', async () => {
    expect(await probe({ spec: { skipAnalysis: true }, analysis: builtIns })).toBeUndefined();
  });

  it.each<[string, () => object, string]>([
    ['a built-in metric', () => builtIns, 'prometheus not avaiable: HTTP 500: down'],
    [
      'a template',
      () => byTemplate('down'),
      'prometheus in metric template down.NS not avaiable: HTTP 500: down',
    ],
    [
      'a missing template',
      () => byTemplate('missing'),
      'metric template missing.NS error: not found',
    ],
  ])('tells which is not: %s', async (_, analysis, why) => {
    await rig.createTemplate('down', 'up');
    rig.metrics.answer(500, 'down');

    expect(await probe({ analysis: analysis() })).toEqual({
      type: 'Warning',
      message: `Error checking metric providers: ${why.replace('NS', namespace)}`,
    });
  });
});

function byTemplateOf(name: string, metric: object = {}): CanaryParts {
  return { analysis: byTemplate(name, metric) };
}
