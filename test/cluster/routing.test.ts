import { connectKube, loadKubeConfig, type Kube } from '../../activities/kube.js';
import { applyRoutes, repairRoutes } from '../../activities/routing.js';
import type { Canary } from '../../domain/canary.js';
import type { KubeObject, ObjectRef } from '../../domain/objects.js';
import { allToPrimary, toCanary } from '../../domain/routes.js';
import { aCanary, aManifest, someSettings, type CanaryParts } from '../activities/a-canary.js';

const namespace = `routing-${String(process.pid)}`;
const kube = connectKube();
// A class and a gateway that no controller of the cluster serves: their status is ours to write.
const settings = { ...someSettings, ingressClass: 'nobody' };
const deps = { kube, settings };
const gatewayRefs = [{ name: 'nobody' }];
let number = 0;
let uid: string;

beforeAll(async () => {
  await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  // What no living object owns is collected as garbage.
  const owner = await kube.create<KubeObject>({
    ...aManifest(),
    metadata: { name: 'podinfo', namespace },
  });
  uid = owner.metadata.uid!;
});
afterAll(() =>
  kube.remove({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: namespace }),
);

describe('HTTPProxy', () => {
  it('is written when it differs, and only then', async () => {
    const canary = nextCanary();

    expect(await applyRoutes(deps, canary, allToPrimary)).toBe(true);
    expect(await applyRoutes(deps, canary, allToPrimary)).toBe(false);
    expect(await applyRoutes(deps, canary, toCanary(10))).toBe(true);
    expect(await applyRoutes(deps, canary, toCanary(10))).toBe(false);
    expect((await proxyOf(canary)).metadata.generation).toBe(2);
  });

  it('is repaired without losing the weight', async () => {
    const canary = nextCanary({ service: { timeout: '15s' } });
    await applyRoutes(deps, canary, toCanary(40));
    const before = await proxyOf(canary);

    await kube.patch(refOf(canary), { spec: { routes: [{ services: [] }] } });
    expect(await repairRoutes(deps, canary, toCanary(40))).toBe('weights');
    expect((await proxyOf(canary)).spec).toEqual(before.spec);

    const [route] = (before.spec as { routes: object[] }).routes;
    await kube.patch(refOf(canary), {
      spec: { routes: [{ ...route, timeoutPolicy: { response: '1s' } }] },
    });
    expect(await repairRoutes(deps, canary, toCanary(40))).toBe('fields');
    expect((await proxyOf(canary)).spec).toEqual(before.spec);

    await kube.patch(refOf(canary), {
      metadata: { labels: { other: 'x' }, annotations: { other: 'y' } },
    });
    expect(await repairRoutes(deps, canary, toCanary(40))).toBe('none');

    await kube.remove(refOf(canary));
    expect(await repairRoutes(deps, canary, toCanary(40))).toBe('weights');
  });

  it('is written although somebody else writes at the same time', async () => {
    const canary = nextCanary();
    await applyRoutes(deps, canary, allToPrimary);
    let races = 3;
    const racing = afterFind(async () => {
      if (races > 0)
        await kube.patch(refOf(canary), { metadata: { annotations: { race: String(races--) } } });
    });

    await applyRoutes({ kube: racing, settings }, canary, toCanary(20));

    expect(races).toBe(0);
    expect(await proxyOf(canary)).toMatchObject({
      metadata: { annotations: { race: '1' } },
      spec: { routes: [{ services: [{ weight: 80 }, { weight: 20 }] }] },
    });
  });

  it('is written although somebody else creates it at the same time', async () => {
    const canary = nextCanary();
    let raced = false;
    const racing = afterFind(async () => {
      if (raced) return;
      raced = true;
      await applyRoutes(deps, canary, toCanary(70));
    });

    expect(await applyRoutes({ kube: racing, settings }, canary, toCanary(20))).toBe(true);
  });

  it('is the fault of the manifest when the API server finds it invalid', async () => {
    const canary = nextCanary({ service: { retries: { attempts: 1, retryOn: 'sometimes' } } });

    await expect(applyRoutes(deps, canary, allToPrimary)).rejects.toMatchObject({
      type: 'InvalidSpec',
      nonRetryable: true,
      message: expect.stringMatching(/retryOn.*sometimes/),
    });
  });

  it('is the fault of the manifest when it cannot be expressed', async () => {
    const canary = nextCanary({ service: { match: [{ method: { exact: 'GET' } }] } });

    await expect(applyRoutes(deps, canary, allToPrimary)).rejects.toMatchObject({
      type: 'InvalidSpec',
      nonRetryable: true,
      message:
        'a match on method is not supported by contour (supported: uri, headers, queryParams)',
    });
  });

  it('is waited for when Contour has reported on it before', async () => {
    const canary = nextCanary();
    await applyRoutes(deps, canary, allToPrimary);
    await report(canary, { status: 'True', observedGeneration: 1 });
    let reported = false;
    const taken = afterwards(150, async () => {
      reported = true;
      await report(canary, { status: 'True', observedGeneration: 2 });
    });

    await applyRoutes(deps, canary, toCanary(10));

    expect(reported).toBe(true);
    await taken;
  });

  it('is complained about when Contour refuses it', async () => {
    const canary = nextCanary();
    await applyRoutes(deps, canary, allToPrimary);
    const errors = [
      { type: 'SpecError', status: 'True', reason: 'X', message: 'service "a" not found' },
    ];
    await report(canary, { status: 'False', observedGeneration: 1, errors });

    await expect(applyRoutes(deps, canary, allToPrimary)).rejects.toThrow(
      `HTTPProxy ${canary.service.name}.${namespace} is not accepted: service "a" not found`,
    );
  });

  it('is complained about when Contour does not take it over', async () => {
    const canary = nextCanary();
    await applyRoutes(deps, canary, allToPrimary);
    await report(canary, { status: 'True', observedGeneration: 1 });

    await expect(applyRoutes(deps, canary, toCanary(10))).rejects.toThrow(
      `HTTPProxy ${canary.service.name}.${namespace} has not been taken over by its gateway within 2 s`,
    );
    expect((await proxyOf(canary)).spec).toMatchObject({
      routes: [{ services: [{}, { weight: 10 }] }],
    });
  });
});

describe('HTTPRoute', () => {
  it('is written when it differs, and only then', async () => {
    const canary = nextRouteCanary();
    await kube.create(gateway('nobody'));

    expect(await applyRoutes(deps, canary, allToPrimary)).toBe(true);
    expect(await applyRoutes(deps, canary, allToPrimary)).toBe(false);
    expect(await applyRoutes(deps, canary, toCanary(37))).toBe(true);
  });

  it('is complained about while its gateway is missing, and written all the same', async () => {
    const canary = nextRouteCanary({
      service: { gatewayRefs: [{ name: 'absent', namespace: 'default' }] },
    });
    const complaint = 'Gateway absent.default not found';

    await expect(applyRoutes(deps, canary, allToPrimary)).rejects.toThrow(complaint);
    await expect(applyRoutes(deps, canary, allToPrimary)).rejects.toThrow(complaint);
    expect(await kube.find(refOf(canary))).toBeDefined();
  });

  it('is complained about when the gateway refuses it', async () => {
    const canary = nextRouteCanary();
    await applyRoutes(deps, canary, allToPrimary);
    const parentRef = { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'nobody' };
    const condition = {
      type: 'Accepted',
      status: 'False',
      observedGeneration: 1,
      reason: 'X',
      message: 'no listener',
      lastTransitionTime: new Date().toISOString(),
    };
    const parents = [{ parentRef, controllerName: 'example.com/nobody', conditions: [condition] }];
    await kube.patch(refOf(canary), { status: { parents } }, 'status');

    await expect(applyRoutes(deps, canary, allToPrimary)).rejects.toThrow(
      `HTTPRoute ${canary.service.name}.${namespace} is not accepted: gateway nobody: no listener`,
    );
  });
});

it('says so when the kind is not installed', async () => {
  const canary = nextRouteCanary();
  const elsewhere: Kube = {
    ...kube,
    create: (object) => kube.create({ ...object, apiVersion: 'gateway.networking.k8s.io/v9' }),
  };

  await expect(applyRoutes({ kube: elsewhere, settings }, canary, allToPrimary)).rejects.toThrow(
    'the cluster has no kind HTTPRoute of gateway.networking.k8s.io/v1: its CRD is not installed',
  );
});

it('says so when the namespace is gone', async () => {
  const canary = { ...nextCanary(), namespace: 'no-such-namespace' };

  await expect(applyRoutes(deps, canary, allToPrimary)).rejects.toThrow(
    'namespaces "no-such-namespace" not found',
  );
});

it('says who may not do what', async () => {
  const config = loadKubeConfig();
  const users = config.users.map((user) => ({ ...user, impersonateUser: 'nobody' }));
  const nobody = connectKube(Object.assign(config, { users }));

  await expect(applyRoutes({ kube: nobody, settings }, nextCanary(), allToPrimary)).rejects.toThrow(
    /httpproxies.projectcontour.io .* is forbidden: User "nobody" cannot get resource/,
  );
});

function nextCanary({ spec, service, analysis }: CanaryParts = {}): Canary {
  number += 1;
  const name = `app-${String(number)}`;
  return {
    ...aCanary({ spec: spec ?? {}, service: { name, ...service }, analysis: analysis ?? {} }),
    namespace,
    uid,
  };
}

function nextRouteCanary({ service }: CanaryParts = {}): Canary {
  return nextCanary({ spec: { provider: 'gatewayapi:v1' }, service: { gatewayRefs, ...service } });
}

function refOf({ provider, service: { name } }: Canary): ObjectRef {
  return provider === 'contour'
    ? { apiVersion: 'projectcontour.io/v1', kind: 'HTTPProxy', namespace, name }
    : { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace, name };
}

async function proxyOf(canary: Canary): Promise<KubeObject> {
  return (await kube.find(refOf(canary)))!;
}

async function report(canary: Canary, condition: object): Promise<void> {
  const valid = {
    type: 'Valid',
    reason: 'X',
    message: 'm',
    lastTransitionTime: new Date().toISOString(),
    ...condition,
  };
  await kube.patch(refOf(canary), { status: { conditions: [valid] } }, 'status');
}

function gateway(name: string): KubeObject {
  const spec = {
    gatewayClassName: 'nobody',
    listeners: [{ name: 'http', protocol: 'HTTP', port: 80 }],
  };
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name, namespace },
    spec,
  };
}

/** The cluster, with something happening after each read of ours. */
function afterFind(happens: () => Promise<void>): Kube {
  return {
    ...kube,
    async find<T extends KubeObject>(ref: ObjectRef) {
      const found = await kube.find<T>(ref);
      await happens();
      return found;
    },
  };
}

async function afterwards(ms: number, happens: () => Promise<void>): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  await happens();
}
