import { renderQuery } from '../../../activities/metrics/templates.js';
import { observers } from '../../../activities/observers/index.js';
import { aCanary } from '../a-canary.js';

/** Names of all kinds: the target's differs from the service's, and the Ingress's has a dot. */
const canary = aCanary({
  service: { name: 'my-cart' },
  spec: {
    targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'cart-app' },
    ingressRef: { name: 'shop.web' },
    routeRef: { name: 'shop' },
  },
  analysis: { metrics: [{ name: 'any', interval: '30s' }] },
});

function queries(name: 'apisix' | 'gloo' | 'nginx' | 'skipper' | 'traefik'): string[] {
  return [observers[name].successRate, observers[name].duration].map((text) => {
    const rendered = renderQuery(text, canary, canary.analysis.metrics[0]!);
    if (!rendered.ok) throw new Error(rendered.problem);
    return rendered.text.replaceAll(/\s+/g, ' ').trim();
  });
}

/** The share of `good` in `all`, and 0 where all of them are bad. */
const share = (all: string, good: string): string =>
  `( sum(rate(${good}[30s])) or 0 * sum(rate(${all}[30s])) ) / sum(rate(${all}[30s])) * 100`;
const quantile = (series: string): string =>
  `histogram_quantile(0.99, sum by (le) (rate(${series}[30s])))`;
const mean = (series: string, selection: string): string =>
  `sum(rate(${series}_sum{${selection}}[30s])) / sum(rate(${series}_count{${selection}}[30s])) * 1000`;

it('measures Ingress NGINX by the requests that took the canary', () => {
  const series = 'nginx_ingress_controller_requests';
  const taken = 'namespace="test", ingress="shop.web", canary=~"test-my-cart-canary-[0-9a-zA-Z-]+"';

  expect(queries('nginx')).toEqual([
    share(`${series}{${taken}}`, `${series}{${taken}, status!~"5.*"}`),
    mean('nginx_ingress_controller_response_duration_seconds', taken),
  ]);
});

it('measures Skipper by the routes of the copy to the canary', () => {
  const series = 'skipper_response_duration_seconds_bucket';
  const route = 'route=~"kube(ew)?_test__shop_web_canary__.*__my_cart_canary(_[0-9]+)?"';

  expect(queries('skipper')).toEqual([
    share(`${series}{${route}, le="+Inf"}`, `${series}{${route}, code!~"5..", le="+Inf"}`),
    mean('skipper_serve_route_duration_seconds', route),
  ]);
});

it('measures Traefik by the canary service', () => {
  const series = 'traefik_service_request_duration_seconds_bucket';
  const service = 'service=~"test-my-cart-canary-[0-9a-zA-Z-]+@kubernetescrd"';

  expect(queries('traefik')).toEqual([
    share(`${series}{${service}, le="+Inf"}`, `${series}{${service}, code!~"5..", le="+Inf"}`),
    `${quantile(`${series}{${service}}`)} * 1000`,
  ]);
});

it('measures APISIX by the rules of the copy', () => {
  const route = 'route=~"test_shop-my-cart-canary_.+"';

  expect(queries('apisix')).toEqual([
    share(`apisix_http_status{${route}}`, `apisix_http_status{${route}, code!~"5.."}`),
    quantile(`apisix_http_latency_bucket{${route}, type=~"request"}`),
  ]);
});

it('measures Gloo by the cluster of the canary upstream', () => {
  const cluster = 'envoy_cluster_name=~"test-my-cart-canaryupstream-[0-9a-zA-Z-]+_[0-9a-zA-Z-]+"';

  expect(queries('gloo')).toEqual([
    share(
      `envoy_cluster_upstream_rq{${cluster}}`,
      `envoy_cluster_upstream_rq{${cluster}, envoy_response_code!~"5.*"}`,
    ),
    quantile(`envoy_cluster_upstream_rq_time_bucket{${cluster}}`),
  ]);
});

/** Names as the products have them in their metrics: those of the canary, then others beside it. */
it.each<[Parameters<typeof queries>[0], string, readonly string[], readonly string[]]>([
  [
    'nginx',
    'canary',
    ['test-my-cart-canary-80', 'test-my-cart-canary-http'],
    ['', 'test-other-canary-80', 'test-my-cart-primary-80'],
  ],
  [
    'skipper',
    'route',
    [
      'kube_test__shop_web_canary__shop_example_com____my_cart_canary',
      'kubeew_test__shop_web_canary__shop_example_com____my_cart_canary_0',
    ],
    [
      'kube_test__shop_web_canary__shop_example_com____my_cart_primary',
      'kube_test__shop_web__shop_example_com____my_cart',
    ],
  ],
  [
    'traefik',
    'service',
    ['test-my-cart-canary-80@kubernetescrd'],
    ['test-my-cart-primary-80@kubernetescrd', 'test-my-cart@kubernetescrd'],
  ],
  ['apisix', 'route', ['test_shop-my-cart-canary_rule'], ['test_shop_rule']],
  [
    'gloo',
    'envoy_cluster_name',
    ['test-my-cart-canaryupstream-80_test'],
    ['test-my-cart-primaryupstream-80_test'],
  ],
])('%s counts what is the canary’s by its label %s', (name, label, counted, others) => {
  const [query = ''] = queries(name);
  const pattern = new RegExp(`${label}=~"([^"]+)"`).exec(query)?.[1] ?? '';
  const counts = (value: string) => new RegExp(`^(?:${pattern})$`).test(value);

  expect(counted.map(counts)).toEqual(counted.map(() => true));
  expect(others.map(counts)).toEqual(others.map(() => false));
});
