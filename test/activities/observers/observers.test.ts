import { observers } from '../../../activities/observers/index.js';
import { renderQuery } from '../../../activities/metrics/templates.js';
import type { Observer } from '../../../activities/observers/observer.js';
import { aCanary } from '../a-canary.js';

const canary = aCanary({
  service: { name: 'cart' },
  spec: { targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'cart-app' } },
  analysis: { metrics: [{ name: 'any', interval: '30s' }] },
});

function queries(observer: Observer, revision?: string): string[] {
  return [observer.successRate, observer.duration].map((text) => {
    const rendered = renderQuery(text, canary, canary.analysis.metrics[0]!, revision);
    if (!rendered.ok) throw new Error(rendered.problem);
    return rendered.text.replaceAll(/\s+/g, ' ').trim();
  });
}

it('measures Contour by the clusters of the canary service', () => {
  const cluster = 'envoy_cluster_name=~"test_cart-canary_[0-9a-zA-Z-]+"';
  const all = `sum(rate(envoy_cluster_upstream_rq{${cluster}}[30s]))`;

  expect(queries(observers.contour)).toEqual([
    `( sum(rate(envoy_cluster_upstream_rq{${cluster}, envoy_response_code!~"5.*"}[30s])) or 0 * ${all} ) / ${all} * 100`,
    `histogram_quantile(0.99, sum by (le) (rate(envoy_cluster_upstream_rq_time_bucket{${cluster}}[30s])))`,
  ]);
});

it('measures Knative by the cluster of the revision under analysis', () => {
  const knative = 'envoy_cluster_name=~"test/hello-00002"';
  const [successRate, duration] = queries(observers.knative, 'hello-00002');

  expect(successRate).toContain(
    `envoy_cluster_upstream_rq{${knative}, envoy_response_code!~"5.*"}`,
  );
  expect(duration).toContain(`envoy_cluster_upstream_rq_time_bucket{${knative}}[30s]`);
});

it('measures Istio by what reached the workload of the target', () => {
  const canary =
    'reporter="destination", destination_workload_namespace="test", destination_workload=~"cart-app"';
  const all = `sum(rate(istio_requests_total{${canary}}[30s]))`;

  expect(queries(observers.istio)).toEqual([
    `( sum(rate(istio_requests_total{${canary}, response_code!~"5.*"}[30s])) or 0 * ${all} ) / ${all} * 100`,
    `histogram_quantile(0.99, sum by (le) (rate(istio_request_duration_milliseconds_bucket{${canary}}[30s])))`,
  ]);
});

it('measures Kuma by the canary service', () => {
  const kuma = 'service=~"cart-canary_test_svc_[0-9a-zA-Z-]+"';
  const all = `sum(rate(envoy_cluster_upstream_rq{${kuma}}[30s]))`;

  expect(queries(observers.kuma)).toEqual([
    `( sum(rate(envoy_cluster_upstream_rq{${kuma}, envoy_response_code!~"5.*"}[30s])) or 0 * ${all} ) / ${all} * 100`,
    `histogram_quantile(0.99, sum by (le) (rate(envoy_cluster_upstream_rq_time_bucket{${kuma}}[30s])))`,
  ]);
});

it('measures gateways by the pods of the target', () => {
  const pods =
    'kubernetes_namespace="test", kubernetes_pod_name=~"cart-app-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)"';
  const all = `sum(rate(http_request_duration_seconds_count{${pods}}[30s]))`;

  expect(queries(observers.http)).toEqual([
    `( sum(rate(http_request_duration_seconds_count{${pods}, status!~"5.*"}[30s])) or 0 * ${all} ) / ${all} * 100`,
    `histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket{${pods}}[30s]))) * 1000`,
  ]);
});

it.each([
  {
    name: 'Linkerd by what reached the Deployment',
    observer: observers.linkerd,
    canary: 'namespace="test", deployment="cart-app", direction="inbound"',
    failed: 'classification!="failure"',
    requests: 'response_total',
    times: 'response_latency_ms_bucket',
  },
  {
    name: 'Open Service Mesh by what was sent to the target',
    observer: observers.osm,
    canary:
      'destination_namespace="test", destination_kind=~"Deployment|DaemonSet", destination_name="cart-app"',
    failed: 'response_code!~"5.*"',
    requests: 'osm_request_total',
    times: 'osm_request_duration_ms_bucket',
  },
  {
    name: 'App Mesh by the proxies of the pods of the target',
    observer: observers.appMesh,
    canary:
      'kubernetes_namespace="test", kubernetes_pod_name=~"cart-app-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)"',
    failed: 'envoy_response_code!~"5.*"',
    requests: 'envoy_cluster_upstream_rq',
    times: 'envoy_cluster_upstream_rq_time_bucket',
  },
])('measures $name', ({ observer, canary: selected, failed, requests, times }) => {
  const all = `sum(rate(${requests}{${selected}}[30s]))`;

  expect(queries(observer)).toEqual([
    `( sum(rate(${requests}{${selected}, ${failed}}[30s])) or 0 * ${all} ) / ${all} * 100`,
    `histogram_quantile(0.99, sum by (le) (rate(${times}{${selected}}[30s])))`,
  ]);
});

it.each([
  ['cart-app-7d9f8b6c5-x2x9z', true],
  ['cart-app-primary-7d9f8b6c5-x2x9z', false],
  ['other-cart-app-7d9f8b6c5-x2x9z', false],
])('counts the pod %s: %s', (pod, counts) => {
  const [query = ''] = queries(observers.http);
  const pattern = /kubernetes_pod_name=~"([^"]+)"/.exec(query)?.[1];

  expect(new RegExp(`^(?:${pattern})$`).test(pod)).toBe(counts);
});
