/** Part of a manifest, as a user may write it: right or wrong, so nothing is checked here. */
export type Fields = Readonly<Record<string, unknown>>;

/** A manifest of one of the three kinds; `status` is only sent through the status subresource. */
export interface Manifest {
  readonly apiVersion: `flagger.app/${'v1beta1' | 'v1alpha3' | 'v1alpha2' | 'v1alpha1'}`;
  readonly kind: 'Canary' | 'MetricTemplate' | 'AlertProvider';
  readonly metadata: { readonly name: string };
  readonly spec?: Fields;
  readonly status?: Fields;
}

/** The smallest Canary of a weighted release, with the given fields of its spec set over it. */
export function aCanary(spec: Fields = {}): Manifest {
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name: 'web' },
    spec: {
      targetRef: deployment,
      service: { port: 80 },
      analysis: { interval: '30s', threshold: 5, stepWeight: 10 },
      ...spec,
    },
  };
}

/** A Canary whose analysis has the given fields set over interval, threshold and stepWeight. */
export function analysing(analysis: Fields): Manifest {
  return aCanary({ analysis: { interval: '30s', threshold: 5, stepWeight: 10, ...analysis } });
}

/** A Canary whose service has the given fields set over its port. */
export function serving(service: Fields): Manifest {
  return aCanary({ service: { port: 80, ...service } });
}

/** A Canary without some fields of its spec. */
export function without(manifest: Manifest, ...fields: readonly string[]): Manifest {
  const kept = Object.entries(manifest.spec ?? {}).filter(([field]) => !fields.includes(field));
  return { ...manifest, spec: Object.fromEntries(kept) };
}

/** A MetricTemplate for Prometheus, with the given fields of its spec set over it. */
export function aMetricTemplate(spec: Fields = {}): Manifest {
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'MetricTemplate',
    metadata: { name: 'error-rate' },
    spec: {
      provider: { type: 'prometheus', address: 'http://prometheus:9090' },
      query: 'sum(errors{namespace="{{ namespace }}"})',
      ...spec,
    },
  };
}

/** An AlertProvider with exactly the given spec. */
export function anAlertProvider(spec: Fields): Manifest {
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'AlertProvider',
    metadata: { name: 'on-call' },
    spec,
  };
}

/** A Deployment as spec.targetRef. */
export const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' } as const;

/** A Canary with one gatewayRef, `edge` unless the fields say otherwise. */
export function attachedTo(gatewayRef: Fields): Manifest {
  return serving({ gatewayRefs: [{ name: 'edge', ...gatewayRef }] });
}

/** A Canary with one entry of service.mirror. */
export function mirroring(backendRef: Fields): Manifest {
  return serving({ mirror: [{ backendRef }] });
}

/** A Canary with one entry of service.match. */
export function routing(match: Fields): Manifest {
  return serving({ match: [match] });
}

/** A Canary with an Istio load balancer. */
export function loadBalancing(loadBalancer: Fields): Manifest {
  return serving({ trafficPolicy: { loadBalancer } });
}

/** A Canary with one entry of analysis.match. */
export function testing(match: Fields): Manifest {
  return analysing({ match: [match] });
}

/** A Canary with one alert. */
export function alerting(alert: Fields): Manifest {
  return analysing({ alerts: [alert] });
}

/** A Canary with one metric. */
export function measuring(metric: Fields): Manifest {
  return analysing({ metrics: [metric] });
}

/** A Canary with one webhook, complete unless the fields say otherwise. */
export function calling(webhook: Fields): Manifest {
  return analysing({ webhooks: [{ name: 'load', url: 'http://tester/', ...webhook }] });
}

/** A Canary with an autoscalerRef, lacking its name unless the fields have one. */
export function scaledBy(scaler: Fields): Manifest {
  return aCanary({
    autoscalerRef: { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', ...scaler },
  });
}

/** A Canary with one gate, before the promotion unless the fields say otherwise. */
export function gated(gate: Fields): Manifest {
  return analysing({ gates: [{ name: 'sign-off', before: 'promotion', ...gate }] });
}
