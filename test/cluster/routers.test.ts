import { contour } from '../../activities/routers/contour.js';
import { gatewayApi } from '../../activities/routers/gateway-api.js';
import type { Router, Split } from '../../activities/routers/router.js';
import type { Canary } from '../../domain/canary.js';
import type { KubeObject } from '../../domain/objects.js';
import { mirrored, toCanary } from '../../domain/routes.js';
import { aCanary, aManifest } from '../activities/a-canary.js';
import { at } from '../activities/routers/laws.js';
import { connectToApiServer } from './api-server.js';

/**
 * What routers render, against the schemas of the real CRDs: nothing is unknown to them, and the
 * API server stores it as it was sent, so that a second look finds nothing to do.
 */
const api = connectToApiServer();
const namespace = `routers-${String(process.pid)}`;

let uid: string;

beforeAll(async () => {
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  await api.call({ method: 'POST', path: '/api/v1/namespaces', body });
  // What no living object owns is collected as garbage.
  const owner = await api.call<KubeObject>({
    method: 'POST',
    path: `/apis/flagger.app/v1beta1/namespaces/${namespace}/canaries`,
    body: { ...aManifest(), metadata: { name: 'podinfo' } },
  });
  uid = owner.body.metadata.uid!;
});
afterAll(() => api.call({ method: 'DELETE', path: `/api/v1/namespaces/${namespace}` }));

const path = {
  HTTPProxy: `/apis/projectcontour.io/v1/namespaces/${namespace}/httpproxies`,
  HTTPRoute: `/apis/gateway.networking.k8s.io/v1/namespaces/${namespace}/httproutes`,
  'HTTPRoute of v1beta1': `/apis/gateway.networking.k8s.io/v1beta1/namespaces/${namespace}/httproutes`,
};

const someRequests = {
  iterations: 3,
  match: [
    {
      headers: {
        'x-canary': { exact: 'yes' },
        cookie: { regex: '^(.*?;)?(canary=always)(;.*)?$' },
      },
    },
    { headers: { 'x-user': { exact: 'a' } }, queryParams: { version: { exact: '2' } } },
  ],
};
const matches = [
  { uri: { prefix: '/api' }, headers: { 'x-a': { exact: '1' }, 'x-b': { regex: '.+' } } },
  { uri: { exact: '/b' }, queryParams: { q: { regex: '.*' } } },
  { uri: { regex: '/c/.*' } },
];
const gatewayRefs = [{ name: 'nobody', namespace: 'nowhere', sectionName: 'http', port: 80 }];

const shared = { timeout: '15s', apex: { labels: { team: 'a' }, annotations: { note: 'b' } } };
const proxies: Record<string, Canary> = {
  plain: canaryOf('contour', {}),
  retries: canaryOf('contour', { retries: { perTryTimeout: '1s' } }),
  full: canaryOf('contour', {
    ...shared,
    retries: { attempts: 3, perTryTimeout: '5s', retryOn: 'gateway-error,5xx' },
    match: matches,
  }),
  some: canaryOf('contour', { match: matches }, someRequests),
};
const routes: Record<string, Canary> = {
  plain: canaryOf('gatewayapi:v1', { gatewayRefs }),
  full: canaryOf('gatewayapi:v1', {
    ...shared,
    gatewayRefs,
    backendTimeout: '5s',
    hosts: ['a.example.com', '*.example.com'],
    match: [...matches, { method: { exact: 'GET' } }],
    headers: {
      request: { add: { b: '1', a: '2' }, set: { c: '3' }, remove: ['d'] },
      response: { set: { e: '4' } },
    },
    rewrite: { uri: '/x', authority: 'inner' },
    mirror: [{ backendRef: { name: 'shadow', port: 80 } }],
    corsPolicy: {
      allowOrigin: ['https://a.b'],
      allowMethods: ['GET'],
      allowHeaders: ['x'],
      exposeHeaders: ['y'],
      allowCredentials: true,
    },
  }),
  some: canaryOf('gatewayapi:v1', { gatewayRefs, match: matches }, someRequests),
  'in a mesh': canaryOf('gatewayapi:v1', {
    gatewayRefs: [{ group: 'core', kind: 'Service', name: 'podinfo', port: 80 }],
  }),
};
const olderRoutes: Record<string, Canary> = {
  plain: canaryOf('gatewayapi:v1beta1', { gatewayRefs }),
  full: canaryOf('gatewayapi:v1beta1', { ...shared, gatewayRefs, match: matches, corsPolicy: {} }),
};

afterEach(async () => {
  for (const all of Object.values(path)) await api.call({ method: 'DELETE', path: all });
});

describe.each([
  ['HTTPProxy', contour({ ingressClass: 'nobody' }), proxies],
  ['HTTPRoute', gatewayApi({ version: 'v1' }), routes],
  ['HTTPRoute of v1beta1', gatewayApi({ version: 'v1beta1' }), olderRoutes],
] as const)('%s', (kind, router: Router, canaries) => {
  it.each(Object.entries(canaries))('%s is stored as it is rendered', async (_, parsed) => {
    const canary = { ...parsed, uid };
    const created = await send('POST', path[kind], first(router, canary, at(0)));
    let live = created;
    for (const weight of [0, 1, 37, 50, 100, 0]) {
      const rendered = first(router, canary, at(weight), [live]);
      live = await send('PUT', `${path[kind]}/${canary.service.name}`, rendered);

      expect(live.spec).toEqual(rendered.spec);
      expect(router.parse(canary, [live])).toEqual(toCanary(weight));
      expect(router.render(canary, at(weight), [live])).toEqual([live]);
    }
    // One for the creation and one for each weight that differed from the one before.
    expect(live.metadata.generation).toBe(6);
  });
});

it.each(Object.entries(routes))('%s is stored with cookies and copies', async (_, parsed) => {
  const router = gatewayApi({ version: 'v1' });
  const affinity = { ...sessionAffinity, domain: 'example.com', path: '/', secure: true };
  const analysis = { ...parsed.analysis, sessionAffinity: affinity };
  const canary = { ...parsed, uid, analysis };
  const cookies = { canary: 'at=canary', primary: 'at-first=primary', expired: 'at=last' };
  let live = await send('POST', path.HTTPRoute, first(router, canary, at(0)));
  for (const routesNow of [mirrored, toCanary(37), toCanary(100), toCanary(0)]) {
    const split = { routes: routesNow, cookies };
    const rendered = first(router, canary, split, [live]);
    live = await send('PUT', `${path.HTTPRoute}/${canary.service.name}`, rendered);

    expect(live.spec).toEqual(rendered.spec);
    expect(router.parse(canary, [live])).toEqual(routesNow);
    expect(router.render(canary, split, [live])).toEqual([live]);
  }
  expect(live.metadata.generation).toBe(5);
});

const sessionAffinity = {
  cookieName: 'at',
  primaryCookieName: 'at-first',
  maxAge: 60,
  httpOnly: true,
  partitioned: false,
};

function canaryOf(provider: string, service: object, analysis: object = {}): Canary {
  return { ...aCanary({ spec: { provider }, service, analysis }), namespace };
}

function first(router: Router, canary: Canary, split: Split, live: KubeObject[] = []): KubeObject {
  return router.render(canary, split, live)[0]!;
}

async function send(method: 'POST' | 'PUT', to: string, body: KubeObject): Promise<KubeObject> {
  const answer = await api.call<KubeObject & { message?: string }>({
    method,
    path: `${to}?fieldValidation=Strict`,
    body,
  });
  expect([answer.body.message, answer.code]).toEqual([undefined, method === 'POST' ? 201 : 200]);
  return answer.body;
}
