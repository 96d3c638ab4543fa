import { KubeError, type Kube } from '../../activities/kube.js';
import type { KnativeService } from '../../domain/objects.js';
import { readManifests } from '../../sandbox/supervisor/manifests.js';
import { provideTools } from '../../sandbox/tools/provide.js';
import { until, type ActivityBench } from './activity-bench.js';

export const knativeApi = 'serving.knative.dev/v1';

/** Plays Knative, of which the cluster has the kinds alone, for one Service. */
export interface KnativePlayer {
  /** Makes a revision, and says so in the Service's status. */
  madeRevision(name: string, ready: 'True' | 'Unknown'): Promise<void>;
  becomeReady(name: string): Promise<void>;
}

/** Plays Knative for a Service of a name. */
export function playKnative(
  { kube, namespace }: Pick<ActivityBench, 'kube' | 'namespace'>,
  service: string,
): KnativePlayer {
  const ref = { apiVersion: knativeApi, kind: 'Service', namespace, name: service };

  async function setReady(name: string, status: 'True' | 'Unknown'): Promise<void> {
    const why = status === 'True' ? {} : { reason: 'Deploying' };
    const conditions = [{ type: 'Ready', status, ...why }];
    await kube.patch({ ...ref, kind: 'Revision', name }, { status: { conditions } }, 'status');
  }

  return {
    async madeRevision(name, ready) {
      await kube.create({
        apiVersion: knativeApi,
        kind: 'Revision',
        metadata: { name, namespace },
        spec: { containers: [{ image: 'hello:1' }] },
      });
      await setReady(name, ready);
      const status = { latestCreatedRevisionName: name };
      await kube.patch<KnativeService>(ref, { status }, 'status');
    },

    async becomeReady(name) {
      await setReady(name, 'True');
      await kube.patch(ref, { status: { latestReadyRevisionName: name } }, 'status');
    },
  };
}

/** Knative's own definitions, from its Go module; there is no Knative behind them. */
export async function defineKnative(kube: Kube, namespace: string): Promise<void> {
  const tools = await provideTools(['knative-crds'], { report: () => undefined });
  for (const definition of readManifests(tools['knative-crds'])) {
    await kube.create(definition).catch((error: unknown) => {
      if (!(error instanceof KubeError && error.reason === 'AlreadyExists')) throw error;
    });
  }
  const collections = ['Service', 'Revision'].map((kind) => ({
    apiVersion: knativeApi,
    kind,
    namespace,
  }));
  await until(() =>
    Promise.all(collections.map((collection) => kube.list(collection))).then(
      () => true,
      () => false,
    ),
  );
}
