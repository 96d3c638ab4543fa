import { aCanary, aMetricTemplate, anAlertProvider } from './crd-manifests.js';
import type { Manifest } from './crd-manifests.js';

const anyMatch = { exact: 'a' };
const metadata = { labels: { team: 'shop' }, annotations: { note: 'kept' } };
const headerOperations = { add: { 'x-a': '1' }, set: { 'x-b': '2' }, remove: ['x-c'] };

const trafficPolicy = {
  connectionPool: {
    http: {
      h2UpgradePolicy: 'UPGRADE',
      http1MaxPendingRequests: 10,
      http2MaxRequests: 100,
      idleTimeout: '30s',
      maxRequestsPerConnection: 5,
      maxRetries: 3,
    },
  },
  loadBalancer: {
    consistentHash: {
      httpCookie: { name: 'session', path: '/', ttl: '60s' },
      minimumRingSize: 1024,
    },
    localityLbSetting: {
      enabled: true,
      distribute: [{ from: 'eu/*', to: { 'eu/*': 80, 'us/*': 20 } }],
      failover: [{ from: 'eu', to: 'us' }],
    },
    warmupDurationSecs: '60s',
  },
  outlierDetection: {
    baseEjectionTime: '30s',
    consecutive5xxErrors: 5,
    consecutiveErrors: 5,
    consecutiveGatewayErrors: 5,
    consecutiveLocalOriginFailures: 5,
    interval: '10s',
    maxEjectionPercent: 50,
    minHealthPercent: 30,
    splitExternalLocalOriginErrors: true,
  },
  tls: {
    mode: 'MUTUAL',
    caCertificates: '/etc/ca.pem',
    clientCertificate: '/etc/cert.pem',
    privateKey: '/etc/key.pem',
    sni: 'web.example.com',
    subjectAltNames: ['web.example.com'],
  },
};

const service = {
  name: 'web',
  port: 80,
  portName: 'http',
  targetPort: 'web',
  appProtocol: 'http',
  trafficDistribution: 'PreferClose',
  portDiscovery: true,
  headless: false,
  timeout: '15s',
  backendTimeout: '5s',
  gateways: ['mesh'],
  gatewayRefs: [
    {
      group: 'gateway.networking.k8s.io',
      kind: 'Gateway',
      name: 'edge',
      namespace: 'infra',
      sectionName: 'https.web',
      port: 443,
    },
  ],
  hosts: ['web.example.com'],
  delegation: false,
  trafficPolicy,
  match: [
    {
      name: 'mobile',
      uri: { prefix: '/api' },
      scheme: anyMatch,
      method: anyMatch,
      authority: { regex: '.*' },
      headers: { 'x-user': anyMatch },
      withoutHeaders: { 'x-bot': anyMatch },
      queryParams: { page: anyMatch },
      ignoreUriCase: true,
      port: 80,
      sourceLabels: { app: 'shop' },
      sourceNamespace: 'shop',
      gateways: ['mesh'],
    },
  ],
  rewrite: { uri: '/', authority: 'web', type: 'ReplacePrefixMatch' },
  retries: { attempts: 3, perTryTimeout: '1s', retryOn: '5xx' },
  headers: { request: headerOperations, response: headerOperations },
  mirror: [
    { backendRef: { group: '', kind: 'Service', name: 'shadow', namespace: 'shop', port: 80 } },
  ],
  corsPolicy: {
    allowOrigin: ['*'],
    allowOrigins: [{ exact: 'https://example.com' }],
    allowMethods: ['GET'],
    allowHeaders: ['x-user'],
    exposeHeaders: ['x-user'],
    maxAge: '24h',
    allowCredentials: true,
  },
  meshName: 'global',
  backends: ['backend.shop'],
  apex: metadata,
  primary: metadata,
  canary: metadata,
  unmanagedMetadata: { labels: ['owner'], annotations: ['note'] },
};

/** Every field of spec.analysis at once. */
export const completeAnalysis = {
  interval: '1m',
  threshold: 5,
  stepWeights: [1, 2, 10, 80],
  maxWeight: 80,
  stepWeightPromotion: 20,
  mirror: true,
  mirrorWeight: 50,
  primaryReadyThreshold: 90,
  canaryReadyThreshold: 80,
  match: [
    {
      headers: { 'x-user': { suffix: '-beta' } },
      queryParams: { beta: { exact: '1' } },
      sourceLabels: { app: 'shop' },
    },
  ],
  sessionAffinity: {
    cookieName: 'canary',
    primaryCookieName: 'primary',
    maxAge: 3600,
    domain: 'example.com',
    path: '/',
    httpOnly: true,
    secure: true,
    partitioned: true,
    sameSite: 'Lax',
  },
  alerts: [
    { name: 'on-call', severity: 'warn', providerRef: { name: 'slack', namespace: 'infra' } },
  ],
  metrics: [
    {
      name: 'error-rate',
      interval: '1m',
      threshold: 1,
      thresholdRange: { min: 0, max: 0.5 },
      query: 'vector(1)',
      templateRef: { name: 'error-rate', namespace: 'infra' },
      templateVariables: { direction: 'inbound' },
      onNoData: 'hold',
      onProviderError: 'ignore',
      minRequests: 20,
    },
  ],
  webhooks: [
    {
      type: 'confirm-promotion',
      name: 'gate',
      url: 'http://gate/check',
      timeout: '10s',
      metadata: { team: 'shop' },
      muteAlert: true,
      retries: 2,
      disableTLS: true,
    },
  ],
  shift: 'traffic',
  gates: [
    {
      name: 'sign-off',
      before: 'promotion',
      approvers: ['ann'],
      timeout: '8h',
      onTimeout: 'hold',
    },
  ],
  onFailure: 'hold',
};

/** A Canary that sets every field of the spec at once. */
export const completeCanary: Manifest = aCanary({
  provider: 'istio',
  metricsServer: 'http://prometheus:9090',
  autoscalerRef: {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    name: 'web',
    primaryScalerQueries: { load: 'sum(load)' },
    primaryScalerReplicas: { minReplicas: 2, maxReplicas: 10 },
  },
  ingressRef: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'web' },
  routeRef: { apiVersion: 'apisix.apache.org/v2', kind: 'ApisixRoute', name: 'web' },
  upstreamRef: { apiVersion: 'gloo.solo.io/v1', kind: 'Upstream', name: 'web', namespace: 'gloo' },
  progressDeadlineSeconds: 60,
  skipAnalysis: false,
  revertOnDeletion: true,
  suspend: false,
  onNewRevision: 'queue',
  service,
  analysis: completeAnalysis,
});

/** A MetricTemplate that sets every field of the spec at once. */
export const completeMetricTemplate: Manifest = aMetricTemplate({
  provider: {
    type: 'prometheus',
    address: 'http://prometheus:9090',
    headers: { 'X-Scope-OrgID': ['shop', 'infra'] },
    secretRef: { name: 'credentials' },
    region: 'eu-west-1',
    insecureSkipVerify: true,
  },
});

/** An AlertProvider that sets every field of the spec but address, which excludes secretRef. */
export const completeAlertProvider: Manifest = anAlertProvider({
  type: 'slack',
  channel: 'releases',
  username: 'sluice',
  proxy: 'http://proxy:3128',
  secretRef: { name: 'slack' },
});
