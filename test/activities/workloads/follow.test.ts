import { followObject, untilReverted } from '../../../activities/workloads/follow.js';
import type { Deps } from '../../../activities/deps.js';
import type { KubeObject } from '../../../domain/objects.js';
import type { Readiness } from '../../../domain/readiness.js';

const waiting: Readiness = { ready: false, hopeless: false, reason: 'pods are missing' };
const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'test', name: 'podinfo' };

function atVersion(resourceVersion: string): KubeObject {
  return { ...ref, metadata: { name: ref.name, resourceVersion } };
}

/** An API server that has one version of an object, and a watch that is steered by hand. */
function aCluster(read: KubeObject | Error, cached?: KubeObject) {
  let tell: (object: KubeObject | undefined) => void = () => undefined;
  let subscribers = 0;
  const deps = {
    kube: { find: () => (read instanceof Error ? Promise.reject(read) : Promise.resolve(read)) },
    workloads: {
      get: () => cached,
      subscribe: (_ref: unknown, changed: typeof tell) => {
        tell = changed;
        subscribers += 1;
        return () => (subscribers -= 1);
      },
    },
  } as unknown as Deps;
  return {
    deps,
    tell: (object: KubeObject | undefined) => tell(object),
    subscribers: () => subscribers,
  };
}

describe('following an object', () => {
  it('tells nothing that is older than what was read', async () => {
    const { deps, tell, subscribers } = aCluster(atVersion('7'), atVersion('6'));
    const seen: (string | undefined)[] = [];
    const stop = await followObject(deps, ref, (object) =>
      seen.push(object?.metadata.resourceVersion),
    );
    tell(atVersion('5'));
    tell(atVersion('10'));
    tell(undefined);
    stop();

    expect(seen).toEqual(['7', '10', undefined]);
    expect(subscribers()).toBe(0);
  });

  it('tells what the watch saw before anybody asked, if it is newer', async () => {
    const { deps } = aCluster(atVersion('7'), atVersion('8'));
    const seen: (string | undefined)[] = [];
    await followObject(deps, ref, (object) => seen.push(object?.metadata.resourceVersion));

    expect(seen).toEqual(['7', '8']);
  });

  it('leaves nothing behind when it cannot begin', async () => {
    const { deps, subscribers } = aCluster(new Error('no'));

    await expect(followObject(deps, ref, () => undefined)).rejects.toThrow('no');
    expect(subscribers()).toBe(0);
  });
});

describe('giving a target back', () => {
  it('ends when its pods are ready', async () => {
    let stopped = false;
    await untilReverted((_role, judged) => {
      judged(waiting);
      queueMicrotask(() => judged({ ready: true }));
      return Promise.resolve(() => (stopped = true));
    });

    expect(stopped).toBe(true);
  });

  it('says what it waited for when that takes too long (F2)', async () => {
    let stopped = false;
    const giving = untilReverted((_role, judged) => {
      judged(waiting);
      return Promise.resolve(() => (stopped = true));
    }, 1);

    await expect(giving).rejects.toThrow('canary not ready during finalizing: pods are missing');
    expect(stopped).toBe(true);
  });
});
