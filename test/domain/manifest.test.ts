import { parseCanary } from '../../domain/manifest.js';
import {
  canaryOf,
  defaults,
  manifest,
  parse,
  problemsOf,
  scaler,
  target,
} from './some-manifests.js';

describe('a manifest', () => {
  it('gets every default', () => {
    expect(parse({ analysis: { stepWeight: 50 } })).toEqual({
      ok: true,
      warnings: [],
      canary: {
        name: 'podinfo',
        namespace: 'test',
        uid: 'u',
        generation: 3,
        accessLog: false,
        additionalRoutes: [],
        mesh: 'default',
        provider: 'contour',
        target: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'podinfo' },
        service: {
          name: 'podinfo',
          port: 80,
          targetPort: 80,
          portName: 'http',
          portDiscovery: false,
          headless: false,
          hosts: [],
          gateways: [],
          delegation: false,
          gatewayRefs: [],
          match: [],
          mirror: [],
          backends: [],
          apex: { labels: {}, annotations: {} },
          primary: { labels: {}, annotations: {} },
          canary: { labels: {}, annotations: {} },
          unmanaged: { labels: [], annotations: [] },
        },
        analysis: {
          intervalMs: 60_000,
          threshold: 1,
          strategy: { kind: 'weighted', weights: [50, 100], mirror: false },
          stepWeightPromotion: 0,
          primaryReadyThreshold: 100,
          canaryReadyThreshold: 100,
          match: [],
          metrics: [],
          webhooks: [],
          gates: [],
          onFailure: 'rollback',
        },
        progressDeadlineMs: 600_000,
        skipAnalysis: false,
        suspend: false,
        revertOnDeletion: false,
        onNewRevision: 'restart',
        status: {},
      },
    });
  });

  it('keeps what it says about the release as a whole', () => {
    const canary = canaryOf({
      metricsServer: 'http://prometheus',
      ingressRef: { name: 'ingress' },
      routeRef: { name: 'route' },
      progressDeadlineSeconds: 60,
      skipAnalysis: true,
      suspend: true,
      revertOnDeletion: true,
      onNewRevision: 'queue',
      analysis: { stepWeight: 10, onFailure: 'hold', stepWeightPromotion: 20 },
    });

    expect(canary).toMatchObject({
      metricsServer: 'http://prometheus',
      ingressName: 'ingress',
      routeName: 'route',
      progressDeadlineMs: 60_000,
      skipAnalysis: true,
      suspend: true,
      revertOnDeletion: true,
      onNewRevision: 'queue',
      analysis: { onFailure: 'hold', stepWeightPromotion: 20 },
    });
  });

  it('keeps what meshes are told', () => {
    const told = {
      gateways: ['public'],
      delegation: true,
      trafficPolicy: { tls: { mode: 'ISTIO_MUTUAL' } },
      meshName: 'global',
      backends: ['orders.shop'],
    };
    const { metadata, ...rest } = manifest({
      provider: 'istio',
      service: { port: 80, ...told },
      analysis: { iterations: 1, mirrorWeight: 10 },
    });
    const annotations = {
      'kuma.io/mesh': 'payments',
      'appmesh.flagger.app/accesslog': 'enabled',
    };

    expect(
      parseCanary({ ...rest, metadata: { ...metadata, annotations } }, defaults),
    ).toMatchObject({
      canary: { mesh: 'payments', accessLog: true, service: told, analysis: { mirrorWeight: 10 } },
    });
  });

  it('without a spec is refused', () => {
    const { spec: _, ...rest } = manifest({});

    expect(parseCanary(rest, defaults)).toEqual({ ok: false, problems: ['spec: is required'] });
  });

  it('tells of all its problems at once', () => {
    expect(problemsOf({ provider: 'smoke', service: undefined })).toEqual([
      expect.stringContaining('spec.provider: smoke is not supported'),
      'spec.service.port: is required',
    ]);
  });

  it.each([
    ['1s', 10_000],
    ['1m30s', 90_000],
    ['', 60_000],
    ['soon', 60_000],
  ])('with interval %j is checked every %i ms', (interval, intervalMs) => {
    expect(canaryOf({ analysis: { interval, stepWeight: 10 } }).analysis.intervalMs).toBe(
      intervalMs,
    );
  });
});

describe('the target and its service', () => {
  it.each([
    [target('Deployment'), 'Deployment'],
    [target('DaemonSet'), 'DaemonSet'],
    [target('Service'), 'Service'],
  ])('%j is a %s', (targetRef, kind) => {
    expect(canaryOf({ targetRef }).target.kind).toBe(kind);
  });

  it('a service that nobody calls has port 0', () => {
    const withoutService = { service: undefined };
    const replicas = {
      ...withoutService,
      provider: 'kubernetes',
      analysis: { shift: 'replicas', stepWeight: 10 },
    };

    expect(canaryOf({ ...withoutService, targetRef: target('Service') }).service.port).toBe(0);
    expect(canaryOf(replicas).service).toMatchObject({ name: 'podinfo', port: 0, targetPort: 0 });
  });

  it.each([
    [{ port: 80, targetPort: 0 }, { targetPort: 80 }],
    [{ port: 80, targetPort: '0' }, { targetPort: 80 }],
    [{ port: 80, targetPort: 'web' }, { targetPort: 'web' }],
    [{ port: 80, name: '' }, { name: 'podinfo' }],
    [{ port: 80, name: 'web' }, { name: 'web' }],
    [
      { port: 80, primary: { labels: { a: 'b' } } },
      { primary: { labels: { a: 'b' }, annotations: {} } },
    ],
    [
      { port: 80, unmanagedMetadata: { labels: ['a'] } },
      { unmanaged: { labels: ['a'], annotations: [] } },
    ],
  ])('%j is read as %j', (service, read) => {
    expect(canaryOf({ service }).service).toMatchObject(read);
  });

  it('an autoscaler may leave the primary as it is', () => {
    expect(canaryOf({ autoscalerRef: scaler }).autoscaler).toEqual({
      ...scaler,
      primaryScalerQueries: {},
      primaryScalerReplicas: {},
    });
  });

  it('an autoscaler may have other bounds and queries for the primary', () => {
    const autoscalerRef = {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledObject',
      name: 'podinfo',
      primaryScalerQueries: { load: 'sum(load)' },
      primaryScalerReplicas: { minReplicas: 2 },
    };

    expect(canaryOf({ autoscalerRef }).autoscaler).toEqual(autoscalerRef);
  });
});

describe('the details of an analysis', () => {
  it('a metric fails the check without a value, unless it says otherwise', () => {
    const metrics = [
      { name: 'errors', templateRef: { name: 'errors' } },
      { name: 'request-duration', threshold: 500, onNoData: 'extend', minRequests: 20 },
      { name: 'lag', query: 'lag', thresholdRange: { max: 5 }, onProviderError: 'ignore' },
    ];

    expect(canaryOf({ analysis: { stepWeight: 10, metrics } }).analysis.metrics).toEqual([
      {
        name: 'errors',
        interval: '1m',
        threshold: 0,
        variables: {},
        template: { name: 'errors', namespace: 'test' },
        onNoData: 'fail',
        onProviderError: 'fail',
      },
      {
        name: 'request-duration',
        interval: '1m',
        threshold: 500,
        variables: {},
        onNoData: 'extend',
        onProviderError: 'fail',
        minRequests: 20,
      },
      {
        name: 'lag',
        interval: '1m',
        threshold: 0,
        query: 'lag',
        range: { max: 5 },
        variables: {},
        onNoData: 'fail',
        onProviderError: 'ignore',
      },
    ]);
  });

  it.each([
    [{ name: 'istio_requests_total' }, 'request-success-rate'],
    [{ name: 'istio_request_duration_seconds_bucket' }, 'request-duration'],
    [{ name: 'istio_requests_total', query: 'x' }, 'istio_requests_total'],
    [{ name: 'istio_requests_total', templateRef: { name: 'x' } }, 'istio_requests_total'],
  ])('the metric %j is %s', (metric, name) => {
    const { analysis } = canaryOf({ analysis: { stepWeight: 10, metrics: [metric] } });

    expect(analysis.metrics[0]?.name).toBe(name);
  });

  it('a webhook belongs to the rollout and has ten seconds, unless it says otherwise', () => {
    const url = 'http://tester/';
    const webhooks = [
      { name: 'load', url },
      { name: 'short', url, type: '', timeout: '5' },
      {
        name: 'gate',
        url,
        type: 'confirm-promotion',
        timeout: '1m',
        retries: 2,
        muteAlert: true,
        disableTLS: true,
        metadata: { team: 'shop' },
      },
      { name: 'odd', url, retries: -1.5 },
    ];
    const usual = {
      url,
      type: 'rollout',
      timeout: '10s',
      retries: 0,
      muteAlert: false,
      disableTls: false,
      metadata: {},
    };

    expect(canaryOf({ analysis: { stepWeight: 10, webhooks } }).analysis.webhooks).toEqual([
      { ...usual, name: 'load' },
      { ...usual, name: 'short' },
      {
        name: 'gate',
        url,
        type: 'confirm-promotion',
        timeout: '1m',
        retries: 2,
        muteAlert: true,
        disableTls: true,
        metadata: { team: 'shop' },
      },
      { ...usual, name: 'odd' },
    ]);
  });

  it('a gate waits for anybody, and for ever, unless it says otherwise', () => {
    const gates = [
      { name: 'start', before: 'rollout' },
      {
        name: 'sign-off',
        before: 'promotion',
        approvers: ['ann'],
        timeout: '1h30m',
        onTimeout: 'hold',
      },
    ];

    expect(canaryOf({ analysis: { stepWeight: 10, gates } }).analysis.gates).toEqual([
      { name: 'start', before: 'rollout', approvers: [], onTimeout: 'reject' },
      {
        name: 'sign-off',
        before: 'promotion',
        approvers: ['ann'],
        timeoutMs: 5_400_000,
        onTimeout: 'hold',
      },
    ]);
  });

  it('a cookie lasts a day, unless it says otherwise', () => {
    const affinity = (sessionAffinity: object): unknown =>
      canaryOf({ provider: 'gatewayapi:v1', analysis: { stepWeight: 10, sessionAffinity } })
        .analysis.sessionAffinity;
    const usual = { maxAge: 86_400, httpOnly: false, partitioned: false, secure: false };
    const full = {
      cookieName: 'canary',
      primaryCookieName: 'primary',
      maxAge: 60,
      domain: 'shop.example.com',
      path: '/',
      sameSite: 'Lax',
      httpOnly: true,
      partitioned: true,
      secure: true,
    };

    expect(affinity({ cookieName: 'canary' })).toEqual({ ...usual, cookieName: 'canary' });
    expect(affinity({ cookieName: 'canary', primaryCookieName: '', maxAge: 0 })).toEqual({
      ...usual,
      cookieName: 'canary',
    });
    expect(affinity(full)).toEqual(full);
  });
});

describe('a manifest of an alpha version', () => {
  const canaryAnalysis = {
    threshold: 7,
    stepWeight: 30,
    maxWeight: 60,
    metrics: [{ name: 'istio_requests_total', threshold: 99 }],
  };

  it('has its analysis under the older name', () => {
    expect(canaryOf({ analysis: undefined, canaryAnalysis }).analysis).toMatchObject({
      threshold: 7,
      strategy: { weights: [30, 60] },
      metrics: [{ name: 'request-success-rate', threshold: 99 }],
    });
  });

  it('which counts only where there is no other', () => {
    expect(canaryOf({ analysis: { stepWeight: 50 }, canaryAnalysis }).analysis.threshold).toBe(1);
  });

  it('is told of its problems by the names it has', () => {
    expect(problemsOf({ analysis: undefined, canaryAnalysis: { stepWeights: [9, 3] } })).toEqual([
      'spec.canaryAnalysis.stepWeights: [9, 3] must be ascending whole numbers above 0',
    ]);
  });
});
