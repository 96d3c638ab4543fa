import type { Canary } from '../../domain/canary.js';
import { pinned } from '../../domain/knative.js';
import type { KubeObject } from '../../domain/objects.js';
import { capabilitiesFor, type Provider } from '../../domain/providers.js';
import { mirrored, toCanary } from '../../domain/routes.js';
import type { Split } from '../../activities/routers/router.js';
import { aCanary, type CanaryParts } from '../activities/a-canary.js';
import { aDeployment } from '../activities/a-deployment.js';
import { anIngress, pathTo } from '../activities/routers/an-ingress.js';
import { at } from '../activities/routers/laws.js';
import { set, type Edit } from './edits.js';

/** A provider with a router, what it is tried with, and what somebody else does to its objects. */
export interface Subject {
  /** Manifests, by what is special about them. */
  readonly canaries: Readonly<Record<string, CanaryParts>>;
  /** What is in the namespace besides; it is given the names of `cart`, the service. */
  readonly seeds?: readonly KubeObject[];
  /** A change of a field of the router's, for each kind it writes. */
  readonly edits: Readonly<Record<string, Edit>>;
}

/** The providers that have a router. */
export type Routed = Exclude<Provider, 'kubernetes'>;

const apex = { labels: { team: 'shop' }, annotations: { note: 'apex' } };
const hosts = ['shop.example.com', '*.example.com'];
const retries = { attempts: 3, perTryTimeout: '5s', retryOn: 'gateway-error,5xx' };
const headers = {
  request: { add: { b: '1', a: '2' }, set: { c: '3' }, remove: ['d'] },
  response: { set: { e: '4' } },
};
const requests = [
  { uri: { prefix: '/api' }, headers: { 'x-a': { exact: '1' }, 'x-b': { regex: '.+' } } },
  { uri: { exact: '/b' }, queryParams: { q: { regex: '.*' } } },
  { uri: { regex: '/c/.*' } },
];
const insiders = [
  { headers: { 'x-canary': { exact: 'yes' }, cookie: { regex: '^(.*?;)?(at=canary)(;.*)?$' } } },
  { headers: { 'x-user': { exact: 'a' } } },
];
const testOf = (match: readonly object[]) => ({ iterations: 3, stepWeight: undefined, match });
const sessionAffinity = {
  cookieName: 'at',
  primaryCookieName: 'at-first',
  maxAge: 60,
  domain: 'example.com',
  httpOnly: true,
  partitioned: true,
  path: '/',
  sameSite: 'Strict',
  secure: true,
};

const object = (apiVersion: string, kind: string, name: string, spec: object): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name },
  spec,
});
const service = (name: string, app: string): KubeObject =>
  object('v1', 'Service', name, { selector: { app }, ports: [{ port: 80 }] });

const gatewayRefs = [{ name: 'nobody', sectionName: 'http', port: 80 }];
const olderRoutes = { gatewayRefs, apex, hosts, match: requests, headers };
const httpRoutes: Subject = {
  seeds: [
    object('gateway.networking.k8s.io/v1', 'Gateway', 'nobody', {
      gatewayClassName: 'nobody',
      listeners: [{ name: 'http', protocol: 'HTTP', port: 80 }],
    }),
    service('cart', 'cart-primary'),
  ],
  canaries: {
    plain: { service: { gatewayRefs } },
    'with everything': {
      service: {
        ...olderRoutes,
        match: [...requests, { method: { exact: 'GET' } }],
        timeout: '15s',
        backendTimeout: '5s',
        rewrite: { uri: '/x', authority: 'inner' },
        mirror: [{ backendRef: { name: 'shadow', port: 80 } }],
        corsPolicy: {
          allowOrigin: ['https://a.b'],
          allowMethods: ['GET'],
          allowHeaders: ['x'],
          exposeHeaders: ['y'],
          allowCredentials: true,
          maxAge: '24h',
        },
      },
    },
    'for some requests': {
      service: { gatewayRefs, match: requests },
      analysis: testOf([...insiders, { queryParams: { version: { exact: '2' } } }]),
    },
    'with cookies': {
      service: { gatewayRefs, match: requests, headers },
      analysis: { sessionAffinity },
    },
    'in a mesh': {
      service: { gatewayRefs: [{ group: 'core', kind: 'Service', name: 'cart', port: 80 }] },
    },
  },
  edits: { HTTPRoute: set('spec.hostnames', ['other.example.com']) },
};

const split: Subject = {
  canaries: { plain: {}, 'with everything': { service: { hosts, apex } } },
  edits: { TrafficSplit: set('spec.service', 'other') },
};

const listenerEdit = set('spec.listeners.*.portMapping.port', 1);
const meshParts = {
  apex,
  meshName: 'global',
  hosts: ['a.example.com', 'b.example.com'],
  targetPort: 9898,
  portName: 'grpc',
  timeout: '30s',
  retries: { attempts: 3, perTryTimeout: '1s', retryOn: 'gateway-error, connection-error' },
  match: [{ uri: { prefix: '/api' }, method: { exact: 'GET' } }, { uri: { prefix: '/v2' } }],
  backends: ['backend.test', 'arn:aws:appmesh:eu:1:mesh/m/virtualService/x'],
};
const meshCanaries = {
  plain: { service: { meshName: 'global' } },
  'with everything': { service: meshParts },
  'for some requests': {
    service: meshParts,
    analysis: testOf([{ headers: { 'x-b': { exact: 'yes' }, 'x-a': { suffix: 'no' } } }]),
  },
};

const paths = [pathTo('cart', '/'), pathTo('help', '/help'), pathTo('cart', '/cart')];
const ingress = (annotations: Record<string, string>) => anIngress('shop', { annotations, paths });
const ingressRef = { spec: { ingressRef: { name: 'shop' } } };
const ingressEdits = { Ingress: set('spec.rules.*.http.paths.*.path', '/gone') };

const upstreamRef = { name: 'model' };
const extraEntry = { latestRevision: false, revisionName: 'hello-00000', percent: 0 };

/** What each router is tried with. */
export const subjects: Readonly<Record<Routed, Subject>> = {
  apisix: {
    seeds: [
      object('apisix.apache.org/v2', 'ApisixRoute', 'shop', {
        ingressClassName: 'apisix',
        http: ['cart', 'help'].map((to) => ({
          name: to,
          match: { hosts: ['shop.example.com'], paths: [`/${to}*`] },
          timeout: { read: '3s' },
          websocket: true,
          plugins: [{ name: 'prometheus', enable: true, config: { prefer_name: true } }],
          backends: [{ serviceName: to, servicePort: 80, resolveGranularity: 'service' }],
        })),
      }),
    ],
    canaries: { plain: { spec: { routeRef: { name: 'shop' } } } },
    edits: { ApisixRoute: set('spec.http.*.priority', 1) },
  },
  appmesh: {
    canaries: meshCanaries,
    edits: { VirtualNode: listenerEdit, VirtualService: set('spec.routes.*.priority', 77) },
  },
  'appmesh:v1beta2': {
    seeds: [aDeployment()],
    canaries: meshCanaries,
    edits: {
      VirtualNode: listenerEdit,
      VirtualRouter: set('spec.routes.*.priority', 77),
      VirtualService: set('spec.provider.virtualRouter.virtualRouterRef.name', 'other'),
    },
  },
  contour: {
    canaries: {
      plain: {},
      'with retries alone': { service: { retries: { perTryTimeout: '1s' } } },
      'with everything': { service: { apex, timeout: '15s', retries, match: requests } },
      'for some requests': {
        service: { match: requests },
        analysis: testOf([...insiders, { queryParams: { version: { exact: '2' } } }]),
      },
    },
    edits: { HTTPProxy: set('spec.routes.*.timeoutPolicy', { response: '1h' }) },
  },
  'gatewayapi:v1': httpRoutes,
  'gatewayapi:v1beta1': {
    ...httpRoutes,
    canaries: { ...httpRoutes.canaries, 'with everything': { service: olderRoutes } },
  },
  gloo: {
    seeds: [
      service('cart-primary', 'cart-primary'),
      service('cart-canary', 'cart'),
      object('gloo.solo.io/v1', 'Upstream', 'model', {
        kube: { serviceName: 'model' },
        circuitBreakers: { maxConnections: 7 },
        loadBalancerConfig: { leastRequest: {} },
        useHttp2: true,
      }),
    ],
    canaries: {
      plain: {},
      'with everything': { spec: { upstreamRef }, service: { apex } },
      'for some requests': { analysis: testOf(insiders) },
    },
    edits: {
      Upstream: set('spec.kube.servicePort', 1),
      RouteTable: set('spec.routes.*.inheritablePathMatchers', false),
    },
  },
  istio: {
    canaries: {
      plain: {},
      'with everything': {
        service: {
          ...{ apex, hosts, headers, timeout: '15s' },
          gateways: ['istio-system/public', 'mesh'],
          retries: { ...retries, retryOn: 'gateway-error,connect-failure' },
          match: [
            {
              ...{ name: 'api', uri: { prefix: '/api' }, method: { regex: 'GET|HEAD' }, port: 80 },
              headers: { tenant: { exact: 'a' }, 'x-any': {} },
              withoutHeaders: { 'x-bot': {} },
              queryParams: { q: { exact: 'x' } },
              ...{ sourceLabels: { app: 'shop' }, ignoreUriCase: true },
            },
            ...requests,
          ],
          rewrite: { uri: '/', authority: 'inner', type: 'ReplacePrefixMatch' },
          corsPolicy: { allowOrigins: [{ regex: '.*[.]example[.]com' }], maxAge: '24h' },
          trafficPolicy: {
            tls: { mode: 'ISTIO_MUTUAL' },
            loadBalancer: { simple: 'LEAST_REQUEST' },
            connectionPool: { http: { maxRetries: 3 } },
            outlierDetection: { baseEjectionTime: '1m' },
          },
        },
        analysis: { mirrorWeight: 10 },
      },
      'for some requests': { analysis: testOf([...insiders, { sourceLabels: { tier: 'beta' } }]) },
      'with cookies': { service: { match: requests }, analysis: { sessionAffinity } },
      delegated: { service: { delegation: true, portDiscovery: true } },
      'of plain TCP': {
        service: { appProtocol: 'TCP', match: [{ port: 6379, name: 'redis' }, {}] },
      },
    },
    edits: {
      VirtualService: set('spec.hosts', ['other']),
      DestinationRule: set('spec.host', 'other'),
    },
  },
  knative: {
    seeds: [
      pinned(
        {
          apiVersion: 'serving.knative.dev/v1',
          kind: 'Service',
          metadata: { name: 'hello' },
          spec: {
            template: { spec: { containers: [{ name: 'web', image: 'hello:1' }] } },
            traffic: [{ ...extraEntry, tag: 'old' }],
          },
        },
        'podinfo',
        'hello-00001',
      ),
    ],
    canaries: {
      plain: {
        spec: {
          targetRef: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'hello' },
        },
      },
    },
    edits: {
      Service: (live) => {
        const { traffic } = live.spec as { traffic: object[] };
        return set('spec.traffic', [...traffic, extraEntry])(live);
      },
    },
  },
  kuma: {
    canaries: { plain: {}, 'with everything': { service: { apex } } },
    edits: { TrafficRoute: set('spec.sources', [{ match: { 'kuma.io/service': 'other' } }]) },
  },
  linkerd: split,
  nginx: {
    seeds: [ingress({ 'nginx.ingress.kubernetes.io/rewrite-target': '/', note: 'theirs' })],
    canaries: {
      plain: ingressRef,
      'for a header or a cookie': {
        ...ingressRef,
        analysis: testOf([
          { headers: { 'x-canary': { regex: '^in.*' } } },
          { headers: { cookie: { exact: 'beta' } } },
        ]),
      },
    },
    edits: ingressEdits,
  },
  osm: split,
  skipper: {
    seeds: [
      ingress({
        'zalando.org/skipper-predicate': 'Method("GET")',
        'zalando.org/backend-weights': '{"help": 30, "faq": 70}',
      }),
    ],
    canaries: { plain: ingressRef },
    edits: ingressEdits,
  },
  'smi:v1alpha1': split,
  'smi:v1alpha2': split,
  'smi:v1alpha3': split,
  traefik: {
    canaries: { plain: {}, 'with everything': { service: { apex } } },
    edits: { TraefikService: set('spec.weighted.services.*.port', 1) },
  },
};

/** Every manifest there is: what it is called, and the Canary it makes in some namespace. */
export const manifests: readonly (readonly [title: string, provider: Routed, CanaryParts])[] = (
  Object.entries(subjects) as [Routed, Subject][]
).flatMap(([provider, { canaries }]) =>
  Object.entries(canaries).map(
    ([what, parts]) => [`${provider}, ${what}`, provider, parts] as const,
  ),
);

/** The Canary of a manifest. */
export function canaryFrom(provider: Routed, { spec, service: of, analysis }: CanaryParts): Canary {
  return aCanary({
    spec: { provider, ...spec },
    service: { name: 'cart', ...of },
    analysis: analysis ?? {},
  });
}

/** Whether a router can split the requests of a Canary: Ingress NGINX takes all it is to choose, or none. */
export function isWeighted({ provider, analysis }: Canary): boolean {
  return provider !== 'nginx' || analysis.match.length === 0;
}

/** The splits a router has to express for a Canary. */
export function splitsFor(canary: Canary): readonly Split[] {
  const { provider, service: of, analysis } = canary;
  const weights = isWeighted(canary) ? [0, 1, 50, 100] : [0, 100];
  const cookies =
    analysis.sessionAffinity === undefined
      ? {}
      : { canary: 'at=canary', primary: 'at-first=primary', expired: 'at=last' };
  const copies = capabilitiesFor(provider, of).mirror ? [mirrored] : [];
  return [...weights.map((weight) => toCanary(weight)), ...copies].map((routes) => ({
    ...at(0),
    routes,
    cookies,
  }));
}
