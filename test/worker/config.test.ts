import { providers } from '../../domain/providers.js';
import { alertSettingsOf } from '../../worker/alert-settings.js';
import { ConfigError, helpText, loadTemporalConfig, parseConfig } from '../../worker/config.js';

const defaults = parseConfig([], {});

it('has defaults for everything', () => {
  expect(defaults).toEqual({
    cluster: 'default',
    namespace: '',
    meshProvider: 'contour',
    metricsServer: 'http://prometheus:9090',
    selectorLabels: ['app', 'name', 'app.kubernetes.io/name'],
    includeLabelPrefix: [],
    eventWebhook: '',
    slackUrl: '',
    slackUser: 'flagger',
    slackChannel: '',
    slackToken: '',
    slackProxyUrl: '',
    msteamsUrl: '',
    msteamsProxyUrl: '',
    msteamsFormat: 'auto',
    clusterName: '',
    pageUrl: '',
    temporalUiUrl: '',
    noCrossNamespaceRefs: false,
    enableConfigTracking: true,
    ingressClass: '',
    ingressAnnotationsPrefix: 'nginx.ingress.kubernetes.io',
    minInterval: 10_000,
    settle: 500,
    port: 8080,
    logLevel: 'info',
    maxActivities: 1_000,
    maxCachedWorkflows: 1_000,
    shutdownGrace: 5_000,
    workflowBundle: '',
    temporalMetricsPort: 0,
  });
});

it.each([
  [['--metrics-server=http://p.monitoring:9090/'], { metricsServer: 'http://p.monitoring:9090' }],
  [['-mesh-provider', 'gatewayapi:v1'], { meshProvider: 'gatewayapi:v1' }],
  [['--selector-labels=app, name', '--port', '0'], { selectorLabels: ['app', 'name'], port: 0 }],
  [['-include-label-prefix=*'], { includeLabelPrefix: ['*'] }],
  [['--min-interval=1m30s'], { minInterval: 90_000 }],
  [['--namespace='], { namespace: '' }],
])('reads the flags %j', (argv, expected) => {
  expect(parseConfig(argv, {})).toEqual({ ...defaults, ...expected });
});

it('reads variables, which flags override', () => {
  const env = { SLUICE_CLUSTER: 'eu-1', SLUICE_LOG_LEVEL: 'debug', OTHER: 'x' };
  const { cluster, logLevel } = parseConfig(['--cluster=eu-2'], env);
  expect({ cluster, logLevel }).toEqual({ cluster: 'eu-2', logLevel: 'debug' });
});

it.each([
  [['--metric-server=x'], '--metric-server=x is not a flag (flags: --cluster, --namespace'],
  [['serve'], 'serve is not a flag'],
  [['--port'], '--port needs a value'],
  [['--port=99999'], '--port: "99999" is not allowed (allowed: a whole number from 0 to 65535)'],
  [['--settle=5'], '--settle: "5" is not allowed (allowed: a duration such as 10s'],
  [['--settle=-1s'], '--settle: "-1s" is not allowed'],
  [['--metrics-server=prometheus:9090'], '--metrics-server: "prometheus:9090" is not allowed'],
  [['--mesh-provider=envoy'], `"envoy" is not allowed (allowed: ${providers.join(', ')})`],
  [['--mesh-provider=smi:v1alpha2:istio'], '"smi:v1alpha2:istio" is not allowed (allowed: '],
  [['--cluster=a/b'], '--cluster: "a/b" is not allowed (allowed: lower-case letters'],
  [['--log-level=trace'], '(allowed: debug, info, warn, error)'],
])('refuses %j', (argv, message) => {
  expect(() => parseConfig(argv, {})).toThrow(ConfigError);
  expect(() => parseConfig(argv, {})).toThrow(message);
});

it('names the variable that holds a bad value', () => {
  expect(() => parseConfig([], { SLUICE_PORT: 'http' })).toThrow('SLUICE_PORT: "http"');
});

it('prints every flag with its variable and default', () => {
  expect(helpText()).toMatch(/--min-interval +SLUICE_MIN_INTERVAL +shortest .*\(default 10s\)/);
  expect(helpText()).toMatch(/--selector-labels .*\(default app,name,app.kubernetes.io\/name\)/);
});

it('reads where Temporal is from its standard variables', () => {
  const config = loadTemporalConfig({
    TEMPORAL_ADDRESS: 'temporal:7233',
    TEMPORAL_NAMESPACE: 'releases',
    TEMPORAL_CONFIG_FILE: '/nonexistent',
  });
  expect(config.namespace).toBe('releases');
  expect(config.connectionOptions.address).toBe('temporal:7233');
});

describe("Flagger's variable for the event webhook", () => {
  const url = 'https://hooks.test/a/';

  it('is read, as it is written', () => {
    expect(parseConfig([], { EVENT_WEBHOOK_URL: url }).eventWebhook).toBe(url);
  });

  it('counts less than ours, and less than the flag', () => {
    const env = { EVENT_WEBHOOK_URL: 'https://theirs.test', SLUICE_EVENT_WEBHOOK: url };
    expect(parseConfig([], env).eventWebhook).toBe(url);
    expect(parseConfig(['-event-webhook', 'http://flag.test'], env).eventWebhook).toBe(
      'http://flag.test',
    );
  });

  it('has to be a URL', () => {
    expect(() => parseConfig([], { EVENT_WEBHOOK_URL: 'hooks.test' })).toThrow(ConfigError);
  });
});

describe('the settings of alerts', () => {
  const alertsOf = (...argv: string[]) => alertSettingsOf(parseConfig(argv, {}));

  it('are empty by default', () => {
    expect(alertsOf()).toEqual({ clusterName: '', pageUrl: '', temporalUiUrl: '' });
  });

  it("are Flagger's flags for Slack", () => {
    const { own } = alertsOf(
      ...['-slack-url=https://hooks.test/1', '-slack-user=bot', '-slack-channel=ops'],
      ...['-slack-token=t', '-slack-proxy-url=http://proxy.test:3128'],
    );
    expect(own).toEqual({
      type: 'slack',
      address: 'https://hooks.test/1',
      username: 'bot',
      channel: 'ops',
      token: 't',
      proxy: 'http://proxy.test:3128',
    });
  });

  it("are Flagger's flags for Microsoft Teams, which come before Slack's", () => {
    const urls = ['-slack-url=https://hooks.test/1', '-msteams-url=https://teams.test/2'];
    expect(alertsOf(...urls, '-msteams-proxy-url=p').own).toMatchObject({
      ...{ type: 'msteams', address: 'https://teams.test/2', proxy: 'p', format: '' },
    });
    expect(alertsOf(...urls, '--msteams-format=workflow').own?.format).toBe('workflow');
  });

  it("are Flagger's variables too", () => {
    const env = {
      ...{ SLACK_URL: 'https://hooks.test/1', SLACK_TOKEN: 't', SLACK_PROXY_URL: 'p' },
      ...{ MSTEAMS_URL: 'https://teams.test/2', MSTEAMS_PROXY_URL: 'q' },
    };
    expect(parseConfig([], env)).toMatchObject({
      ...{ slackUrl: 'https://hooks.test/1', slackToken: 't', slackProxyUrl: 'p' },
      ...{ msteamsUrl: 'https://teams.test/2', msteamsProxyUrl: 'q' },
    });
  });

  it('name the cluster, if it has a name', () => {
    expect(alertsOf('--cluster=eu-1').clusterName).toBe('eu-1');
    expect(alertsOf('--cluster=eu-1', '-cluster-name=Europe').clusterName).toBe('Europe');
  });

  it('do not show an address that is none', () => {
    const bad = () => parseConfig([], { SLACK_URL: 'hooks.test/planted' });
    expect(bad).toThrow('SLACK_URL: its value is not allowed (allowed: a URL such as');
    expect(bad).not.toThrow('planted');
  });
});
