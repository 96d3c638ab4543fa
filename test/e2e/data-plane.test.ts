import { connectKube, loadKubeConfig } from '../../activities/kube.js';
import { routersOf } from '../../activities/routers/index.js';
import type { Split } from '../../activities/routers/router.js';
import type { Canary } from '../../domain/canary.js';
import type { KubeObject } from '../../domain/objects.js';
import { mirrored, toCanary, type Cookies, type Routes } from '../../domain/routes.js';
import { findSandbox, urlsOf, type Description } from '../../sandbox/description.js';
import { aCanary, someSettings, type CanaryParts } from '../activities/a-canary.js';
import { requestsTo } from './copies.js';
import { rootOf } from './fronts.js';
import { deploymentOf } from './manifests.js';
import { byVersion, clientsOf, type Clients } from './requests.js';
import { until } from './until.js';

/** What routers write, in a real Envoy: each request ends where the split says. */
const kube = connectKube(loadKubeConfig());
const namespace = `data-plane-${String(process.pid)}`;
const [primary, canary] = ['1.0.0', '2.0.0'];
const all = 2_000;
let sandbox: Description;

beforeAll(async () => {
  sandbox = (await findSandbox(process.env['SLUICE_SANDBOX_NAME'] ?? ''))!;
  await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await kube.create(workload('web-primary', primary));
  await kube.create(workload('web', canary));
  for (const name of ['web-primary', 'web-canary']) await kube.create(service(name));
  for (const name of ['web-primary', 'web']) await untilAvailable(name);
}, 120_000);
afterAll(() =>
  kube.remove({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: namespace }),
);

describe.each(['contour', 'gatewayapi:v1'] as const)('by %s', (provider) => {
  const open = (analysis?: object) => openRoutes(provider, analysis);

  it('a share of the requests gets to the canary', async () => {
    const { lead, clients } = await open();

    for (const weight of [0, 30, 100]) {
      await lead(toCanary(weight));
      await settled(clients, weight);
      const counts = byVersion(await clients.askMany(all));

      expect((counts[primary] ?? 0) + (counts[canary] ?? 0)).toBe(all);
      expect(Math.abs((counts[canary] ?? 0) / (all / 100) - weight)).toBeLessThan(
        weight % 100 === 0 ? 0.01 : 5,
      );
    }
  }, 60_000);

  it.each<[string, object, object[], object[]]>([
    ['header', { 'x-canary': { exact: 'yes' } }, [{ 'x-canary': 'yes' }], [{ 'x-canary': 'no' }]],
    [
      'cookie',
      { cookie: { regex: '^(.*?; ?)?(canary=always)(;.*)?$' } },
      [{ cookie: 'canary=always' }, { cookie: 'a=b; canary=always; c=d' }],
      [{ cookie: 'canary=never' }, { cookie: 'nocanary=always' }],
    ],
    [
      'two headers, beside which everything else is narrower',
      { 'x-canary': { exact: 'yes' }, 'x-user': { exact: 'me' } },
      [{ 'x-canary': 'yes', 'x-user': 'me', accept: 'text/html' }],
      [{ 'x-canary': 'yes' }, { 'x-user': 'me' }],
    ],
  ])(
    'A/B testing by %s misses nobody',
    async (_, headers, matching, others) => {
      const { lead, clients } = await open({ iterations: 3, match: [{ headers }] });

      await lead(toCanary(0));
      await settled(clients, 0, matching[0]);
      for (const sent of [...matching, ...others, {}]) {
        expect(byVersion(await clients.askMany(100, sent as Headers))).toEqual({ [primary]: 100 });
      }

      await lead(toCanary(100));
      await settled(clients, 100, matching[0]);
      for (const sent of matching) {
        expect(byVersion(await clients.askMany(all, sent as Headers))).toEqual({ [canary]: all });
      }
      for (const sent of [...others, {}]) {
        expect(byVersion(await clients.askMany(all, sent as Headers))).toEqual({ [primary]: all });
      }

      // Promoted step by step, of the matching requests some go back already.
      await lead(toCanary(50));
      await until('both', async () => {
        const counts = byVersion(await clients.askMany(20, matching[0] as Headers));
        return Object.keys(counts).length === 2;
      });
      expect(byVersion(await clients.askMany(all))).toEqual({ [primary]: all });
    },
    90_000,
  );
});

describe('by gatewayapi:v1', () => {
  it('the canary gets copies of requests, whose answers nobody sees', async () => {
    const { lead, clients } = await openRoutes('gatewayapi:v1');
    const copies = () => requestsTo(sandbox, kube, { namespace, app: 'web' });
    await lead(mirrored);
    const before = await copies();
    await until('copies', async () => {
      await clients.ask();
      return (await copies()) > before;
    });
    const since = await copies();

    expect(byVersion(await clients.askMany(all))).toEqual({ [primary]: all });
    await until('all copies', async () => (await copies()) >= since + all * 0.99);

    await lead(toCanary(0));
    await until('no more copies', async () => {
      const last = await copies();
      await clients.askMany(20);
      return (await copies()) === last;
    });
  }, 60_000);

  it('clients stay on the version they got first, until its cookie is taken back', async () => {
    const given = {
      cookieName: 'flagger-cookie',
      primaryCookieName: 'primary-cookie',
      maxAge: 3600,
      path: '/',
    };
    const { lead, clients } = await openRoutes('gatewayapi:v1', { sessionAffinity: given });
    const cookies = { canary: 'flagger-cookie=aBcDeFgHiJ', primary: 'primary-cookie=KlMnOpQrSt' };
    await lead(toCanary(50), cookies);
    await settled(clients, 100, { cookie: cookies.canary });

    const fresh = await clients.askMany(all);
    const counts = byVersion(fresh);
    expect([primary, canary].map((version) => (counts[version] ?? 0) > all / 4)).toEqual([
      true,
      true,
    ]);
    for (const { version, setCookies } of fresh) {
      expect(setCookies).toEqual([
        version === canary
          ? `${cookies.canary}; Max-Age=3600; Path=/`
          : `${cookies.primary}; Max-Age=10; Path=/`,
      ]);
    }
    for (const [cookie, version] of [
      [cookies.canary, canary],
      [cookies.primary, primary],
      [`a=b; ${cookies.canary}; c=d`, canary],
    ] as const) {
      const answers = await clients.askMany(all, { cookie });
      expect(byVersion(answers)).toEqual({ [version]: all });
      expect(answers.filter(({ setCookies }) => setCookies.length > 0)).toEqual([]);
    }

    await lead(toCanary(0), { expired: cookies.canary });
    await settled(clients, 0, { cookie: cookies.canary });
    const told = await clients.askMany(all, { cookie: cookies.canary });
    expect(byVersion(told)).toEqual({ [primary]: all });
    expect(new Set(told.flatMap(({ setCookies }) => setCookies))).toEqual(
      new Set([`${cookies.canary}; Max-Age=-1; Path=/`]),
    );
    expect((await clients.ask()).setCookies).toEqual([]);
  }, 60_000);
});

type Headers = Readonly<Record<string, string>>;

interface Open {
  /** Writes the split and waits until Contour has taken it over. */
  lead(routes: Routes, cookies?: Cookies): Promise<void>;
  readonly clients: Clients;
}

const opened: Clients[] = [];
afterAll(() => opened.forEach((clients) => clients.close()));

/** A host of its own; all lead to the same two workloads, by the route as it was led last. */
async function openRoutes(
  provider: 'contour' | 'gatewayapi:v1',
  analysis: object = {},
): Promise<Open> {
  const host = `${String(opened.length)}.${namespace}.example.com`;
  const gateway = {
    hosts: [host],
    gatewayRefs: [{ name: 'contour', namespace: 'projectcontour' }],
  };
  const parts: CanaryParts = {
    spec: { provider, targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' } },
    service: { name: 'web', port: 80, ...(provider === 'contour' ? {} : gateway) },
    analysis,
  };
  const canaryHere: Canary = { ...aCanary(parts), namespace };
  const router = routersOf(someSettings)[provider]!;
  const [ref] = router.reads(canaryHere);
  if (provider === 'contour') {
    const root = rootOf({ namespace, host });
    const metadata = { ...root.metadata, name: `root-${String(opened.length)}` };
    await kube.create({ ...root, metadata });
  }
  const clients = clientsOf(urlsOf(sandbox).gateway, host);
  opened.push(clients);
  return {
    clients,
    async lead(routes, cookies = {}) {
      const split: Split = { routes, cookies };
      const live = await kube.find(ref!);
      for (const object of router.render(canaryHere, split, live === undefined ? [] : [live])) {
        // Nobody owns it: what no living object owns is collected as garbage.
        const { ownerReferences: _, ...metadata } = object.metadata;
        await (live === undefined ? kube.create({ ...object, metadata }) : kube.replace(object));
      }
      await until('the acceptance of the routes', async () => {
        const now = await kube.find(ref!);
        return router.acceptance(canaryHere, now === undefined ? [] : [now]).kind === 'accepted';
      });
    },
  };
}

/** Envoy hears of new routes a moment after Contour has accepted them. */
async function settled(clients: Clients, weight: number, headers: object = {}): Promise<void> {
  await until(`weight ${String(weight)} in Envoy`, async () => {
    const counts = byVersion(await clients.askMany(50, headers as Headers));
    const wanted = [...(weight < 100 ? [primary] : []), ...(weight > 0 ? [canary] : [])];
    return Object.keys(counts).sort().join() === wanted.join();
  });
}

function workload(name: string, tag: string): KubeObject {
  const { spec, ...object } = deploymentOf(namespace, { tag });
  const { template, ...rest } = spec as { template: { metadata: object } };
  const labels = { app: name };
  return {
    ...object,
    metadata: { name, namespace },
    spec: {
      ...rest,
      selector: { matchLabels: labels },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}

function service(name: string): KubeObject {
  const selector = { app: name.replace('-canary', '') };
  const ports = [{ port: 80, targetPort: 8080 }];
  const metadata = { name, namespace };
  return { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector, ports } };
}

async function untilAvailable(name: string): Promise<void> {
  const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name };
  await until(`the pods of ${name}`, async () => {
    const { status = {} } = (await kube.find(ref)) ?? {};
    return (status as { availableReplicas?: number }).availableReplicas === 1;
  });
}
