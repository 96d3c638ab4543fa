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
  ['cart-app-7d9f8b6c5-x2x9z', true],
  ['cart-app-primary-7d9f8b6c5-x2x9z', false],
  ['other-cart-app-7d9f8b6c5-x2x9z', false],
])('counts the pod %s: %s', (pod, counts) => {
  const [query = ''] = queries(observers.http);
  const pattern = /kubernetes_pod_name=~"([^"]+)"/.exec(query)?.[1];

  expect(new RegExp(`^(?:${pattern})$`).test(pod)).toBe(counts);
});
