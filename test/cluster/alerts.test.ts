import type { Deps } from '../../activities/deps.js';
import { createActivities } from '../../activities/index.js';
import type { Canary } from '../../domain/canary.js';
import type { Delivery } from '../../domain/deliveries.js';
import type { Report } from '../../domain/moves.js';
import type { AnalysisRig } from './analysis-rig.js';
import { environmentOf, openHooksRig, refOf, type HooksRig } from './hooks-rig.js';

let hooks: HooksRig;
let rig: AnalysisRig;

beforeAll(async () => {
  hooks = await openHooksRig(`alerts-${String(process.pid)}`);
  rig = hooks.base;
});
afterAll(() => rig.stop());
beforeEach(() => hooks.beginTest());
afterEach(() => hooks.endTest());

/** What the outbox keeps: the first of what is handed over under one key. */
let kept: Map<string, Delivery>;
/** Hand-overs that fail from now on, as a worker does that is killed there. */
let crashes: number;
beforeEach(() => {
  kept = new Map();
  crashes = 0;
});

function deps(change: Partial<Deps['settings']> = {}): Deps {
  return {
    ...rig.deps,
    settings: { ...rig.deps.settings, ...change },
    outbox: {
      add: (_canary, deliveries) => {
        if (crashes > 0) {
          crashes -= 1;
          return Promise.reject(new Error('the worker was killed'));
        }
        for (const delivery of deliveries) {
          if (!kept.has(delivery.key)) kept.set(delivery.key, delivery);
        }
        return Promise.resolve();
      },
    },
  };
}

/** Delivers what the outbox keeps, once; gives back what became of each. */
async function deliver(canary: Canary, given = deps()): Promise<unknown[]> {
  const { deliver: attempt } = createActivities(given);
  return Promise.all(
    [...kept.values()].map(async (delivery) => {
      const input = { canary: refOf(canary), delivery };
      try {
        return await environmentOf().run(attempt, input);
      } catch (error) {
        return (error as Error).message;
      }
    }),
  );
}

interface Attachments {
  readonly attachments: readonly {
    readonly author_name: string;
    readonly text: string;
    readonly fields: readonly { readonly title: string; readonly value: string }[];
  }[];
}

/** The path and the text of every message the endpoint got, in order of the paths. */
function messages(): string[] {
  return hooks.server.requests
    .map(({ path, body }) => {
      const [attachment] = (body as unknown as Attachments).attachments;
      return `${path} ${attachment?.text ?? ''}`;
    })
    .sort();
}

function factsOf(path: string): Record<string, string> {
  const request = hooks.server.requests.find((one) => one.path === path);
  const [attachment] = (request?.body as unknown as Attachments).attachments;
  return Object.fromEntries((attachment?.fields ?? []).map(({ title, value }) => [title, value]));
}

async function createProvider(name: string, spec: object): Promise<void> {
  const { namespace } = rig;
  const apiVersion = 'flagger.app/v1beta1';
  await rig.kube.remove({ apiVersion, kind: 'AlertProvider', namespace, name });
  const provider = {
    ...{ apiVersion, kind: 'AlertProvider', metadata: { name, namespace } },
    spec: { type: 'slack', ...spec },
  };
  await rig.kube.create(provider);
}

async function createSecret(name: string, data: Readonly<Record<string, string>>): Promise<void> {
  const { namespace } = rig;
  await rig.kube.remove({ apiVersion: 'v1', kind: 'Secret', namespace, name });
  const secret = {
    ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace } },
    stringData: data,
  };
  await rig.kube.create(secret);
}

const alerting = (...alerts: object[]): Promise<Canary> => rig.aCanary({ analysis: { alerts } });

/** A report as a release makes it: the status is written before the event with the alert. */
const report: Report = {
  key: '5',
  status: { phase: 'Succeeded' },
  after: [
    {
      ...{ type: 'Normal', message: 'Promotion completed!' },
      alert: {
        severity: 'warn',
        message: 'promotion finished.',
        facts: [{ name: 'Revision', value: 'v2' }],
        withSettings: true,
      },
    },
  ],
};

const tell = (canary: Canary, given = deps(), attempt = 1): Promise<void> =>
  hooks.run('tell', { canary: refOf(canary), report }, { deps: given, attempt });

it('goes to each entry that wants it, with what the Secret holds, and tells nobody of that', async () => {
  const { url } = hooks.server;
  await createSecret('chat', { address: `${url}/hidden?sig=planted\n`, token: 'planted-token' });
  await createProvider('open', { address: `${url}/open`, channel: 'ops' });
  await createProvider('secret', { secretRef: { name: 'chat' } });
  const canary = await alerting(
    { name: 'a', severity: 'info', providerRef: { name: 'open' } },
    { name: 'b', severity: 'warn', providerRef: { name: 'secret', namespace: rig.namespace } },
    { name: 'c', severity: 'error', providerRef: { name: 'open' } },
    { name: 'd', providerRef: { name: 'secret' } },
  );

  await tell(canary);

  const title = `${canary.name}.${rig.namespace}`;
  expect(JSON.stringify([...kept.values()])).not.toMatch(/planted|http:/);
  const delivered = { outcome: 'delivered', attempts: 1 };
  expect(await deliver(canary)).toEqual([delivered, delivered, delivered]);
  expect(messages()).toEqual([
    '/hidden?sig=planted promotion finished.',
    '/hidden?sig=planted promotion finished.',
    '/open promotion finished.',
  ]);
  const open = hooks.server.requests.find(({ path }) => path === '/open');
  expect(open?.headers['authorization']).toBeUndefined();
  expect(open?.body).toMatchObject({ channel: 'ops', attachments: [{ author_name: title }] });
  const hidden = hooks.server.requests.find(({ path }) => path.startsWith('/hidden'));
  expect(hidden?.headers['authorization']).toBe('Bearer planted-token');
  const written = JSON.stringify([await rig.find(canary), await rig.eventsOf(canary)]);
  expect(written).not.toContain('planted');
});

it('shows cluster, settings, facts and links, in this order', async () => {
  await createProvider('open', { address: `${hooks.server.url}/open` });
  const canary = await alerting({ name: 'a', providerRef: { name: 'open' } });
  const alerts = {
    clusterName: 'eu-1',
    pageUrl: 'https://sluice.test',
    temporalUiUrl: 'https://temporal.test',
  };

  await tell(canary, deps({ alerts }));
  await deliver(canary);

  const { namespace } = rig;
  const workflow = `release%2Ftest%2F${namespace}%2F${canary.name}`;
  expect(Object.entries(factsOf('/open'))).toEqual([
    ['Cluster', 'eu-1'],
    ['Target', `Deployment/${canary.target.name}.${namespace}`],
    ['Failed checks threshold', '3'],
    ['Progress deadline', '600s'],
    ['Traffic routing', 'Weight step: 10 max: 50'],
    ['Revision', 'v2'],
    ['Release', `https://sluice.test/${namespace}/${canary.name}`],
    ['Workflow', `https://temporal.test/namespaces/test/workflows/${workflow}/a-run`],
  ]);
});

it('comes once to each channel, though the worker is killed between status and alert', async () => {
  await createProvider('one', { address: `${hooks.server.url}/one` });
  await createProvider('two', { address: `${hooks.server.url}/two` });
  const canary = await alerting(
    { name: 'a', providerRef: { name: 'one' } },
    { name: 'b', providerRef: { name: 'two' } },
  );
  crashes = 1;

  await expect(tell(canary)).rejects.toThrow('the worker was killed');
  expect((await hooks.statusOf(canary)).phase).toBe('Succeeded');
  expect(kept.size).toBe(0);
  await tell(canary, deps(), 2);
  await tell(canary, deps(), 3);
  await deliver(canary);

  expect(messages()).toEqual(['/one promotion finished.', '/two promotion finished.']);
});

describe("the worker's own chat service", () => {
  const settings = (): Deps['settings']['alerts'] => ({
    ...{ clusterName: '', pageUrl: '', temporalUiUrl: '' },
    own: {
      ...{ type: 'slack', address: `${hooks.server.url}/own`, token: 'planted' },
      ...{ channel: '', username: 'bot' },
    },
  });

  it('is told what canaries without alerts have to tell', async () => {
    const canary = await alerting();
    await tell(canary, deps({ alerts: settings()! }));

    expect(JSON.stringify([...kept.values()])).not.toMatch(/planted|http:/);
    await deliver(canary, deps({ alerts: settings()! }));
    expect(messages()).toEqual(['/own promotion finished.']);
    expect(hooks.server.requests[0]?.body).toMatchObject({ channel: 'general', username: 'bot' });
  });

  it('is told nothing of a canary with alerts, however few', async () => {
    await createProvider('open', { address: `${hooks.server.url}/open` });
    const canary = await alerting({
      ...{ name: 'a', severity: 'error', providerRef: { name: 'open' } },
    });
    await tell(canary, deps({ alerts: settings()! }));
    expect(kept.size).toBe(0);
  });

  it('is dropped when it is gone by the time of the delivery', async () => {
    const canary = await alerting();
    await tell(canary, deps({ alerts: settings()! }));
    expect(await deliver(canary)).toEqual([{ outcome: 'dropped', attempts: 1 }]);
  });
});

it('is tried again while its provider is missing, and names it', async () => {
  const canary = await alerting({ name: 'a', providerRef: { name: 'missing' } });
  await tell(canary);
  expect(await deliver(canary)).toEqual([`alert provider missing.${rig.namespace} not found`]);
});

it('crosses no border where references into other namespaces are blocked', async () => {
  await createProvider('open', { address: `${hooks.server.url}/open` });
  const canary = await alerting(
    { name: 'a', providerRef: { name: 'open', namespace: 'kube-system' } },
    { name: 'b', providerRef: { name: 'open', namespace: rig.namespace } },
  );
  const { defaults } = rig.deps.settings;
  const blocking = { defaults: { ...defaults, noCrossNamespaceRefs: true } };
  await tell(canary, deps(blocking));

  expect(await deliver(canary, deps(blocking))).toEqual([
    { outcome: 'dropped', attempts: 1, fault: 'cross-namespace references are blocked' },
    { outcome: 'delivered', attempts: 1 },
  ]);
});

describe('a closed gate of webhooks', () => {
  const gated = (more: object = {}): Promise<Canary> =>
    rig.aCanary({
      analysis: {
        alerts: [{ name: 'a', providerRef: { name: 'open' } }],
        webhooks: [hooks.hook('gate', 'confirm-rollout', more)],
      },
    });

  /** Waits at the gate until it has been asked three times, and tells what is remembered then. */
  async function wait(canary: Canary, again: object = {}, heartbeat?: unknown): Promise<unknown> {
    const environment = environmentOf({ heartbeatDetails: heartbeat });
    let remembered: unknown;
    environment.on('heartbeat', (details: unknown) => (remembered = details ?? remembered));
    const input = {
      ...{ canary: refOf(canary), everyMs: 30, revision: 'v2', ...again },
      report: { key: 'confirm-rollout', status: { phase: 'Waiting' } },
    } as const;
    const before = hooks.server.paths.length;
    const waiting = environment.run(createActivities(deps()).awaitGate, input);
    waiting.catch(() => undefined);
    while (hooks.server.paths.length < before + 3) await new Promise((go) => setTimeout(go, 10));
    environment.cancel('CANCELLED');
    await expect(waiting).rejects.toThrow();
    return remembered;
  }

  it('is told of once, with its revision', async () => {
    const canary = await gated();
    hooks.server.answerAt('/gate', 403);
    await wait(canary);
    expect([...kept.values()]).toEqual([
      expect.objectContaining({
        kind: 'alert',
        alert: {
          severity: 'warn',
          message: 'Canary is waiting for approval.',
          facts: [
            { name: 'Revision', value: 'v2' },
            { name: 'Gate', value: 'webhook gate' },
          ],
        },
      }),
    ]);
  });

  it('is not told of again days later, when the outbox has forgotten', async () => {
    const canary = await gated();
    hooks.server.answerAt('/gate', 403);
    const remembered = await wait(canary);
    kept.clear();

    await wait(canary, {}, remembered);
    await wait(canary, { again: true });

    expect(kept.size).toBe(0);
  });

  it('is told of after an interruption that came before it was', async () => {
    const canary = await gated();
    hooks.server.answerAt('/gate', 403);
    await wait(canary, { again: true });
    expect(kept.size).toBe(1);
  });

  it('is an event only, when it is muted', async () => {
    const canary = await gated({ muteAlert: true });
    hooks.server.answerAt('/gate', 403);
    await wait(canary);
    expect(kept.size).toBe(0);
    expect(await rig.eventsOf(canary)).toHaveLength(1);
  });
});
