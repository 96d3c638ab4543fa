import { KubeError, type Kube } from '../../activities/kube.js';
import type { ConfigMap, NamespacedName } from '../cluster.js';
import type { Gates } from './gates.js';

/** How the values of open gates begin; what a person writes otherwise, such as `closed`, is closed. */
const opened = 'open';

/**
 * Gates in one ConfigMap: `gate__NAMESPACE__NAME: open since TIME` for each that is open.
 *
 * Why there: the API server is the one store every cluster has, and a pod reaches it with the
 * ServiceAccount it has anyway. Replicas agree at once, because each check reads it (with quorum, no
 * cache); they never lose each other's writes, because a merge patch (RFC 7386) of one key leaves the
 * other keys alone, without reading first. `kubectl get configmap` shows what is open. A Lease or a
 * kind of our own would be an object per gate and wider rights; a volume is shared by replicas only
 * where the storage allows that; the Canary's status belongs to others, and a gate may be opened
 * before its Canary is there.
 */
export function gatesInConfigMap(kube: Kube, { namespace, name }: NamespacedName): Gates {
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name };

  async function set(key: string, value: string | null): Promise<void> {
    try {
      await kube.patch(ref, { data: { [key]: value } });
    } catch (error) {
      if (!(error instanceof KubeError && error.reason === 'NotFound')) throw error;
      if (value === null) return;
      await createEmpty();
      await kube.patch(ref, { data: { [key]: value } });
    }
  }

  async function createEmpty(): Promise<void> {
    const { apiVersion, kind } = ref;
    try {
      await kube.create({ apiVersion, kind, metadata: { namespace, name } });
    } catch (error) {
      // Another replica was quicker.
      if (!(error instanceof KubeError && error.reason === 'AlreadyExists')) throw error;
    }
  }

  return {
    async isOpen(key) {
      const { data = {} } = (await kube.find<ConfigMap>(ref)) ?? {};
      return data[key]?.startsWith(opened) ?? false;
    },
    async open(key) {
      await set(key, `${opened} since ${new Date().toISOString()}`);
    },
    close: (key) => set(key, null),
  };
}
