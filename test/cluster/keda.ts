import { KubeError, type Kube } from '../../activities/kube.js';
import { readManifests } from '../../sandbox/supervisor/manifests.js';
import { provideTools } from '../../sandbox/tools/provide.js';
import { until } from './activity-bench.js';

/** Installs KEDA's own definition, from its Go module; there is no KEDA behind it. */
export async function defineScaledObjects(kube: Kube): Promise<void> {
  const tools = await provideTools(['keda-crds'], { report: () => undefined });
  for (const definition of readManifests(tools['keda-crds'])) {
    await kube.create(definition).catch((error: unknown) => {
      if (!(error instanceof KubeError && error.reason === 'AlreadyExists')) throw error;
    });
  }
  const list = (): Promise<unknown> =>
    kube.list({ apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject' });
  await until(() =>
    list().then(
      () => true,
      () => false,
    ),
  );
}
