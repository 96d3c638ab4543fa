import { providers, providersThat } from '../../domain/providers.js';
import { match, problemsOf, scaler, target } from './some-manifests.js';

const knative = { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'podinfo' };

describe('a manifest is refused', () => {
  const steps = { stepWeight: 10 };
  const replicas = { provider: 'kubernetes', analysis: { shift: 'replicas', ...steps } };
  const gate = { name: 'sign-off', before: 'promotion' };
  const cookies = (sessionAffinity: object, provider = 'gatewayapi:v1'): object => ({
    provider,
    analysis: { ...steps, sessionAffinity },
  });

  it.each<[object, ...string[]]>([
    [
      { provider: 'smoke' },
      `spec.provider: smoke is not supported (supported: ${providers.join(', ')})`,
    ],
    [{ provider: 'nginx' }, 'spec.ingressRef: is required by provider nginx'],
    [
      { provider: 'skipper', ingressRef: { name: '' } },
      'spec.ingressRef: is required by provider skipper',
    ],
    [
      { provider: 'apisix', ingressRef: { name: 'shop' } },
      'spec.routeRef: is required by provider apisix',
    ],
    [
      { additionalRoutes: [{ provider: 'smoke' }, { provider: 'nginx' }] },
      `spec.additionalRoutes[0].provider: smoke is not supported (supported: ${providers.join(', ')})`,
      'spec.additionalRoutes[1].ingressRef: is required by provider nginx',
    ],
    [
      { additionalRoutes: [{ provider: 'kubernetes' }] },
      'spec.additionalRoutes[0].provider: kubernetes keeps no routes',
      `spec.additionalRoutes[0].provider: provider kubernetes cannot split traffic by weight (${providersThat('weigh')} can)`,
    ],
    [
      {
        ...{ provider: 'kubernetes', analysis: { iterations: 2 } },
        additionalRoutes: [{ provider: 'contour' }],
      },
      'spec.additionalRoutes: provider kubernetes keeps no routes for others to follow',
    ],
    [
      {
        provider: 'istio',
        analysis: { iterations: 2, match: [{ headers: { a: { exact: 'b' } } }] },
        additionalRoutes: [{ provider: 'traefik' }],
      },
      `spec.analysis.match: provider traefik cannot tell requests apart (${providersThat('matchRequests')} can)`,
    ],
    [
      { targetRef: target('StatefulSet') },
      'spec.targetRef.kind: StatefulSet is not supported (supported: Deployment, DaemonSet, Service)',
    ],
    [
      { targetRef: knative, service: undefined },
      "spec.provider: can't use contour provider with Knative Service as target (allowed: knative)",
    ],
    [
      { targetRef: knative, autoscalerRef: scaler },
      "spec.provider: can't use contour provider with Knative Service as target (allowed: knative)",
      "spec.autoscalerRef: can't use autoscaler with Knative Service",
    ],
    [
      { autoscalerRef: { ...scaler, kind: 'VerticalPodAutoscaler' } },
      'spec.autoscalerRef.kind: VerticalPodAutoscaler is not supported (supported: HorizontalPodAutoscaler, ScaledObject)',
    ],
    [
      {
        autoscalerRef: { ...scaler, primaryScalerReplicas: { minReplicas: 5, maxReplicas: 2 } },
      },
      'spec.autoscalerRef.primaryScalerReplicas: minReplicas 5 is above maxReplicas 2',
    ],
    [{ service: undefined }, 'spec.service.port: is required'],
    [{ service: undefined, targetRef: target('DaemonSet') }, 'spec.service.port: is required'],
    [{ service: { port: 80.5 } }, 'spec.service.port: 80.5 is not a port (1 to 65535)'],
    [{ service: { port: 0 } }, 'spec.service.port: 0 is not a port (1 to 65535)'],
    [
      { service: { port: 80, name: 'web' }, targetRef: target('Service') },
      'spec.service.name: web must be podinfo, the target, or be left out',
    ],

    [
      { provider: 'istio', analysis: { iterations: 1, mirrorWeight: 101 } },
      'spec.analysis.mirrorWeight: 101 must be a whole number from 0 to 100',
    ],
    [
      {
        provider: 'istio',
        service: { port: 80, appProtocol: 'TCP' },
        analysis: { iterations: 1, match },
      },
      `spec.analysis.match: provider istio (appProtocol tcp) cannot tell requests apart (${providersThat('matchRequests')} can)`,
    ],
    [
      { analysis: { stepWeight: 0 } },
      'spec.analysis.stepWeight: must be above 0 (or list stepWeights, or count iterations)',
    ],
    [
      { provider: 'kubernetes', analysis: { shift: 'replicas', stepWeights: [] } },
      'spec.analysis.stepWeight: must be above 0 (or list stepWeights)',
    ],
    [
      { analysis: { stepWeight: 0.001 } },
      'spec.analysis.stepWeight: 0.001 must be a whole number from 0',
    ],
    [
      { analysis: { iterations: -1, ...steps } },
      'spec.analysis.iterations: -1 must be a whole number from 0',
    ],
    [
      { analysis: { stepWeightPromotion: 2.5, ...steps } },
      'spec.analysis.stepWeightPromotion: 2.5 must be a whole number from 0',
    ],
    ...[
      [10, 5],
      [10, 10],
      [0, 10],
      [2.5, 10],
    ].map((stepWeights): [object, string] => [
      { analysis: { stepWeights } },
      `spec.analysis.stepWeights: [${stepWeights.join(', ')}] must be ascending whole numbers above 0`,
    ]),

    [
      { ...replicas, provider: 'contour' },
      'spec.analysis.shift: replicas needs provider kubernetes, not contour',
    ],
    [
      { ...replicas, targetRef: target('DaemonSet') },
      'spec.analysis.shift: replicas needs a target of kind Deployment, not DaemonSet',
    ],
    [
      { ...replicas, autoscalerRef: scaler },
      'spec.analysis.shift: replicas does not go with spec.autoscalerRef, which sets their number too',
    ],
    ...[{ iterations: 3 }, { match }, { mirror: true }].map((other): [object, string] => [
      { ...replicas, analysis: { ...replicas.analysis, ...other } },
      `spec.analysis.${Object.keys(other).join()}: does not go with shift: replicas, which knows stepWeight and stepWeights`,
    ]),

    [
      { analysis: { ...steps, mirror: true } },
      `spec.analysis.mirror: provider contour cannot copy requests to the canary (${providersThat('mirror')} can)`,
    ],
    [
      { analysis: { iterations: 3, mirror: true } },
      `spec.analysis.mirror: provider contour cannot copy requests to the canary (${providersThat('mirror')} can)`,
    ],
    ...['contour', 'kubernetes'].map((provider): [object, string] => [
      cookies({ cookieName: 'a' }, provider),
      `spec.analysis.sessionAffinity: provider ${provider} cannot keep clients on a version (${providersThat('affinity')} can)`,
    ]),
    ...[{ cookieName: 'a', primaryCookieName: 'a' }, { cookieName: '' }].map(
      (sessionAffinity): [object, string] => [
        cookies(sessionAffinity),
        "spec.analysis.sessionAffinity: can't use the same cookie name for both primary and cookie name; please update them to be different",
      ],
    ),
    [
      cookies({ cookieName: '', primaryCookieName: 'a' }),
      'spec.analysis.sessionAffinity.cookieName: is required',
    ],
    [
      cookies({ cookieName: 'a=b; c', primaryCookieName: '(.*)' }),
      'spec.analysis.sessionAffinity: "a=b; c" is not the name of a cookie',
      'spec.analysis.sessionAffinity: "(.*)" is not the name of a cookie',
    ],

    [
      { analysis: { ...steps, gates: [gate, gate, { ...gate, before: 'rollout' }] } },
      'spec.analysis.gates: two gates have the name sign-off',
    ],
    ...['soon', '0s', '-5m', ''].map((timeout): [object, string] => [
      { analysis: { ...steps, gates: [{ ...gate, timeout }] } },
      `spec.analysis.gates.sign-off.timeout: "${timeout}" is not a duration above 0, such as 30m or 8h`,
    ]),
  ])('by field: %j', (spec, ...problems) => {
    expect(problemsOf(spec)).toEqual(problems);
  });

  it('with provider knative and a target that is none', () => {
    expect(problemsOf({ provider: 'knative' })).toContain(
      "spec.targetRef: can't use apps/v1/Deployment as target if provider is set to knative",
    );
  });
});
