import { readFile } from 'node:fs/promises';

import axios from 'axios';
import { loadAll } from 'js-yaml';

import { KubeError } from '../../activities/kube.js';
import type { KubeObject } from '../../domain/objects.js';
import { committedDashboards, committedRules, showing } from '../dashboards/files.js';
import { filled, seriesIn } from '../dashboards/promql.js';
import { openStage, until, type App, type Stage } from './stage.js';

/** Every query of every dashboard and alert, at a Prometheus that watches a release under load. */
const prometheus = axios.create({
  baseURL: process.env['PROMETHEUS_URL'] ?? '',
  proxy: false,
  timeout: 10_000,
  validateStatus: null,
});
const actor = 'a test';
/** Nothing exports these in the sandbox: there are no meshes, no cAdvisor, and no failures to count. */
const notHere =
  /^(istio_|container_|temporal_request_failure|temporal_workflow_task_execution_failed)/;

const queries = Object.entries(await committedDashboards()).flatMap(([name, dashboard]) =>
  showing(dashboard).flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, refId }) => ({ name, title, refId, expr })),
  ),
);
const rules = await committedRules();
const isHere = ({ name, expr }: { readonly name: string; readonly expr: string }): boolean =>
  name !== 'app-mesh' && !seriesIn(filled(expr, anywhere)).every((it) => notHere.test(it));
/** Values of variables where only the form of a query matters. */
const anywhere = { namespace: 'a', canary: 'b', target: 'c', service: 'd', __rate_interval: '1m' };

let stage: Stage;
let app: App;
let loadTester: readonly KubeObject[];
let variables: Readonly<Record<string, string>>;

beforeAll(async () => {
  stage = await openStage();
  loadTester = await startLoadTester();
  app = await stage.open('dashboards', {
    analysis: {
      ...{ interval: '4s', maxWeight: 50, stepWeight: 25 },
      metrics: [{ name: 'request-success-rate', interval: '10s', thresholdRange: { min: 50 } }],
    },
  });
  await app.initialised();
  await stage.traffic.send(50, { host: app.host });
  await app.setImage('2.0.0');
  await app.untilState('the release', ({ images }) => images.some((it) => it.endsWith(':2.0.0')));
  expect(await app.ending()).toMatchObject({ outcome: 'promoted' });
  // The second release stops where both workloads have traffic, for as long as the tests take.
  const gates = [{ name: 'sign-off', before: 'promotion' }];
  await app.patchCanary({ analysis: { gates } });
  await app.setImage('3.0.0');
  await app.untilStatus('the gate', ({ phase }) => phase === 'WaitingPromotion', 120_000);
  variables = {
    ...{ namespace: app.canary.namespace, canary: 'web', target: 'web', service: 'web' },
    __rate_interval: '30s',
  };
}, 420_000);
afterAll(async () => {
  await stage.traffic.send(0);
  for (const object of loadTester) await stage.kube.remove(refOf(object));
  await stage.close();
}, 60_000);

it.each(queries.filter(isHere))(
  '$name: $title ($refId) shows data',
  async ({ expr }) => {
    const query = filled(expr, variables);
    await until(query, async () => (await ask(query)).some(isNumber), 30_000);
  },
  60_000,
);

it.each(queries.filter((query) => !isHere(query)))(
  '$name: $title ($refId) is understood',
  async ({ expr }) => {
    await ask(filled(expr, variables));
  },
);

it.each(
  Object.entries(await committedDashboards()).flatMap(([name, { templating }]) =>
    templating.list
      .filter(({ type }) => type === 'query')
      .map((variable) => ({ dashboard: name, ...variable })),
  ),
)('$dashboard: the variable $name offers the canary of the release', async (variable) => {
  const { name, definition = '' } = variable;
  const [, series = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(definition) ?? [];
  const found = await ask(`group by (${label}) (${filled(series, variables)})`);
  expect(found.map(({ metric }) => metric[label])).toContain(variables[name]);
});

describe('alerts', () => {
  it.each(rules)('$alert is understood', async ({ expr }) => {
    await ask(expr);
  });

  it.each(rules.filter(({ labels }) => labels['severity'] === 'critical'))(
    '$alert does not fire while all is well',
    async ({ expr }) => {
      expect(await ask(expr)).toEqual([]);
    },
  );

  it('a release that waits for approval too long is told of', async () => {
    const { namespace } = app.canary;
    const { expr } = ruleOf('SluiceReleaseWaitsForApproval');
    expect(expr).toContain('> 4 * 3600');
    const waiting = await ask(expr.replace('4 * 3600', '0'));
    expect(waiting.map(({ metric }) => metric)).toContainEqual({ namespace, name: 'web' });
    expect((await ask(expr)).map(({ metric }) => metric['namespace'])).not.toContain(namespace);
  });

  it('a release that was rolled back is told of', async () => {
    const { revision = '' } = (await stage.sluice.state(app.canary)) ?? {};
    await stage.sluice.order(app.canary, 'rollback', { actor, revision });
    await app.ending();
    const { namespace } = app.canary;
    await until('the alert', async () =>
      (await ask(ruleOf('CanaryFailed').expr)).some(
        ({ metric }) => metric['namespace'] === namespace && metric['name'] === 'web',
      ),
    );
  }, 120_000);
});

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/** What a query gives now; throws with what Prometheus says about a query it does not understand. */
async function ask(query: string): Promise<readonly Sample[]> {
  const { data } = await prometheus.get<{
    readonly status: string;
    readonly error?: string;
    readonly data?: { readonly result: readonly Sample[] };
  }>('/api/v1/query', { params: { query } });
  if (data.data === undefined) throw new Error(`${query}: ${data.error ?? data.status}`);
  return data.data.result;
}

function isNumber({ value: [, text] }: Sample): boolean {
  return Number.isFinite(Number(text));
}

function ruleOf(name: string): { readonly expr: string } {
  return rules.find(({ alert }) => alert === name)!;
}

/** The load tester as it is deployed, with one task behind it; without the rights it need not have here. */
async function startLoadTester(): Promise<readonly KubeObject[]> {
  const { kube } = stage;
  const objects = loadAll(await readFile('deploy/loadtester.yaml', 'utf8')) as KubeObject[];
  for (const object of objects) {
    await kube.create(object).catch((error: unknown) => {
      if (!(error instanceof KubeError && error.reason === 'AlreadyExists')) throw error;
    });
  }
  const service = '/api/v1/namespaces/sluice-system/services/sluice-loadtester:http/proxy';
  const task = { name: 'web', namespace: 'dashboards', metadata: { type: 'bash', cmd: 'true' } };
  await until('a task of the load tester', () =>
    kube.post(`${service}/`, task).then(
      () => true,
      () => false,
    ),
  );
  return objects;
}

function refOf({ apiVersion, kind, metadata }: KubeObject): Parameters<Stage['kube']['remove']>[0] {
  return { apiVersion, kind, namespace: metadata.namespace ?? '', name: metadata.name };
}
