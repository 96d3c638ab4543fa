import type { KubeObject } from '../../../domain/objects.js';
import { toCanary } from '../../../domain/routes.js';
import type { CanaryParts } from '../a-canary.js';
import {
  canaryOf,
  full,
  named,
  rendered,
  routers,
  target,
  titleOf,
  type Live,
  type Provider,
} from './app-mesh-rig.js';
import { at, testRouter } from './laws.js';

const someRequests: CanaryParts = {
  analysis: {
    iterations: 3,
    match: [
      { headers: { 'x-b': { exact: 'yes' }, 'x-a': { suffix: 'no' } } },
      { headers: { cookie: { regex: '.*canary.*' } } },
    ],
  },
};

/** Somebody else's objects of the names of the Canary's. */
const foreign = (provider: Provider, parts: CanaryParts): KubeObject[] =>
  rendered(provider, parts).map(({ apiVersion, kind, metadata: { name } }) => ({
    apiVersion,
    kind,
    metadata: {
      name,
      namespace: 'test',
      labels: { team: 'other' },
      annotations: { note: 'theirs', 'gateway.appmesh.k8s.aws/domain': 'their.example.com' },
    },
    spec: { awsName: name },
  }));

/** Changes what a spec has of the Canary, but no weight. */
const disturb = (object: KubeObject): KubeObject => {
  if (!object.apiVersion.startsWith('appmesh')) return object;
  const { routes, ...spec } = object.spec as Record<string, unknown> & { routes?: object[] };
  const changed = Object.fromEntries(Object.keys(spec).map((field) => [field, undefined]));
  return {
    ...object,
    spec: {
      ...changed,
      ...(routes === undefined
        ? {}
        : { routes: routes.map((route) => ({ ...route, priority: 77 })) }),
    },
  };
};

describe.each(Object.keys(routers) as Provider[])('%s', (provider) => {
  const router = routers[provider];
  const all = { plain: {}, 'with everything': full, 'for some requests only': someRequests };

  describe.each(Object.entries(all))('%s', (_, parts) => {
    testRouter({
      router,
      canary: canaryOf(provider, parts),
      seed: provider === 'appmesh' ? [] : [target],
      foreign: foreign(provider, parts),
      disturb,
    });
  });

  it('makes virtual nodes before there are pods, and nothing that leads requests', () => {
    const canary = canaryOf(provider, full);
    const nodes = rendered(provider, full).filter(({ kind }) => kind === 'VirtualNode');

    expect(router.beforePods?.(canary, [target])).toEqual(nodes);
    expect(nodes.length).toBeGreaterThan(0);
  });

  it('writes weights of zero', () => {
    const canary = canaryOf(provider);

    for (const weight of [0, 100]) {
      const text = JSON.stringify(router.render(canary, at(weight), [target]));
      expect(text.match(/"weight":0\b/g)).toHaveLength(2);
    }
  });

  it('leaves everybody else on the primary during the analysis of some requests', () => {
    const routes = routesOf(provider, rendered(provider, someRequests), 'podinfo');

    expect(routes.map(({ name, priority }) => [name, priority])).toEqual([
      ['podinfo-a', 10],
      ['podinfo-a-2', 11],
      ['podinfo-b', 20],
    ]);
    expect(routes.map(({ match }) => match)).toEqual([
      {
        prefix: '/',
        headers: [
          { name: 'x-a', match: { suffix: 'no' } },
          { name: 'x-b', match: { exact: 'yes' } },
        ],
      },
      { prefix: '/', headers: [{ name: 'cookie', match: { regex: '.*canary.*' } }] },
      { prefix: '/' },
    ]);
    expect(routes.map(({ weights }) => weights)).toEqual([
      { 'podinfo-canary': 30, 'podinfo-primary': 70 },
      { 'podinfo-canary': 30, 'podinfo-primary': 70 },
      { 'podinfo-primary': 100 },
    ]);
  });

  it('has a route for each of the requests of the service', () => {
    const match = [
      { uri: { prefix: '/a' }, headers: { tenant: { exact: 'x' } } },
      { uri: { prefix: '/b' }, method: { exact: 'GET' } },
    ];
    const objects = rendered(provider, { service: { match } });

    for (const name of ['podinfo', 'podinfo-canary']) {
      expect(routesOf(provider, objects, name).map(({ name, match }) => ({ name, match }))).toEqual(
        [
          {
            name,
            match: { prefix: '/a', headers: [{ name: 'tenant', match: { exact: 'x' } }] },
          },
          { name: `${name}-2`, match: { prefix: '/b', method: 'GET' } },
        ],
      );
    }
  });

  it('tests requests by a priority behind all that take part, however many', () => {
    const match = Array.from({ length: 12 }, (_, i) => ({ headers: { n: { exact: String(i) } } }));
    const objects = rendered(provider, { analysis: { iterations: 3, match } });

    expect(routesOf(provider, objects, 'podinfo').map(({ priority }) => priority)).toEqual(
      Array.from({ length: 13 }, (_, i) => 10 + i),
    );
  });

  it('reads the weights whichever requests take part', () => {
    const some = rendered(provider, someRequests, { weight: 100 });

    expect(router.parse(canaryOf(provider), some)).toEqual(toCanary(100));
    expect(router.parse(canaryOf(provider, someRequests), rendered(provider))).toEqual(
      toCanary(30),
    );
  });

  it('leaves the service of the canary where it is', () => {
    const before = rendered(provider, {}, { weight: 0 });
    const after = rendered(provider, {}, { weight: 100, live: [target, ...before] });

    expect(routesOf(provider, after, 'podinfo-canary')).toEqual(
      routesOf(provider, before, 'podinfo-canary'),
    );
    expect(routesOf(provider, after, 'podinfo-canary').map(({ weights }) => weights)).toEqual([
      { 'podinfo-canary': 100, 'podinfo-primary': 0 },
    ]);
  });

  it('keeps what others set inside listeners and routes', () => {
    const tls = { mode: 'STRICT' };
    const live = rendered(provider).map((object) => {
      const { listeners, routes } = object.spec as { listeners?: object[]; routes?: object[] };
      return {
        ...object,
        spec: {
          ...object.spec,
          ...(listeners && { listeners: listeners.map((one) => ({ ...one, tls })) }),
          ...(routes && { routes: routes.map((one) => ({ ...one, tcpRoute: 'theirs' })) }),
        },
      };
    });

    expect(rendered(provider, {}, { live: [target, ...live] })).toEqual(live);
  });

  it('drops what the manifest no longer has', () => {
    const live = rendered(provider, full);
    const reduced = {
      service: {
        name: 'cart',
        targetPort: 9898,
        match: [{ uri: { prefix: '/api' } }],
        hosts: ['a.example.com'],
      },
    };

    const after = rendered(provider, reduced, { live: [target, ...live] });

    expect(after.map(({ spec }) => spec)).toEqual(
      rendered(provider, reduced).map(({ spec }) => spec),
    );
    const keys = Object.keys(
      named(after, 'VirtualService', provider === 'appmesh' ? 'cart.test' : 'cart').metadata
        .annotations!,
    );
    expect(keys.filter((key) => key.startsWith('gateway'))).toEqual([
      'gateway.appmesh.k8s.aws/expose',
      'gateway.appmesh.k8s.aws/domain',
    ]);
  });

  it('logs requests where the Canary asks for it', () => {
    const canary = { ...canaryOf(provider), accessLog: true };
    const logging = { accessLog: { file: { path: '/dev/stdout' } } };

    const nodes = router.beforePods!(canary, [target]);

    expect(nodes.map(({ spec }) => (spec as Live['spec'])['logging'])).toEqual(
      nodes.map(() => logging),
    );
    expect(JSON.stringify(rendered(provider))).not.toContain('logging');
  });

  it('speaks gRPC where the port is named so', () => {
    const [node] = rendered(provider, { service: { portName: 'grpc-web' } });

    expect(node?.spec['listeners']).toEqual([{ portMapping: { port: 80, protocol: 'grpc' } }]);
  });

  it('tries once more after an error of a gateway when nothing else is said', () => {
    const text = JSON.stringify(rendered(provider, { service: { retries: {} } }));

    expect(text).toContain('"maxRetries":1,"httpRetryEvents":["gateway-error"]');
    expect(text).toContain('250');
  });

  it.each<[string, object, string]>([
    [
      'a query parameter',
      { match: [{ queryParams: { v: { exact: '2' } } }] },
      'a match on queryParams is not supported by appmesh (supported: uri, method, headers)',
    ],
    [
      'a pattern of the path',
      { match: [{ uri: { regex: '/a.*' } }] },
      'uri is matched by regex, which is not supported by appmesh (supported: prefix)',
    ],
    [
      'an error it cannot tell',
      { retries: { retryOn: '5xx' } },
      'spec.service.retries.retryOn: 5xx is not supported by appmesh (supported: server-error, gateway-error, client-error, stream-error, connection-error)',
    ],
    [
      'a time for a try that is none',
      { retries: { perTryTimeout: 'soon' } },
      'spec.service.retries.perTryTimeout: "soon" is not a duration above 0, such as 15s or 500ms',
    ],
  ])('refuses %s', (_, service, message) => {
    expect(() => rendered(provider, { service })).toThrow(message);
  });

  it('refuses to narrow the analysis to source labels', () => {
    const analysis = { iterations: 3, match: [{ sourceLabels: { app: 'a' } }] };

    expect(() => rendered(provider, { analysis })).toThrow(
      'a match on sourceLabels is not supported by appmesh',
    );
  });

  it('reads no routes from objects that are not there', () => {
    const apex = provider === 'appmesh' ? 'VirtualService podinfo.test' : 'VirtualRouter podinfo';
    const others = rendered(provider).filter((object) => titleOf(object) !== apex);

    expect(others).toHaveLength(rendered(provider).length - 1);
    expect(router.parse(canaryOf(provider), others)).toBeUndefined();
  });
});

interface ReadRoute {
  name: string;
  priority: number | undefined;
  match: unknown;
  weights: Record<string, number>;
}

/** The routes of a service, in the same form for both versions. */
function routesOf(provider: Provider, objects: readonly Live[], service: string): ReadRoute[] {
  const { spec } =
    provider === 'appmesh'
      ? named(objects, 'VirtualService', `${service}.test`)
      : named(objects, 'VirtualRouter', service);
  interface Http {
    match: unknown;
    action: {
      weightedTargets: {
        virtualNodeName?: string;
        virtualNodeRef?: { name: string };
        weight: number;
      }[];
    };
  }
  const routes = spec['routes'] as {
    name: string;
    priority?: number;
    http?: Http;
    httpRoute?: Http;
  }[];
  return routes.map(({ name, priority, http, httpRoute }) => {
    const { match, action } = (http ?? httpRoute)!;
    const weights = Object.fromEntries(
      action.weightedTargets.map(({ virtualNodeName, virtualNodeRef, weight }) => [
        virtualNodeName ?? virtualNodeRef!.name,
        weight,
      ]),
    );
    return { name, priority, match, weights };
  });
}
