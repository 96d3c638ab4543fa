import { connectKube, loadKubeConfig, type Kube } from '../../activities/kube.js';
import {
  applyRoutes,
  finalizeRoutes,
  liveRoutes,
  repairRoutes,
  type Drift,
} from '../../activities/routing.js';
import type { Canary } from '../../domain/canary.js';
import type { KubeObject, ObjectRef } from '../../domain/objects.js';
import { mirrored, toCanary } from '../../domain/routes.js';
import { aCanary, aManifest, type CanaryParts } from '../activities/a-canary.js';
import { at } from '../activities/routers/laws.js';
import { openBench, type ActivityBench } from './activity-bench.js';

const atPrimary = at(0);
const gatewayRefs = [{ name: 'nobody' }];
let number = 0;
let bench: ActivityBench;
let kube: Kube;
let deps: ActivityBench['deps'];
let namespace: string;
let uid: string;

beforeAll(async () => {
  bench = await openBench('routing');
  ({ kube, namespace } = bench);
  // A class and a gateway that no controller of the cluster serves: their status is ours to write.
  deps = { ...bench.deps, settings: { ...bench.deps.settings, ingressClass: 'nobody' } };
  // What no living object owns is collected as garbage.
  const owner = await kube.create<KubeObject>({
    ...aManifest(),
    metadata: { name: 'podinfo', namespace },
  });
  uid = owner.metadata.uid!;
  await kube.create(gateway('nobody'));
});
afterAll(() => bench.close());

describe('HTTPProxy', () => {
  it('tests the matching requests of an A/B test only', async () => {
    const canary = nextCanary({
      analysis: { iterations: 3, match: [{ headers: { a: { exact: '1' } } }] },
    });

    await applyRoutes(deps, canary, at(100));

    expect(await liveRoutes(deps, canary)).toEqual(toCanary(100));
    expect((await proxyOf(canary)).spec).toMatchObject({
      routes: [
        { services: [{ weight: 0 }, { weight: 100 }] },
        { services: [{ weight: 100 }, { weight: 0 }] },
      ],
    });
  });

  it('is written when it differs, and only then', async () => {
    const canary = nextCanary();

    expect(await applyRoutes(deps, canary, atPrimary)).toBe(true);
    expect(await applyRoutes(deps, canary, atPrimary)).toBe(false);
    expect(await applyRoutes(deps, canary, at(10))).toBe(true);
    expect(await applyRoutes(deps, canary, at(10))).toBe(false);
    expect((await proxyOf(canary)).metadata.generation).toBe(2);
  });

  it('is repaired without losing the weight', async () => {
    const canary = nextCanary({ service: { timeout: '15s' } });
    await applyRoutes(deps, canary, at(40));
    const before = await proxyOf(canary);

    await kube.patch(refOf(canary), { spec: { routes: [{ services: [] }] } });
    expect(await driftOf(canary, at(40))).toBe('weights');
    expect((await proxyOf(canary)).spec).toEqual(before.spec);

    const [route] = (before.spec as { routes: object[] }).routes;
    await kube.patch(refOf(canary), {
      spec: { routes: [{ ...route, timeoutPolicy: { response: '1s' } }] },
    });
    expect(await driftOf(canary, at(40))).toBe('fields');
    expect((await proxyOf(canary)).spec).toEqual(before.spec);

    await kube.patch(refOf(canary), {
      metadata: { labels: { other: 'x' }, annotations: { other: 'y' } },
    });
    expect(await driftOf(canary, at(40))).toBe('none');

    await kube.remove(refOf(canary));
    expect(await driftOf(canary, at(40))).toBe('weights');
  });

  it('is written although somebody else writes at the same time', async () => {
    const canary = nextCanary();
    await applyRoutes(deps, canary, atPrimary);
    let races = 3;
    const racing = afterFind(async () => {
      if (races > 0)
        await kube.patch(refOf(canary), { metadata: { annotations: { race: String(races--) } } });
    });

    await applyRoutes({ ...deps, kube: racing }, canary, at(20));

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
      await applyRoutes(deps, canary, at(70));
    });

    expect(await applyRoutes({ ...deps, kube: racing }, canary, at(20))).toBe(true);
  });

  it('is the fault of the manifest when the API server finds it invalid', async () => {
    const canary = nextCanary({ service: { retries: { attempts: 1, retryOn: 'sometimes' } } });

    await expect(applyRoutes(deps, canary, atPrimary)).rejects.toMatchObject({
      type: 'InvalidSpec',
      nonRetryable: true,
      message: expect.stringMatching(/retryOn.*sometimes/),
    });
  });

  it('is the fault of the manifest when it cannot be expressed', async () => {
    const canary = nextCanary({ service: { match: [{ method: { exact: 'GET' } }] } });

    await expect(applyRoutes(deps, canary, atPrimary)).rejects.toMatchObject({
      type: 'InvalidSpec',
      nonRetryable: true,
      message:
        'a match on method is not supported by contour (supported: uri, headers, queryParams)',
    });
  });

  it('is waited for when Contour has reported on it before', async () => {
    const canary = nextCanary();
    await applyRoutes(deps, canary, atPrimary);
    await report(canary, { status: 'True', observedGeneration: 1 });
    let reported = false;
    const taken = afterwards(150, async () => {
      reported = true;
      await report(canary, { status: 'True', observedGeneration: 2 });
    });

    await applyRoutes(deps, canary, at(10));

    expect(reported).toBe(true);
    await taken;
  });

  it('is complained about when Contour refuses it', async () => {
    const canary = nextCanary();
    await applyRoutes(deps, canary, atPrimary);
    const errors = [
      { type: 'SpecError', status: 'True', reason: 'X', message: 'service "a" not found' },
    ];
    await report(canary, { status: 'False', observedGeneration: 1, errors });

    await expect(applyRoutes(deps, canary, atPrimary)).rejects.toThrow(
      `HTTPProxy ${canary.service.name}.${namespace} is not accepted: service "a" not found`,
    );
  });

  it('is complained about when Contour does not take it over', async () => {
    const canary = nextCanary();
    await applyRoutes(deps, canary, atPrimary);
    await report(canary, { status: 'True', observedGeneration: 1 });

    await expect(applyRoutes(deps, canary, at(10))).rejects.toThrow(
      `HTTPProxy ${canary.service.name}.${namespace} has not been taken over by its gateway within 2 s`,
    );
    expect((await proxyOf(canary)).spec).toMatchObject({
      routes: [{ services: [{}, { weight: 10 }] }],
    });
  });
});

describe('several routes', () => {
  const both = (parts: CanaryParts = {}): Canary =>
    nextCanary({
      ...parts,
      spec: { ...parts.spec, additionalRoutes: [{ provider: 'gatewayapi:v1' }] },
    });
  const gates = { service: { gatewayRefs } };

  it('are split alike, and any of them is repaired', async () => {
    const canary = both(gates);

    expect(await applyRoutes(deps, canary, at(30))).toBe(true);
    expect(await liveRoutes(deps, canary)).toEqual(toCanary(30));
    expect(await applyRoutes(deps, canary, at(30))).toBe(false);

    await applyRoutes(deps, { ...canary, additionalRoutes: [] }, at(60));
    expect(await liveRoutes(deps, canary)).toBeUndefined();
    expect(await driftOf(canary, at(30))).toBe('weights');
    expect(await liveRoutes(deps, canary)).toEqual(toCanary(30));
  });

  it('go back together when one cannot be written', async () => {
    const canary = both(gates);
    await applyRoutes(deps, canary, at(10));
    const failing = unwritable('HTTPRoute');

    await expect(applyRoutes({ ...deps, kube: failing }, canary, at(20))).rejects.toThrow('no');

    expect(await liveRoutes(deps, canary)).toEqual(toCanary(10));
  });

  it('go to the primary each by itself', async () => {
    const canary = both(gates);
    await applyRoutes(deps, canary, at(50));
    const failing = unwritable('HTTPProxy');

    await expect(applyRoutes({ ...deps, kube: failing }, canary, atPrimary)).rejects.toThrow('no');

    const [proxy, route] = [{ ...canary, additionalRoutes: [] }, gatewayOnly(canary)];
    expect(await liveRoutes(deps, proxy)).toEqual(toCanary(50));
    expect(await liveRoutes(deps, route)).toEqual(toCanary(0));
  });

  it('are refused when they would share an object', async () => {
    const canary = nextCanary({ spec: { additionalRoutes: [{ provider: 'contour' }] } });

    await expect(applyRoutes(deps, canary, atPrimary)).rejects.toMatchObject({
      type: 'InvalidSpec',
      message: `spec.additionalRoutes[0]: HTTPProxy ${canary.service.name}.${namespace} already holds another route of this canary`,
    });
  });
});

/** The API server, but for writes of one kind. */
function unwritable(kind: string): Kube {
  return {
    ...kube,
    replace: (object) =>
      object.kind === kind ? Promise.reject(new Error('no')) : kube.replace(object),
  };
}

async function driftOf(canary: Canary, split: Parameters<typeof repairRoutes>[2]): Promise<Drift> {
  return (await repairRoutes(deps, canary, split)).drift;
}

function gatewayOnly(canary: Canary): Canary {
  return { ...canary, provider: 'gatewayapi:v1', additionalRoutes: [] };
}

describe('HTTPRoute', () => {
  it('holds cookies and copies beside the weight, and repairs them as other fields', async () => {
    const plain = nextRouteCanary();
    const canary = { ...plain, analysis: { ...plain.analysis, sessionAffinity } };
    const split = { routes: toCanary(30), cookies: { canary: 'a=1', primary: 'b=1' } };
    const rules = async (): Promise<object[]> =>
      ((await kube.find(refOf(canary)))!.spec as { rules: object[] }).rules;

    expect(await liveRoutes(deps, canary)).toBeUndefined();
    expect(await applyRoutes(deps, canary, split)).toBe(true);
    expect(await applyRoutes(deps, canary, split)).toBe(false);
    const written = await rules();
    expect(written).toHaveLength(3);
    expect(await liveRoutes(deps, canary)).toEqual(toCanary(30));

    await kube.patch(refOf(canary), { spec: { rules: written.slice(1) } });
    expect(await driftOf(canary, split)).toBe('fields');
    expect(await rules()).toEqual(written);
    expect(await driftOf(canary, { ...split, cookies: { canary: 'a=2' } })).toBe('fields');
    expect(await rules()).toHaveLength(2);

    const copies = { routes: mirrored, cookies: { expired: 'a=2' } };
    expect(await driftOf(canary, copies)).toBe('weights');
    expect(await driftOf(canary, copies)).toBe('none');
    expect(await liveRoutes(deps, canary)).toEqual(mirrored);
    expect(await driftOf(canary, atPrimary)).toBe('weights');
    expect(await rules()).toHaveLength(1);
  });

  it('is given back as it was before the Canary came', async () => {
    const canary = nextRouteCanary();
    const theirs = await kube.create<KubeObject>({
      ...{ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute' },
      metadata: { name: canary.service.name, namespace, annotations: { note: 'theirs' } },
      spec: {
        parentRefs: gatewayRefs,
        hostnames: ['a.example.com'],
        rules: [{ backendRefs: [{ name: 'web', port: 80 }] }],
      },
    });

    await applyRoutes(deps, canary, at(10));
    await applyRoutes(deps, canary, at(20));
    expect((await kube.find(refOf(canary)))!.spec).not.toEqual(theirs.spec);
    await finalizeRoutes(deps, canary);

    const after = (await kube.find(refOf(canary)))!;
    expect(after.spec).toEqual(theirs.spec);
    expect(after.metadata.annotations).toEqual({ note: 'theirs' });
    const { resourceVersion } = after.metadata;
    await finalizeRoutes(deps, canary);
    expect((await kube.find(refOf(canary)))!.metadata.resourceVersion).toBe(resourceVersion);
  });

  it('that was made for the Canary is left to go with it', async () => {
    const canary = nextRouteCanary();
    await applyRoutes(deps, canary, at(10));
    const before = await kube.find(refOf(canary));

    await finalizeRoutes(deps, canary);

    expect(await kube.find(refOf(canary))).toEqual(before);
  });

  it('is written when it differs, and only then', async () => {
    const canary = nextRouteCanary();

    expect(await applyRoutes(deps, canary, atPrimary)).toBe(true);
    expect(await applyRoutes(deps, canary, atPrimary)).toBe(false);
    expect(await applyRoutes(deps, canary, at(37))).toBe(true);
  });

  it('is complained about while its gateway is missing, and written all the same', async () => {
    const canary = nextRouteCanary({
      service: { gatewayRefs: [{ name: 'absent', namespace: 'default' }] },
    });
    const complaint = 'Gateway absent.default not found';

    await expect(applyRoutes(deps, canary, atPrimary)).rejects.toThrow(complaint);
    await expect(applyRoutes(deps, canary, atPrimary)).rejects.toThrow(complaint);
    expect(await kube.find(refOf(canary))).toBeDefined();
  });

  it('is complained about when the gateway refuses it', async () => {
    const canary = nextRouteCanary();
    await applyRoutes(deps, canary, atPrimary);
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

    await expect(applyRoutes(deps, canary, atPrimary)).rejects.toThrow(
      `HTTPRoute ${canary.service.name}.${namespace} is not accepted: gateway nobody: no listener`,
    );
  });
});

it('needs no object where pods or the promotion bring users to the new version', async () => {
  const canary: Canary = { ...nextCanary(), provider: 'kubernetes' };

  expect(await applyRoutes(deps, canary, at(100))).toBe(false);
  expect(await liveRoutes(deps, canary)).toEqual(toCanary(0));
  await finalizeRoutes(deps, canary);
});

it('says so when the kind is not installed', async () => {
  const canary = nextRouteCanary();
  const elsewhere: Kube = {
    ...kube,
    create: (object) => kube.create({ ...object, apiVersion: 'gateway.networking.k8s.io/v9' }),
  };

  await expect(applyRoutes({ ...deps, kube: elsewhere }, canary, atPrimary)).rejects.toThrow(
    'the cluster has no kind HTTPRoute of gateway.networking.k8s.io/v1: its CRD is not installed',
  );
});

it('says so when the namespace is gone', async () => {
  const canary = { ...nextCanary(), namespace: 'no-such-namespace' };

  await expect(applyRoutes(deps, canary, atPrimary)).rejects.toThrow(
    'namespaces "no-such-namespace" not found',
  );
});

it('says who may not do what', async () => {
  const config = loadKubeConfig();
  const users = config.users.map((user) => ({ ...user, impersonateUser: 'nobody' }));
  const nobody = connectKube(Object.assign(config, { users }));

  await expect(applyRoutes({ ...deps, kube: nobody }, nextCanary(), atPrimary)).rejects.toThrow(
    /httpproxies.projectcontour.io .* is forbidden: User "nobody" cannot get resource/,
  );
});

const sessionAffinity = {
  cookieName: 'a',
  primaryCookieName: 'b',
  maxAge: 60,
  httpOnly: false,
  partitioned: false,
  secure: false,
};

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
